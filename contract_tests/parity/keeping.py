"""What an answer holds is used in later requests: each side is sent its own ids, tokens and cookies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from .cookies import parse
from .http_dates import instant
from .messages import Headers, Request, Response
from .pages import Page

_NAME = re.compile(r"\{\{(\w+)\}\}")
_WHOLE = re.compile(r'"\{\{(\w+)\}\}"')
_LAST = re.compile(r"/([^/]+)/?$")
_POINTER = re.compile(r"""\.([^.\[\]]+)|\[("(?:[^"\\]|\\.)*")\]|\[(-?\d+)\]""")


class NothingKeptError(LookupError):
    """A step uses a value that no answer before it held; the message is the value's name."""


@dataclass(slots=True)
class Memory:
    """What one side told in one case: values by name, and the cookies that it set."""

    values: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def learn(self, response: Response, keep: Mapping[str, str]) -> None:
        """Note the cookies of an answer, and the values that `keep` points at; what is not there is not kept."""
        for name, value in response.headers:
            if name.lower() == b"set-cookie":
                self._cookie(value.decode("latin-1"))
        for symbol, pointer in keep.items():
            found = pointed(response, pointer)
            if found is not None:
                self.values[symbol] = found

    def _cookie(self, header: str) -> None:
        cookie = parse(header)
        attributes = cookie.named()
        gone = attributes.get("max-age", [""])[-1] in ("0", "-1")
        ends = instant(str(attributes.get("expires", [""])[-1]))
        if gone or (ends is not None and ends < 86400 * 366):
            self.cookies.pop(cookie.name, None)
        else:
            self.cookies[cookie.name] = cookie.value

    def filled(self, request: Request, others: Mapping[str, Any] | None = None, *, cookies: bool = False) -> Request:
        """The request with its `{{name}}`s replaced. `others` stand in for what this side did not tell.

        Raises NothingKeptError.
        """
        known = {**(others or {}), **self.values}
        target, body = _target(request.target, known), request.body
        if b"{{" in body:
            body = _body(body, _type(request.headers), known)
        headers = tuple((name, _plain(value, known)) for name, value in request.headers)
        if len(body) != len(request.body):
            headers = _with_length(headers, len(body))
        if cookies and self.cookies:
            headers = _with_cookies(headers, self.cookies)
        return replace(request, target=target, headers=headers, body=body)


def pointed(response: Response, pointer: str) -> Any:
    """The value that a pointer finds in an answer; None where there is none."""
    kind, _, name = pointer.partition(" ")
    if kind == "header":
        value = response.header(name)
        return None if value is None else _here(value.decode("latin-1"), name)
    if kind == "path":
        found = _LAST.search((response.header(name) or b"").decode("latin-1").partition("?")[0])
        return found[1] if found else None
    if kind == "cookie":
        set_cookies = [parse(v.decode("latin-1")) for n, v in response.headers if n.lower() == b"set-cookie"]
        return next((cookie.value for cookie in set_cookies if cookie.name == name), None)
    if kind in ("field", "link"):
        page = Page.of(response.body)
        return page.hidden(name) if kind == "field" else page.link(name)
    return member(response.body, pointer)


def member(body: bytes, path: str) -> Any:
    """The member of a JSON body at a path such as `$.items[0].id`; None where there is none."""
    try:
        return element_at(json.loads(body), path)
    except (ValueError, RecursionError):
        return None


def element_at(value: Any, path: str) -> Any:
    """What stands at a path of a JSON value; None where nothing does."""
    try:
        for name, quoted, index in _POINTER.findall(path):
            value = value[json.loads(quoted)] if quoted else value[name] if name else value[int(index)]
    except (ValueError, LookupError, TypeError):
        return None
    return value


def _here(value: str, name: str) -> str:
    """A Location without its scheme and authority: it is asked of the same target again."""
    if name.lower() not in ("location", "content-location"):
        return value
    parts = urlsplit(value)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def _text(known: Mapping[str, Any], name: str) -> str:
    if name not in known:
        raise NothingKeptError(name)
    value = known[name]
    return value if isinstance(value, str) else json.dumps(value)


def _plain(value: bytes, known: Mapping[str, Any]) -> bytes:
    if b"{{" not in value:
        return value
    text = _NAME.sub(lambda found: _text(known, found[1]), value.decode("latin-1"))
    return re.sub(r"[\r\n]", "", text).encode("utf-8", "replace")


def _target(target: bytes, known: Mapping[str, Any]) -> bytes:
    if b"{{" not in target:
        return target

    def placed(found: re.Match[str]) -> str:
        text = _text(known, found[1])
        return quote(text, safe="/?&=%:+,;@~!$'()*" if found.start() == 0 else "")

    return _NAME.sub(placed, target.decode("latin-1")).encode("latin-1")


def _body(body: bytes, content_type: bytes, known: Mapping[str, Any]) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    if b"json" in content_type:
        text = _WHOLE.sub(lambda found: json.dumps(_value(known, found[1])), text)
        text = _NAME.sub(lambda found: json.dumps(_text(known, found[1]))[1:-1], text)
    elif b"form-urlencoded" in content_type:
        text = _NAME.sub(lambda found: quote_plus(_text(known, found[1])), text)
    else:
        text = _NAME.sub(lambda found: _text(known, found[1]), text)
    return text.encode("utf-8", "surrogateescape")


def _value(known: Mapping[str, Any], name: str) -> Any:
    _text(known, name)
    return known[name]


def _type(headers: Headers) -> bytes:
    return next((value.lower() for name, value in headers if name.lower() == b"content-type"), b"")


def _with_length(headers: Headers, size: int) -> Headers:
    return tuple((name, b"%d" % size if name.lower() == b"content-length" else value) for name, value in headers)


def _with_cookies(headers: Headers, cookies: Mapping[str, str]) -> Headers:
    """The headers with the jar's cookies, after those that the case itself gives; an empty Cookie asks for none."""
    given = next((value for name, value in headers if name.lower() == b"cookie"), None)
    if given == b"":
        return tuple(header for header in headers if header[0].lower() != b"cookie")
    own = (given or b"").decode("latin-1")
    names = {pair.partition("=")[0].strip() for pair in own.split(";")}
    pairs = [own] if own else []
    pairs += [f"{name}={value}" for name, value in cookies.items() if name not in names]
    rest = tuple(header for header in headers if header[0].lower() != b"cookie")
    return (*rest, (b"Cookie", "; ".join(pairs).encode("latin-1", "replace")))
