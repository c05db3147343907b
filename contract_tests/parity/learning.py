"""A pair of ids is born only at its own name and every other place refers: so the port's answer is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import gcd
from types import MappingProxyType

from .cookies import parse
from .declared import OPAQUE, Declared
from .difference import Difference
from .header_fields import spelled
from .identities import Identities, Verdict, are_uuids, is_integer, may_be_opaque
from .json_text import Document, NotJsonError, decoded, read, rewritten
from .json_values import written
from .json_walk import Scalars, paired
from .media_types import is_json
from .messages import Header, Request, Response, length_of
from .signed_values import SignedValue
from .translating import TOKEN
from .web_tokens import Claims, WebToken, is_tick

_URL = re.compile(
    r"(?P<origin>(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*)?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<rest>#.*)?", re.DOTALL
)
# A string that is a link and nothing else: within a body it refers, as a header does.
_LINK = re.compile(r"(?:https?:)?//[^/?#\s]+(?:/\S*)?|/\S+")
# What an element of a page leads to, and an address in its text.
_LINKS = re.compile(
    r"""(?:(?:\b(?:href|src|action|formaction)\s*=\s*["']?|(?=https?://))(?P<to>[^\s"'<>`]+))""", re.IGNORECASE
)
_ETAG = re.compile(r'(W/)?"([^"]*)"')
_HOLDERS = re.compile(r"<(?:input|meta)\b[^<>]{0,1000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=`]+))""")
_URLS = frozenset({"location", "content-location"})
_UNREAD = frozenset({"date", "server", "content-length", "content-type"})
_WIDEST = 8
# Ids take at most so small a part of a list.
_SMALL = 4


@dataclass(frozen=True, slots=True)
class Learned:
    """The port's response in the original's ids, and what is wrong with the ids in it."""

    port: Response
    differences: tuple[Difference, ...] = ()


class Lesson:
    """What one exchange teaches: births and references, the body's before the headers' (rule 2)."""

    def __init__(self, declared: Declared, identities: Identities, request: Request) -> None:
        self.declared, self.identities = declared, identities
        self.path = request.target.partition(b"?")[0].decode("latin-1")
        self.method = request.method
        self.differences: list[Difference] = []

    def of(self, original: Response, port: Response) -> Learned:
        """Read both responses; outcomes that are no responses teach nothing."""
        if original.failure or port.failure:
            return Learned(port)
        # What outcomes of unlike kinds show at the same name need not be the same thing; a 200 for a 201 still made it.
        self.births = original.status // 100 == port.status // 100
        self.created = self.births and self._creates(original.status, port.status)
        body = self._body(original, port)
        headers = tuple(self._headers(original, port))
        if len(body) != len(port.body):
            headers = tuple(_resized(header, len(port.body), len(body)) for header in headers)
        if self.method == "HEAD":
            headers = tuple(self._head_length(header, original) for header in headers)
        return Learned(replace(port, headers=headers, body=body), tuple(dict.fromkeys(self.differences)))

    def _creates(self, *statuses: int) -> bool:
        """Whether Location names what was made: at a 201, and where a form is answered by a redirect to it."""
        return 201 in statuses or (self.method == "POST" and statuses[0] // 100 == 3)

    def _body(self, original: Response, port: Response) -> bytes:
        # Equal tokens need no partner, so equal bodies teach something only where integers are bound.
        if not (original.body and port.body) or (original.body == port.body and not self.declared.integers):
            return port.body
        ours, theirs = _document(original), _document(port)
        if ours is not None and theirs is not None:
            return self._documents(ours, theirs, port.body)
        try:
            one, other = original.body.decode(), port.body.decode()
        except UnicodeDecodeError:
            return port.body
        self._hidden(one, other)
        return self._text(one, other, "bytes", "body", self._links(one, other)).encode()

    def _hidden(self, original: str, port: str) -> None:
        """The tokens that pages keep for their forms are born there: hidden inputs, and meta elements."""
        ours, theirs = (_hidden_of(text) for text in (original, port))
        for name, value in ours.items():
            other = theirs.get(name, "")
            if value != other and may_be_opaque(value, other):
                self._meet(OPAQUE, value, other, own=True)

    def _links(self, original: str, port: str) -> dict[tuple[int, int], str]:
        """The links of a page refer, as those of a header do: what stands for each of the port's, by its place."""
        ours, theirs = ([found for found in _LINKS.finditer(text) if found["to"]] for text in (original, port))
        if not self.declared.integers or original == port or len(ours) != len(theirs):
            return {}
        return {
            other.span("to"): self._url("bytes", "body", one["to"], other["to"])
            for one, other in zip(ours, theirs, strict=True)
            if one["to"] != other["to"]
        }

    def _documents(self, original: Document, port: Document, body: bytes) -> bytes:
        ours, theirs = original.tokens, port.tokens
        every = bool(self.declared.patterns)
        # Equal scalars that are no ids say nothing.
        found = [
            place
            for place in paired(original, port, self.declared, self.declared.collection(self.path))
            if every or place.kind or place.original is None or ours[place.original] != theirs[place.port]
        ]
        changed: dict[int, str] = {}
        for place in sorted(found, key=lambda place: not place.own):
            token = theirs[place.port]
            new = self._scalar(place, None if place.original is None else ours[place.original], token)
            if new != token:
                changed[place.port] = new
        return port.rewritten(changed) if changed else body

    def _scalar(self, place: Scalars, original: str | None, port: str) -> str:
        if original is None:
            return self._named(place.kind, port)
        if original[0] == port[0] == '"':
            return self._string(place, original, port)
        if place.kind is not None and is_integer(original) and is_integer(port):
            known, verdict = self._meet(place.kind, original, port, own=place.own)
            self._tell("json", place, verdict)
            return original if known else port
        return port

    def _string(self, place: Scalars, original: str, port: str) -> str:
        ours, theirs = decoded(original), decoded(port)
        made_anew = ours != theirs and are_uuids(ours, theirs)
        if place.kind is not None or made_anew:
            kind = OPAQUE if made_anew or place.kind is None else place.kind
            known, verdict = self._token(kind, ours, theirs, own=place.own or made_anew)
            self._tell("json", place, verdict)
            if known:
                return original
        if ours != theirs and place.kind is None and _LINK.fullmatch(ours) and _LINK.fullmatch(theirs):
            return rewritten(port, self._url("json", place, ours, theirs))
        new = self._text(ours, theirs, "json", place)
        return port if new == theirs else rewritten(port, new)

    def _named(self, kind: str | None, port: str) -> str:
        """The original's name for an id that has nothing at its place on the original's side."""
        if port[0] == '"':
            token = self.identities.opaque.named(decoded(port))
            return port if token is None else rewritten(port, token)
        return port if kind is None else self.identities.kind(kind).named(port) or port

    def _meet(self, kind: str, original: str, port: str, *, own: bool) -> tuple[bool, Verdict]:
        return self.identities.meet(kind, original, port, birth=own and self.births)

    def _token(self, kind: str, original: str, port: str, *, own: bool) -> tuple[bool, Verdict]:
        """Meet two texts that may be JSON Web Tokens: partners must also say the same, and live as long."""
        known, verdict = self._meet(kind, original, port, own=own)
        ours, theirs = WebToken.of(original), WebToken.of(port)
        if not known or original == port:
            # One text on both sides says one thing, whomever it was met with when a second ended between the two.
            return known, None if ours is not None and is_tick(ours, ours) else verdict
        if ours is None or theirs is None or (verdict is not None and not is_tick(ours, theirs)):
            return known, verdict
        return known, Claims(self.declared, self.identities).verdict(ours, theirs)

    def _tell(self, level: str, place: Scalars | str, verdict: Verdict) -> None:
        if verdict is not None:
            path = place if isinstance(place, str) else written(place.path)
            self.differences.append(Difference(level, path, "binding", *verdict))

    def _text(
        self,
        original: str,
        port: str,
        level: str,
        place: Scalars | str,
        links: Mapping[tuple[int, int], str] = MappingProxyType({}),
    ) -> str:
        """Running text: ids stand where a template has them, tokens anywhere; all of them refer.

        `links` are places that have been read.
        """
        changed = dict(links)
        for pattern, kinds in self.declared.patterns:
            ours, theirs = list(pattern.finditer(original)), list(pattern.finditer(port))
            for one, other in zip(ours, theirs, strict=True) if len(ours) == len(theirs) else ():
                if any(start <= other.start() and other.end() <= stop for start, stop in links):
                    continue
                for group, kind in enumerate(kinds, 1):
                    if other.span(group) not in changed:
                        known, verdict = self._meet(kind, one[group], other[group], own=False)
                        self._tell(level, place, verdict)
                        changed[other.span(group)] = one[group] if known else other[group]
        return self._tokens(_replaced(port, changed)) if original != port else port

    def _tokens(self, port: str) -> str:
        opaque = self.identities.opaque
        if not opaque.to_original:
            return port
        return opaque.named(port) or TOKEN.sub(lambda found: opaque.named(found[0]) or found[0], port)

    def _headers(self, original: Response, port: Response) -> Iterator[Header]:
        ours: dict[str, list[str]] = {}
        for name, value in original.headers:
            ours.setdefault(_key(name, value), []).append(value.decode("latin-1"))
        for name, value in port.headers:
            twins = ours.get(_key(name, value))
            new = self._header(name.decode("latin-1"), twins.pop(0), value.decode("latin-1")) if twins else None
            yield name, value if new is None else new.encode("latin-1")

    def _header(self, name: str, original: str, port: str) -> str:
        plain = name.lower()
        if plain == "set-cookie":
            return self._cookie(original, port)
        if plain in _URLS:
            return self._url("header", spelled(name), original, port)
        if original == port or plain in _UNREAD:
            return port
        if plain == "etag":
            return self._etag(original, port)
        if self.declared.kind(name, "") is not None:
            known, verdict = self._meet(self.declared.kind(name, "") or OPAQUE, original, port, own=True)
            self._tell("header", spelled(name), verdict)
            return original if known else port
        return self._text(original, port, "header", spelled(name))

    def _cookie(self, original: str, port: str) -> str:
        ours, theirs = parse(original), parse(port)
        if not ours.value or not theirs.value:
            return port
        one, other = SignedValue.of(ours.value), SignedValue.of(theirs.value)
        if one is not None and other is not None and one.style == other.style:
            known, verdict = True, Claims(self.declared, self.identities).signed(one, other)
            if verdict is None:
                self.identities.opaque.add_text(ours.value, theirs.value)
        else:
            known, verdict = self._token(OPAQUE, ours.value, theirs.value, own=True)
        self._tell("cookie", f"{ours.name}.value", verdict)
        return port.replace(theirs.value, ours.value, 1) if known else port

    def _etag(self, original: str, port: str) -> str:
        ours, theirs = _ETAG.fullmatch(original), _ETAG.fullmatch(port)
        if not self.declared.etags or ours is None or theirs is None:
            return port
        known, verdict = self._meet(OPAQUE, ours[2], theirs[2], own=True)
        self._tell("header", "ETag", verdict)
        return f'{theirs[1] or ""}"{ours[2]}"' if known else port

    def _url(self, level: str, place: Scalars | str, original: str, port: str) -> str:
        ours, theirs = _URL.fullmatch(original), _URL.fullmatch(port)
        if ours is None or theirs is None:
            return port
        path = self._url_path(level, place, ours["path"], theirs["path"])
        query = self._query(level, place, ours["query"] or "", theirs["query"] or "")
        return (theirs["origin"] or "") + path + query + (theirs["rest"] or "")

    def _url_path(self, level: str, place: Scalars | str, original: str, port: str) -> str:
        ours, theirs = original.split("/"), port.split("/")
        readings = self.declared.typed(original)
        if len(ours) != len(theirs) or not readings:
            return self._tokens(port)
        for at, kind in readings[0].items():
            own = self.created and place == "Location" and at == len(ours) - 1
            known, verdict = self._meet(kind, ours[at], theirs[at], own=own)
            self._tell(level, place, verdict)
            theirs[at] = ours[at] if known else theirs[at]
        return "/".join(self._tokens(segment) for segment in theirs)

    def _query(self, level: str, place: Scalars | str, original: str, port: str) -> str:
        ours, theirs = original[1:].split("&"), port[1:].split("&")
        if len(ours) != len(theirs):
            return self._tokens(port)
        return port[:1] + "&".join(self._parameter(level, place, *pair) for pair in zip(ours, theirs, strict=True))

    def _parameter(self, level: str, place: Scalars | str, original: str, port: str) -> str:
        (ours, _, our_value), (theirs, _, their_value) = original.partition("="), port.partition("=")
        kind = self.declared.kind(ours, "")
        if ours != theirs or kind is None:
            return self._tokens(port) if "=" not in port else f"{theirs}={self._tokens(their_value)}"
        known, verdict = self._meet(kind, our_value, their_value, own=kind == OPAQUE)
        self._tell(level, place, verdict)
        return original if known else port

    def _head_length(self, header: Header, original: Response) -> Header:
        """A HEAD's length is that of a body with ids in it: it may differ by the width of the path's ids."""
        ours = original.header("content-length") or b""
        if header[0].lower() != b"content-length" or not (ours.isdigit() and header[1].isdigit()):
            return header
        apart = length_of(header[1]) - length_of(ours)
        wide = any(apart == width * times for width in self._widths() for times in range(1, _WIDEST + 1))
        return (header[0], ours) if wide or self._is_of_a_list(apart, length_of(ours)) else header

    def _is_of_a_list(self, apart: int, length: int) -> bool:
        """Whether a length may differ by the width of all the ids that a list holds, which no HEAD shows.

        They are a small part of it, and all wider on one side or of two sorts: more cannot be said.
        """
        if apart * _SMALL > length or -apart * _SMALL > length:
            return False
        widths = set(self.identities.widths()) - {0}
        return bool(widths) and apart % gcd(*widths) == 0 and any(width * apart > 0 for width in widths)

    def _widths(self) -> Iterator[int]:
        segments = self.path.split("/")
        for kinds in self.declared.typed(self.path):
            for at, kind in kinds.items():
                partner = self.identities.kind(kind).to_port.get(segments[at], segments[at])
                if len(partner) != len(segments[at]):
                    yield len(partner) - len(segments[at])


def _document(response: Response) -> Document | None:
    kind = (response.header("content-type") or b"").decode("latin-1")
    if not is_json(kind) and response.body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return read(response.body)
    except NotJsonError:
        return None


def _hidden_of(text: str) -> dict[str, str]:
    """The value of each hidden input and of each meta element that speaks of a token, by name: the first of each."""
    found: dict[str, str] = {}
    for element in _HOLDERS.finditer(text):
        given = {name.lower(): "".join(values) for name, *values in _ATTRIBUTE.findall(element[0])}
        hidden = given.get("type", "").lower() == "hidden" or re.search("csrf|token", given.get("name", ""), re.I)
        value = given.get("value") or given.get("content")
        if hidden and value and given.get("name"):
            found.setdefault(given["name"], value)
    return found


def _key(name: bytes, value: bytes) -> str:
    """What makes two headers twins: the name, and a cookie's own."""
    plain = name.decode("latin-1").lower()
    return f"{plain} {parse(value.decode('latin-1')).name}" if plain == "set-cookie" else plain


def _resized(header: Header, before: int, after: int) -> Header:
    """A true Content-Length stays true; one that lies still lies."""
    true = header[0].lower() == b"content-length" and header[1] == str(before).encode()
    return (header[0], str(after).encode()) if true else header


def _replaced(text: str, changed: dict[tuple[int, int], str]) -> str:
    for (start, stop), new in sorted(changed.items(), reverse=True):
        text = text[:start] + new + text[stop:]
    return text
