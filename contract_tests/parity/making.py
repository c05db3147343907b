"""Requests are made from an operation and values: a template filled, a query, a body in the media type it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from contract_tests.parity.messages import Headers, Request
from contract_tests.parity.operations import Operation
from contract_tests.parity.samples import plausible

JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BOUNDARY = "parity-7d9f"
_HOST = (b"Host", b"localhost")
_KEPT = "{{"
_PAIR = 2

Query = Sequence[tuple[str, str]]


def request(
    method: str, target: str, *, body: bytes = b"", content_type: str | None = None, headers: Headers = ()
) -> Request:
    """A request to a raw target, its length told where it has a body or might have one."""
    given: Headers = (_HOST, *headers)
    if content_type is not None:
        given += ((b"Content-Type", content_type.encode()),)
    if body or method in ("POST", "PUT", "PATCH"):
        given += ((b"Content-Length", b"%d" % len(body)),)
    return Request(method, target.encode("latin-1", "replace"), given, body)


def with_body(method: str, target: str, value: Any, kind: str = JSON, headers: Headers = ()) -> Request:
    """A request with a value written in a media type."""
    body, content_type = written(value, kind)
    return request(method, target, body=body, content_type=content_type, headers=headers)


def written(value: Any, kind: str) -> tuple[bytes, str]:
    """A body, and its Content-Type."""
    essence = kind.partition(";")[0].strip().lower()
    if essence == FORM:
        return encoded(_pairs(value)).encode(), FORM
    if essence == PARTS:
        return _parts(value), f"{PARTS}; boundary={BOUNDARY}"
    if "json" in essence:
        return json.dumps(value).encode(), kind
    return (value if isinstance(value, str) else json.dumps(value)).encode(), kind


def read_body(step: Request) -> tuple[Any, str | None]:
    """The value that a request's body holds, and its media type; None for both where it has none that is read."""
    kind = next((value.decode("latin-1") for name, value in step.headers if name.lower() == b"content-type"), "")
    essence = kind.partition(";")[0].strip().lower()
    if essence == FORM:
        return dict(parse_qsl(step.body.decode("utf-8", "replace"), keep_blank_values=True)), FORM
    if "json" in essence:
        try:
            return json.loads(step.body), essence
        except (ValueError, RecursionError):
            return None, None
    return None, None


def target_of(operation: Operation, values: Mapping[str, str], query: Query = ()) -> str:
    """The target of an operation: its template with path values, those that are kept ones as they are."""
    path = operation.template
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value if value.startswith(_KEPT) else quote(value, safe=""))
    return f"{path}?{encoded(query)}" if query else path


def encoded(pairs: Query) -> str:
    return "&".join(f"{quote_plus(name, safe='[]')}={_kept_or_quoted(value)}" for name, value in pairs)


def query_of(operation: Operation, *, every: bool = False) -> list[tuple[str, str]]:
    """A plausible query: what must be there, or all that may."""
    wanted = [each for each in operation.at("query") if each.required or every]
    return [(each.name, as_text(plausible(each.name, each.schema))) for each in wanted]


def headers_of(operation: Operation) -> Headers:
    """The headers that must be there, as a document says."""
    wanted = [each for each in operation.at("header") if each.required and each.name.lower() != "authorization"]
    return tuple((each.name.encode(), as_text(plausible(each.name, each.schema)).encode()) for each in wanted)


def as_text(value: Any) -> str:
    """A value as a query has it."""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    return value if isinstance(value, str) else json.dumps(value)


def _kept_or_quoted(value: str) -> str:
    return value if value.startswith(_KEPT) and value.endswith("}}") else quote_plus(value)


def _pairs(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [(name, as_text(inner)) for name, inner in value.items() if inner is not None]
    pairs = value if isinstance(value, list) else []
    return [(str(each[0]), str(each[1])) for each in pairs if isinstance(each, list | tuple) and len(each) == _PAIR]


def _parts(value: Any) -> bytes:
    lines = []
    for name, text in _pairs(value):
        file = '; filename="parity.txt"\r\nContent-Type: text/plain' if name in _files(value) else ""
        lines.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{text}\r\n')
    return "".join([*lines, f"--{BOUNDARY}--\r\n"]).encode("utf-8", "replace")


def _files(value: Any) -> set[str]:
    names = value if isinstance(value, dict) else {}
    return {name for name in names if any(word in name.lower() for word in ("file", "upload", "avatar", "image"))}
