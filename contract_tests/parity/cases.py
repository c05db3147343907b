"""A case is data: a line of JSON with the requests of one story, sent in order to worlds that are rewound before it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .drivers.spellings import SPELLINGS
from .messages import Headers, Request

_BODIES = ("body", "body_base64", "json")
# A method is a token (RFC 9110, 5.6.2); a target goes over the wire as it is written here, one byte a character.
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# It may begin with what an earlier step kept: the Location of what was made.
_TARGET = re.compile(r"(?:/|https?://|\{\{\w+\}\})[!-\xff]*|\*")
_KEYS = {"method", "target", "headers", "keep", "spelling", *_BODIES}
_POINTER = re.compile(r"\$.*|header \S+|cookie \S+|field \S+|link \S+|path \S+")

SOURCES = ("cases", "recorded", "framework", "wire", "generated", "mutated", "sequences")


class CaseError(ValueError):
    """A case cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Case:
    """A named story of requests.

    `keeps` say for each step which values of its answer later steps use as `{{name}}`: a name and where it stands
    (`$.id`, `header Location`, `path Location` for the id at its end, `cookie session`, `field csrf_token` of a form).
    With `cookies` the steps carry cookies on, as a browser does. `source` is who made the case, one of SOURCES;
    `signed_in` whether its steps begin with a sign-in.
    """

    name: str
    steps: tuple[Request, ...]
    keeps: tuple[Mapping[str, str], ...] = ()
    source: str = "cases"
    signed_in: bool = False
    cookies: bool = False

    def kept(self, at: int) -> Mapping[str, str]:
        """What is kept of the answer to the step with this number, from 0."""
        return self.keeps[at] if at < len(self.keeps) else {}


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
        return case_of(case)
    except (ValueError, KeyError) as error:
        raise CaseError(f"{place}: {_told(error)}") from None


def case_of(case: Any) -> Case:
    """The case that a JSON object describes. Raises ValueError and KeyError for what is none."""
    _known(case, {"case", "steps", "source", "signed_in", "cookies"})
    name, steps = case["case"], case["steps"]
    _demand(isinstance(name, str), "case is a text, the case's name")
    _demand(isinstance(steps, list), "steps is a list of requests")
    _demand(bool(steps), "steps is empty")
    source, signed_in, cookies = case.get("source", "cases"), case.get("signed_in", False), case.get("cookies", False)
    _demand(source in SOURCES, f"source is one of {', '.join(SOURCES)}")
    _demand(isinstance(signed_in, bool) and isinstance(cookies, bool), "signed_in and cookies are true or false")
    requests = tuple(_step(step) for step in steps)
    keeps = tuple(_keep(step.get("keep", {})) for step in steps)
    return Case(name, requests, keeps if any(keeps) else (), source, signed_in, cookies)


def _keep(keep: Any) -> dict[str, str]:
    _demand(isinstance(keep, dict), "keep is an object of names and where they stand")
    for name, pointer in keep.items():
        fits = isinstance(pointer, str) and bool(_POINTER.fullmatch(pointer))
        _demand(
            bool(re.fullmatch(r"\w+", name)) and fits, f"keep {name}: $.a.b, header NAME, cookie NAME or field NAME"
        )
    return dict(keep)


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
    spelling = step.get("spelling", "")
    _demand(spelling == "" or spelling in SPELLINGS, f"spelling is one of {', '.join(SPELLINGS)}")
    return replace(_with_body(step, method, target.encode("latin-1"), pairs), spelling=spelling)


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


def as_json(case: Case) -> dict[str, Any]:
    """The JSON object of a case, which `case_of` reads again to an equal one."""
    steps = [_step_json(step, dict(case.kept(at))) for at, step in enumerate(case.steps)]
    told: dict[str, Any] = {"case": case.name, "steps": steps}
    told |= {"source": case.source} if case.source != "cases" else {}
    told |= {name: True for name in ("signed_in", "cookies") if getattr(case, name)}
    return told


def _step_json(step: Request, keep: dict[str, str]) -> dict[str, Any]:
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in step.headers]
    told: dict[str, Any] = {"method": step.method, "target": step.target.decode("latin-1"), "headers": headers}
    if step.spelling:
        told["spelling"] = step.spelling
    if step.body:
        try:
            told["body"] = step.body.decode()
        except UnicodeDecodeError:
            told["body_base64"] = base64.b64encode(step.body).decode()
    return told | ({"keep": keep} if keep else {})


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, binascii.Error):
        return "body_base64 is not base64"
    if isinstance(error, json.JSONDecodeError):
        return f"this is not JSON: {error.msg} at column {error.colno}"
    return str(error)
