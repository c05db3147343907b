"""What can be wrong with an answer, part by part: each gives the changed one, or None where there is no such part."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contract_tests.parity.media_types import is_json
from contract_tests.parity.messages import Header, Response

NOTHING: Any = object()
Edit = Callable[[Any], Any]

_STYLES = tuple((ascii_, separators) for separators in ((",", ":"), (", ", ": ")) for ascii_ in (True, False))


def status(response: Response, before: tuple[int, ...], after: int) -> Response | None:
    return replace(response, status=after) if response.status in before else None


def with_body(response: Response, body: bytes) -> Response:
    """The answer with another body, and the length of that, where it has one at all."""
    headers = tuple(
        (name, b"%d" % len(body)) if name.lower() == b"content-length" and response.body else (name, value)
        for name, value in response.headers
    )
    return replace(response, headers=headers, body=body)


def header(response: Response, name: str, change: Callable[[bytes], bytes | None]) -> Response | None:
    """The answer with one header changed, or without it where `change` gives None; None where it has none."""
    wanted = name.encode().lower()
    if not any(key.lower() == wanted for key, _ in response.headers):
        return None
    changed = [(key, change(value) if key.lower() == wanted else value) for key, value in response.headers]
    kept: tuple[Header, ...] = tuple((key, value) for key, value in changed if value is not None)
    return replace(response, headers=kept)


def text(response: Response, change: Callable[[str], str]) -> Response | None:
    """The answer with its text changed; None for what is empty or no text."""
    try:
        body = response.body.decode()
    except UnicodeDecodeError:
        return None
    return with_body(response, change(body).encode()) if body else None


def document(response: Response, edit: Edit) -> Response | None:
    """The answer with its JSON edited and written in its own style; None where it has none, or nothing to edit."""
    kind = (response.header("Content-Type") or b"").decode("latin-1")
    if not response.body or not is_json(kind):
        return None
    try:
        value = json.loads(response.body)
    except ValueError:
        return None
    edited = edit(value)
    return None if edited is NOTHING else with_body(response, _written(edited, response.body, value))


def leaf(wanted: Callable[[Any], bool], change: Edit) -> Edit:
    """An edit of the first value, in the order of the text, that is wanted."""

    def edit(value: Any) -> Any:
        if wanted(value):
            return change(value)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            edited = edit(inner)
            if edited is not NOTHING:
                copy = value.copy()
                copy[key] = edited
                return copy
        return NOTHING

    return edit


def member(wanted: Callable[[str, Any], bool], change: Edit) -> Edit:
    """An edit of the first member, by name and value, that is wanted; NOTHING as its value leaves it out."""

    def edit(value: dict[str, Any]) -> Any:
        name = next(name for name, inner in value.items() if wanted(name, inner))
        edited = {key: change(inner) if key == name else inner for key, inner in value.items()}
        return {key: inner for key, inner in edited.items() if inner is not NOTHING}

    return leaf(lambda value: isinstance(value, dict) and any(wanted(*item) for item in value.items()), edit)


def _written(value: Any, body: bytes, before: Any) -> bytes:
    tail = re.search(rb"\s*\Z", body)
    for ascii_, separators in _STYLES:
        if json.dumps(before, ensure_ascii=ascii_, separators=separators).encode() == body.rstrip():
            break
    written = json.dumps(value, ensure_ascii=ascii_, separators=separators).encode("utf-8", "surrogatepass")
    return written + (tail[0] if tail else b"")
