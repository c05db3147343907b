"""Recorded exchanges, of a HAR file or of JSON Lines: cases with steps, or a request and its response a line.

A step or request has `method`, `target` (or `url`), and may have `headers` and one of `json`, `body`; a response has
`status` and one of `json`, `body`. A case's step may have its `response` with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NOTHING = object()


class RecordingError(ValueError):
    """A recording that cannot be read; the message names the file and the line."""


@dataclass(slots=True)
class Recorded:
    """An exchange: `sent` and `answered` are JSON values, or NOTHING."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    sent: Any
    status: int | None
    answered: Any


def read_recorded(path: Path) -> list[Recorded]:
    """Raises RecordingError, and OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: this is not UTF-8") from None
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, dict) and "log" in whole:
        return list(_of_har(whole, path))
    found: list[Recorded] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found += _of_line(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise RecordingError(f"{path}:{number}: no recorded exchange: {error}") from None
    return found


def _of_line(line: dict[str, Any]) -> Iterator[Recorded]:
    for step in line.get("steps") or [line]:
        request = step.get("request", step)
        response = step.get("response") or {}
        target = str(request.get("target") or request["url"])
        headers = {str(name).lower(): str(value) for name, value in _pairs(request.get("headers"))}
        body = request.get("body")
        sent = request.get("json", NOTHING)
        form: list[tuple[str, str]] = []
        if sent is NOTHING and isinstance(body, str):
            if "urlencoded" in headers.get("content-type", ""):
                form = parse_qsl(body, keep_blank_values=True)
            else:
                sent = _parsed(body, headers.get("content-type", "json"))
        answered = response.get("json", NOTHING)
        if answered is NOTHING and isinstance(response.get("body"), str):
            answered = _parsed(response["body"], "json")
        yield _made(str(request["method"]), target, form, sent, response.get("status"), answered)


def _pairs(headers: Any) -> list[tuple[str, str]]:
    if isinstance(headers, dict):
        return list(headers.items())
    return [(each["name"], each["value"]) if isinstance(each, dict) else (each[0], each[1]) for each in headers or ()]


def _of_har(whole: dict[str, Any], path: Path) -> Iterator[Recorded]:
    try:
        for entry in whole["log"]["entries"]:
            request, response = entry["request"], entry.get("response") or {}
            data, content = request.get("postData") or {}, response.get("content") or {}
            form = [(str(each["name"]), str(each.get("value", ""))) for each in data.get("params") or ()]
            text = content.get("text")
            if isinstance(text, str) and content.get("encoding") == "base64":
                text = base64.b64decode(text).decode("utf-8", "replace")
            sent = _parsed(data["text"], data.get("mimeType", "")) if isinstance(data.get("text"), str) else NOTHING
            answered = _parsed(text, content.get("mimeType", "")) if isinstance(text, str) else NOTHING
            yield _made(request["method"], request["url"], form, sent, response.get("status"), answered)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RecordingError(f"{path}: no HAR file: {error!r}") from None


def _made(method: str, target: str, form: list[tuple[str, str]], sent: Any, status: Any, answered: Any) -> Recorded:
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Recorded(
        method.upper(), parts.path, query, form, sent, status if isinstance(status, int) else None, answered
    )


def _parsed(text: str, media_type: str) -> Any:
    if "json" not in media_type:
        return NOTHING
    try:
        return json.loads(text)
    except ValueError:
        return NOTHING
