"""A case is data: a line of JSON with the requests of one story, sent in order to worlds that are rewound before it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import Headers, Request

_BODIES = ("body", "body_base64", "json")
_KEYS = {"method", "target", "headers", *_BODIES}


class CaseError(ValueError):
    """A case cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Case:
    """A named story of requests."""

    name: str
    steps: tuple[Request, ...]


def load_cases(path: Path | str) -> tuple[Case, ...]:
    """The cases of a JSON Lines file, each `{"case": name, "steps": [...]}`.

    A step has `method`, `target` (raw path and query), and may have `headers` (a list of pairs) and one of
    `json` (any value), `body` (text, sent as UTF-8) and `body_base64`. Raises CaseError, and OSError.
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    cases = tuple(_case(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())
    if not cases:
        raise CaseError(f"{path}: there is no case in it")
    return cases


def _case(line: str, place: str) -> Case:
    try:
        case = json.loads(line)
        return Case(str(case["case"]), tuple(_step(step) for step in case["steps"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CaseError(f"{place}: {_told(error)}") from None


def _step(step: dict[str, Any]) -> Request:
    if unknown := sorted(step.keys() - _KEYS):
        raise ValueError(f"unknown key {', '.join(unknown)}")
    if len(step.keys() & set(_BODIES)) > 1:
        raise ValueError(f"a step has one of {', '.join(_BODIES)}")
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in step.get("headers", ()))
    if not any(name.lower() == b"host" for name, _ in headers):
        headers = ((b"Host", b"localhost"), *headers)
    return _with_body(step, str(step["method"]), step["target"].encode("latin-1"), headers)


def _with_body(step: dict[str, Any], method: str, target: bytes, headers: Headers) -> Request:
    given = {name.lower() for name, _ in headers}
    body = b""
    if "json" in step:
        body = json.dumps(step["json"]).encode()
        headers += () if b"content-type" in given else ((b"Content-Type", b"application/json"),)
    elif "body" in step:
        body = step["body"].encode()
    elif "body_base64" in step:
        body = base64.b64decode(step["body_base64"], validate=True)
    if body and not given & {b"content-length", b"transfer-encoding"}:
        headers += ((b"Content-Length", str(len(body)).encode()),)
    return Request(method, target, headers, body)


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, binascii.Error):
        return "body_base64 is not base64"
    if isinstance(error, json.JSONDecodeError):
        return f"this is not JSON: {error.msg} at column {error.colno}"
    return str(error) if isinstance(error, ValueError) else "a case is an object with a name and a list of steps"
