"""The known faults, by the part of an answer that they break: what ports of other people's apps did wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from contract_tests.parity.messages import Header, Request, Response

from .answers import NOTHING, document, header, leaf, member, status, text, with_body
from .deeds import Failing, Forgotten, Lost, LostInsert, OthersAnswer, Stale, Twice
from .fault import Answering, Breaks, Fault

_OK, _REFUSED = (200, 203), (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429)
_MOVED = (301, 302, 303, 307, 308)
_UNSPECIAL = re.compile(rb"(?i)(?!content-|date$|server$|connection$|set-cookie$|location$|vary$|allow$|transfer-)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*")


def _fault(name: str, needs: str, breaks: Breaks) -> Fault:
    return Fault(name, needs, partial(Answering, breaks))


def _status(name: str, needs: str, before: tuple[int, ...], after: int) -> Fault:
    return _fault(f"status-{name}", needs, lambda _, response: status(response, before, after))


def _header(name: str, field: str, change: Callable[[bytes], bytes | None], needs: str = "") -> Fault:
    return _fault(f"header-{name}", needs or f"the header {field}", lambda _, response: header(response, field, change))


def _json(name: str, needs: str, edit: Callable[[Any], Any]) -> Fault:
    return _fault(f"json-{name}", needs, lambda _, response: document(response, edit))


def _list(name: str, needs: str, least: int, change: Callable[[list[Any]], list[Any]]) -> Fault:
    edit = leaf(lambda value: isinstance(value, list) and len(value) >= least, change)
    return _fault(f"list-{name}", needs, lambda _, response: document(response, edit))


def _cookie(name: str, needs: str, pattern: str, new: str) -> Fault:
    wanted = re.compile(pattern, re.IGNORECASE)

    def breaks(_: Request, response: Response) -> Response | None:
        found = [value for key, value in response.headers if key.lower() == b"set-cookie"]
        if not any(wanted.search(value.decode("latin-1")) for value in found):
            return None
        changed = (wanted.sub(new, value.decode("latin-1"), count=1).encode("latin-1") for value in found)
        return replace(
            response, headers=_each(response, b"set-cookie", lambda value: next(changed) if value else value)
        )

    return _fault(f"cookie-{name}", needs, breaks)


def _each(response: Response, wanted: bytes, change: Callable[[bytes], bytes]) -> tuple[Header, ...]:
    return tuple((key, change(value) if key.lower() == wanted else value) for key, value in response.headers)


def _first_plain(change: Callable[[Header], tuple[Header, ...]]) -> Breaks:
    """Breaks the first header that is of the app's own."""

    def breaks(_: Request, response: Response) -> Response | None:
        at = next((at for at, (name, _) in enumerate(response.headers) if _UNSPECIAL.match(name)), None)
        if at is None:
            return None
        return replace(
            response, headers=(*response.headers[:at], *change(response.headers[at]), *response.headers[at + 1 :])
        )

    return breaks


def _joined(_: Request, response: Response) -> Response | None:
    """Repeated headers become one, as a dictionary of headers makes them."""
    kept: dict[bytes, Header] = {}
    for name, value in response.headers:
        kept[name.lower()] = (name, value)
    return None if len(kept) == len(response.headers) else replace(response, headers=tuple(kept.values()))


def _without_cookies(_: Request, response: Response) -> Response | None:
    kept = tuple(pair for pair in response.headers if pair[0].lower() != b"set-cookie")
    return None if kept == response.headers else replace(response, headers=kept)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and any(char.isalpha() for char in value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _hour_later(value: str) -> str:
    return f"{value[:11]}{(int(value[11:13]) + 1) % 24:02}{value[13:]}"


def _other_zone(value: str) -> str:
    return value.removesuffix("Z") + "+00:00" if value.endswith("Z") else re.sub(r"(?:[+-]\d\d:?\d\d)?\Z", "Z", value)


def _camel(value: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): inner for key, inner in value.items()}


def _key_twice(_: Request, response: Response) -> Response | None:
    found = re.match(rb'\{\s*("[^"\\]+"\s*:\s*[^\[{,}]+)', response.body)
    if found is None or not (response.header("Content-Type") or b"").startswith(b"application/json"):
        return None
    return with_body(response, response.body.replace(found[1], found[1] + b"," + found[1], 1))


def _json_text(change: Callable[[str], str]) -> Breaks:
    def breaks(_: Request, response: Response) -> Response | None:
        is_json = b"json" in (response.header("Content-Type") or b"")
        return text(response, change) if is_json else None

    return breaks


def _respaced(body: str) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        return body
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False) if compact == body.strip() else compact


def _escaped(body: str) -> str:
    return body if body.isascii() else body.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00")


def _in_latin_1(_: Request, response: Response) -> Response | None:
    try:
        encoded = response.body.decode().encode("latin-1")
    except UnicodeError:
        return None
    return None if encoded == response.body else with_body(response, encoded)


def _of_method(method: str, change: Callable[[Response], Response | None]) -> Breaks:
    return lambda request, response: change(response) if request.method == method else None


def _error(body: bytes, kind: bytes) -> Breaks:
    def breaks(_: Request, response: Response) -> Response | None:
        if response.status < 400 or not response.body:
            return None
        return with_body(replace(response, headers=_each(response, b"content-type", lambda _: kind)), body)

    return breaks


def _relative(value: bytes) -> bytes:
    return re.sub(rb"^https?://[^/]+", b"", value) if value.startswith(b"http") else b"http://localhost" + value


def _another(value: bytes) -> bytes:
    return re.sub(rb"\d+", lambda digits: b"%d" % (int(digits[0]) + 1), value, count=1)


def _failed(name: str) -> Breaks:
    return lambda *_: Response(0, failure=name)


def _cut(_: Request, response: Response) -> Response | None:
    body = response.body[: len(response.body) // 2]
    return replace(response, body=body, failure="truncated") if len(response.body) > 1 else None


_405 = Response(405, ((b"Allow", b"GET"), (b"Content-Length", b"0")))
_ANY = "an answer"

ANSWERS: tuple[Fault, ...] = (
    _status("200-for-201", "an answer of 201", (201,), 200),
    _status("201-for-200", "an answer of 200", _OK, 201),
    _status("200-for-204", "an answer of 204", (204,), 200),
    _status("404-for-403", "an answer of 403", (403,), 404),
    _status("403-for-401", "an answer of 401", (401,), 403),
    _status("422-for-400", "an answer of 400", (400,), 422),
    _status("400-for-409", "an answer of 409", (409,), 400),
    _status("404-for-405", "an answer of 405", (405,), 404),
    _status("400-for-404", "an answer of 404", (404,), 400),
    _status("200-for-a-refusal", "a refusal", _REFUSED, 200),
    _status("500-for-a-refusal", "a refusal", _REFUSED, 500),
    _fault("header-missing", "a header of the app's own", _first_plain(lambda _: ())),
    _fault("header-changed", "a header of the app's own", _first_plain(lambda pair: ((pair[0], pair[1] + b"x"),))),
    _fault("header-extra", _ANY, lambda _, r: replace(r, headers=(*r.headers, (b"X-Powered-By", b"port")))),
    _fault("header-repeated-ones-become-one", "a header that is sent twice", _joined),
    _header("no-length", "Content-Length", lambda _: None),
    _header("cache-control", "Cache-Control", lambda _: b"public, max-age=60"),
    _header("etag-weak", "ETag", lambda value: value.removeprefix(b"W/") if value[:2] == b"W/" else b"W/" + value),
    _header("vary-missing", "Vary", lambda _: None),
    _header("allow-shorter", "Allow", lambda value: value.partition(b",")[0] if b"," in value else b""),
    _header("challenge-missing", "WWW-Authenticate", lambda _: None),
    _header("disposition", "Content-Disposition", lambda value: value.replace(b"attachment", b"inline") + b"x"),
    _header("cors-for-all", "Access-Control-Allow-Origin", lambda value: b"null" if value == b"*" else b"*"),
    _header("retry-later", "Retry-After", lambda value: value + b"0"),
    _fault(
        "media-type-charset", "a Content-Type",
        lambda _, r: header(r, "Content-Type", lambda v: v.partition(b";")[0] if b";" in v else v + b"; charset=x"),
    ),
    _fault("media-type-html", "a Content-Type", lambda _, r: header(r, "Content-Type", lambda _: b"text/x-other")),
    _fault("cookie-missing", "a cookie", _without_cookies),
    _cookie("renamed", "a cookie", r"^[^=]+", "sid"),
    _cookie("no-httponly", "an HttpOnly cookie", r";\s*HttpOnly", ""),
    _cookie("no-secure", "a Secure cookie", r";\s*Secure", ""),
    _cookie("secure", "a cookie that is not Secure", r"^(?!.*;\s*Secure).*$", r"\g<0>; Secure"),
    _cookie("samesite", "a cookie", r"(?:;\s*SameSite=\w+)?$|;\s*SameSite=\w+", "; SameSite=None"),
    _cookie("path", "a cookie with a Path", r";\s*Path=[^;]*", "; Path=/other"),
    _cookie("domain", "a cookie", r"$", "; Domain=example.com"),
    _cookie("lives-on", "a cookie that ends at a time", r";\s*(?:Max-Age|Expires)=[^;]*", ""),
    _json("int-as-text", "a number in JSON", leaf(_is_int, str)),
    _json("int-as-float", "a number in JSON", leaf(_is_int, float)),
    _json("float-rounded", "a fraction in JSON", leaf(lambda v: isinstance(v, float) and v != round(v), round)),
    _json("another-text", "a text in JSON", leaf(_is_text, lambda value: value + "x")),
    _json("text-in-capitals", "a text in JSON", leaf(_is_text, str.swapcase)),
    _json("true-as-1", "a boolean in JSON", leaf(lambda value: isinstance(value, bool), int)),
    _json("not", "a boolean in JSON", leaf(lambda value: isinstance(value, bool), lambda value: not value)),
    _json("member-missing", "an object in JSON", member(lambda *_: True, lambda _: NOTHING)),
    _json("member-extra", "an object in JSON", leaf(_is_object, lambda value: {**value, "extra": None})),
    _json("null-for-a-value", "a value in JSON", member(lambda _, value: value is not None, lambda _: None)),
    _json("null-left-out", "a null in JSON", member(lambda _, value: value is None, lambda _: NOTHING)),
    _json("keys-in-order", "an object of two members", leaf(
        lambda v: isinstance(v, dict) and len(v) > 1, lambda v: dict(reversed(v.items())))),
    _json("camel-case", "a member with an underscore", leaf(
        lambda v: isinstance(v, dict) and any("_" in key.strip("_") for key in v), _camel)),
    _fault("json-a-member-twice", "an object in JSON", _key_twice),
    _json("wrapped", "a document of JSON", lambda value: {"data": value}),
    _json("time-an-hour-later", "a time in JSON", leaf(_is_time, _hour_later)),
    _json("time-in-another-zone", "a time in JSON", leaf(_is_time, _other_zone)),
    _json("another-id", "an id in JSON", member(lambda name, value: name == "id" and _is_int(value), lambda v: v + 1)),
    _json("empty-as-null", "an empty list in JSON", leaf(lambda value: value == [], lambda _: None)),
    _list("other-order", "a list of two", 2, lambda value: value[::-1]),
    _list("cut-short", "a list that is not empty", 1, lambda value: value[:-1]),
    _list("page-begins-later", "a list that is not empty", 1, lambda value: value[1:]),
    _list("element-twice", "a list that is not empty", 1, lambda value: [*value, value[-1]]),
    _fault("body-newline", "a body of text", lambda _, r: text(r, lambda v: v[:-1] if v.endswith("\n") else v + "\n")),
    _fault("body-spacing", "a document of JSON", _json_text(_respaced)),
    _fault("body-escapes", "JSON with other characters than ASCII", _json_text(_escaped)),
    _fault("body-latin-1", "a text with umlauts or accents", _in_latin_1),
    _fault("body-mark", "a body of text", lambda _, r: text(r, lambda value: "\ufeff" + value)),
    _fault("body-empty", "a body", lambda _, r: with_body(r, b"") if r.body else None),
    _status("302-for-another-redirect", "a redirect by 301, 303, 307 or 308", (301, 303, 307, 308), 302),
    _status("307-for-302", "a redirect by 302", (302,), 307),
    _status("redirect-followed", "a redirect", _MOVED, 200),
    _header("redirect-absolute", "Location", _relative),
    _header("location-of-another", "Location", _another, "a Location with a number"),
    _header("location-missing", "Location", lambda _: None),
    _fault("error-shape", "an error with a body", _error(b'{"detail":"error"}', b"application/json")),
    _fault("error-page", "an error with a body", _error(b"<h1>Error</h1>", b"text/html; charset=utf-8")),
    _fault("method-no-head", "a HEAD request", _of_method("HEAD", lambda _: replace(_405, headers=_405.headers[:1]))),
    _fault("method-no-options", "an OPTIONS request", _of_method("OPTIONS", lambda _: _405)),
    _fault("transport-cut", "a body", _cut),
    _fault("transport-late", _ANY, _failed("timeout")),
    _fault("transport-reset", _ANY, _failed("reset")),
)  # fmt: skip

DEEDS: tuple[Fault, ...] = (
    Fault("state-lost-update", "a PUT or PATCH that succeeds", partial(Lost, "PUT", "PATCH"), stateful=True),
    Fault("state-lost-delete", "a DELETE that succeeds", partial(Lost, "DELETE"), stateful=True),
    Fault("state-lost-insert", "a POST that is answered by 201 and a Location", LostInsert, stateful=True),
    Fault("state-written-twice", "a POST that succeeds", Twice, stateful=True),
    Fault("state-stale-read", "a write that succeeds", Stale, stateful=True),
    Fault("state-fails-the-second-time", "a request that is sent twice in a case", Failing, stateful=True),
    Fault("who-another-s-answer", "a read with a cookie or Authorization", OthersAnswer, stateful=True),
    Fault("who-forgotten", "a request with a cookie or Authorization", Forgotten, stateful=True),
)

FAULTS: tuple[Fault, ...] = (*ANSWERS, *DEEDS)
