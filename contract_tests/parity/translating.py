"""The port is sent the request in its own ids: typed places whole, known tokens anywhere, all else untouched."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote

from .declared import OPAQUE, Declared
from .identities import Identities, is_integer
from .json_text import Document, NotJsonError, decoded, read, rewritten
from .json_walk import scalars
from .media_types import is_json
from .messages import Headers, Request

TOKEN = re.compile(r"[A-Za-z0-9_~.-]{20,}")
_COOKIE_PAIR = re.compile(r"([^=;]+=)([^;]*)")
# An integer with what some routers and parsers overlook: a sign, leading zeros, an empty fraction.
_SPELLED = re.compile(r"([+-]?0*?)(0|[1-9][0-9]*)((?:\.0*)?)")
# Python makes no number of thousands of digits.
_LONGEST = 20
_ENCODED_DIGIT = re.compile(r"%3([0-9])")


class Inconclusive(Exception):
    """A request's ids can be translated in more than one way, and the engine never guesses."""


class Translation:
    """Translates requests by one table of identities."""

    def __init__(self, declared: Declared, identities: Identities) -> None:
        self.declared, self.identities = declared, identities

    def request(self, request: Request) -> Request:
        """The request as the port is sent it. Raises Inconclusive."""
        target = self._target(request.target.decode("latin-1")).encode("latin-1")
        body = self._body(request) if request.body else b""
        headers = tuple((name, self._header(name, value)) for name, value in request.headers)
        if len(body) != len(request.body):
            headers = _with_length(headers, len(body))
        translated = replace(request, target=target, headers=headers, body=body)
        return request if translated == request else translated

    def _target(self, target: str) -> str:
        path, mark, query = target.partition("?")
        return self._path(path) + mark + (self._form(query) if query else "")

    def _path(self, path: str) -> str:
        readings = {self._read_as(path, kinds) for kinds in self.declared.typed(path) or [{}]}
        if len(readings) > 1:
            raise Inconclusive(f"the path {path} is translated in more than one way: {', '.join(sorted(readings))}")
        return readings.pop()

    def _read_as(self, path: str, kinds: dict[int, str]) -> str:
        segments = path.split("/")
        return "/".join(
            self._id(kinds[at], segment) if at in kinds else self.text(segment) for at, segment in enumerate(segments)
        )

    def _form(self, text: str) -> str:
        return "&".join(self._parameter(part) for part in text.split("&"))

    def _parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        kind = self.declared.kind(name, "") if equals else None
        return name + equals + (self._id(kind, value) if kind else self.text(value))

    def _id(self, kind: str, text: str) -> str:
        if kind == OPAQUE:
            return self.text(text)
        if is_integer(text):
            return self.identities.kind(kind).translated(text)
        # Whoever overlooks the spelling finds the same thing on both sides; whoever does not, finds none.
        return self._spelled(kind, text) or self.text(text)

    def _spelled(self, kind: str, text: str) -> str | None:
        """Another spelling of an id, of its partner; None for what is none, and for an id that has no partner."""
        plain = unquote(text)
        if plain.isdecimal() and not plain.isascii() and len(plain) < _LONGEST:
            zero = ord(plain[0]) - int(plain[0])
            partner = self._partner(kind, str(int(plain)))
            return partner and quote("".join(chr(zero + int(digit)) for digit in partner))
        found = _SPELLED.fullmatch(_ENCODED_DIGIT.sub(r"\1", text))
        partner = found and self._partner(kind, found[2])
        if found is None or partner is None:
            return None
        digits = "".join(f"%3{digit}" for digit in partner) if _ENCODED_DIGIT.search(text) else partner
        return found[1] + digits + found[3]

    def _partner(self, kind: str, text: str) -> str | None:
        partner = self.identities.kind(kind).translated(text)
        return None if partner == text else partner

    def text(self, text: str) -> str:
        """Any text, with the tokens that stand whole in it translated."""
        if not self._knows_tokens():
            return text
        whole = self.identities.opaque.translated(text)
        return whole if whole != text else TOKEN.sub(self._token, text)

    def _token(self, found: re.Match[str]) -> str:
        token = found[0].rstrip(".")
        return self.identities.opaque.translated(token) + found[0][len(token) :]

    def _knows_tokens(self) -> bool:
        return bool(self.identities.opaque.to_port)

    def _header(self, name: bytes, value: bytes) -> bytes:
        text = value.decode("latin-1")
        if name.lower() == b"cookie":
            return _COOKIE_PAIR.sub(lambda pair: pair[1] + self.text(pair[2]), text).encode("latin-1")
        return self.text(text).encode("latin-1")

    def _body(self, request: Request) -> bytes:
        kind = next((value for name, value in request.headers if name.lower() == b"content-type"), b"").lower()
        if kind.startswith(b"application/x-www-form-urlencoded"):
            return self._form(request.body.decode("latin-1")).encode("latin-1")
        if is_json(kind.decode("latin-1")) or request.body.lstrip()[:1] in (b"{", b"["):
            try:
                return self._json(read(request.body), request)
            except NotJsonError:
                pass
        return self.text(request.body.decode("latin-1")).encode("latin-1") if self._knows_tokens() else request.body

    def _json(self, document: Document, request: Request) -> bytes:
        path = request.target.partition(b"?")[0].decode("latin-1")
        changed = {}
        for place in scalars(document, self.declared, self.declared.collection(path)):
            token = document.tokens[place.port]
            new = self._scalar(token, place.kind)
            if new != token:
                changed[place.port] = new
        return document.rewritten(changed) if changed else request.body

    def _scalar(self, token: str, kind: str | None) -> str:
        translate: Callable[[str], str] = (lambda text: self._canonical(kind, text)) if kind else self.text
        if token[0] != '"':
            return translate(token) if kind and is_integer(token) else token
        text = decoded(token)
        new = translate(text)
        return token if new == text else rewritten(token, new)

    def _canonical(self, kind: str, text: str) -> str:
        return self._id(kind, text) if is_integer(text) else self.text(text)


def _with_length(headers: Headers, size: int) -> Headers:
    return tuple((name, str(size).encode() if name.lower() == b"content-length" else value) for name, value in headers)
