"""A case is data: a line of JSON with the requests of one story, sent in order to worlds that are rewound before it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import Headers, Request

_BODIES = ("body", "body_base64", "json")
# A method is a token (RFC 9110, 5.6.2); a target goes over the wire as it is written here, one byte a character.
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"(?:/|https?://)[!-\xff]*|\*")
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
    `json` (any value), `body` (text, sent as UTF-8) and `body_base64`. Of a recording (docs/recording.md) the answers
    are left out, and the requests that were not recorded whole. Raises CaseError, and OSError.
    """
    try:
        # A newline alone ends a line: JSON has all other separators within its texts.
        lines = Path(path).read_bytes().decode().split("\n")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: byte {error.start} is not UTF-8") from None
    read = (_case(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())
    cases = tuple(case for case in read if case is not None)
    if not cases:
        raise CaseError(f"{path}: there is no case in it")
    return cases


def _case(line: str, place: str) -> Case | None:
    try:
        case = json.loads(line)
        _demand(isinstance(case, dict), "a case is an object with a name and a list of steps")
        if case.pop("recorded", None) is not None and case.get("steps") == []:
            return None
        _known(case, {"case", "steps"})
        name, steps = case["case"], case["steps"]
        _demand(isinstance(name, str), "case is a text, the case's name")
        _demand(isinstance(steps, list), "steps is a list of requests")
        _demand(bool(steps), "steps is empty")
        return Case(name, tuple(_step(step) for step in steps))
    except (ValueError, KeyError) as error:
        raise CaseError(f"{place}: {_told(error)}") from None


def request_of(step: Any) -> Request:
    """The request that a step describes. Raises ValueError and KeyError for what is none."""
    return _step(step)


def _demand(fits: bool, otherwise: str) -> None:
    if not fits:
        raise ValueError(otherwise)


def _known(table: dict[str, Any], keys: set[str]) -> None:
    unknown = sorted(table.keys() - keys)
    _demand(not unknown, f"unknown key {', '.join(unknown)}")


def _step(step: Any) -> Request:
    _demand(isinstance(step, dict), "a step is an object with a method and a target")
    _known(step, _KEYS)
    _demand(len(step.keys() & set(_BODIES)) <= 1, f"a step has one of {', '.join(_BODIES)}")
    method, target, headers = step["method"], step["target"], step.get("headers", [])
    _demand(isinstance(method, str) and bool(_METHOD.fullmatch(method)), "method is a word such as GET")
    _demand(isinstance(target, str) and bool(_TARGET.fullmatch(target)), "target is a raw path such as /a?b=%20")
    _demand(isinstance(headers, list) and all(map(_is_pair, headers)), "headers is a list of [name, value] pairs")
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    if not any(name.lower() == b"host" for name, _ in pairs):
        pairs = ((b"Host", b"localhost"), *pairs)
    return _with_body(step, method, target.encode("latin-1"), pairs)


def _is_pair(header: Any) -> bool:
    texts = isinstance(header, list) and len(header) == 2 and all(isinstance(part, str) for part in header)
    return texts and all(ord(char) < 256 for part in header for char in part)


def _with_body(step: dict[str, Any], method: str, target: bytes, headers: Headers) -> Request:
    given = {name.lower() for name, _ in headers}
    body = b""
    if "json" in step:
        body = json.dumps(step["json"]).encode()
        headers += () if b"content-type" in given else ((b"Content-Type", b"application/json"),)
    elif "body" in step:
        _demand(isinstance(step["body"], str), "body is a text")
        body = step["body"].encode()
    elif "body_base64" in step:
        _demand(isinstance(step["body_base64"], str), "body_base64 is a text")
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
    return str(error)
