"""Differences have one reason where one change of the port would make them all: their marks tell which."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, unquote_plus

from . import folding, peculiar, shapes, status_reasons, texts_apart
from .difference import Difference
from .drivers.spellings import SPELLINGS
from .exchange import Exchange
from .reason import Reason, shown
from .segments import segment_of

_FAMILIES = {
    "x-ratelimit-": "the headers of the rate limit",
    "ratelimit": "the headers of the rate limit",
    "access-control-": "the CORS headers",
}
# What an answer says, rather than how it is written.
_CONTENT = frozenset(
    {"value", "elements", "type", "member", "text", "markup-value", "markup-part", "list-order", "body"}
)
_HARDENING = frozenset({
    "x-frame-options", "x-content-type-options", "referrer-policy", "content-security-policy", "permissions-policy",
    "strict-transport-security", "x-xss-protection", "cross-origin-opener-policy", "cross-origin-resource-policy",
})  # fmt: skip
_URL_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//([^/?#]*)", re.IGNORECASE)
_LIFETIME = frozenset({"Expires", "Max-Age"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference where it was seen, and what follows from it there."""

    difference: Difference
    exchange: Exchange
    followers: tuple[Difference, ...] = field(default=())
    # What was unusual in a write before it, in the same case.
    before: str | None = None


def reason_of(seen: Seen, *, exposed: str | None = None) -> Reason:
    """The reason of one difference: equal reasons are one cause, in whichever operations they occur."""
    difference = seen.difference
    if seen.exchange.request.spelling:
        # What is seen with usual requests, too, has its reason there.
        plain = seen.exchange.operation.removesuffix(f" ({seen.exchange.request.spelling})")
        seen = replace(seen, exchange=replace(seen.exchange, operation=plain))
    if exposed is not None:
        return _exposed(seen, exposed)
    if difference.kind == "binding":
        name = folding.name_of(difference.path)
        if difference.level == "cookie":
            cookie = difference.path.removesuffix(".value")
            return Reason("binding", ("cookie", cookie), f"the cookie {cookie}: says something else, or is no partner")
        return Reason("binding", (difference.level, name), f"{name}: ids that are no partners")
    reason = _LEVELS[difference.level](seen) if difference.level in _LEVELS else _plain(seen)
    if seen.exchange.request.spelling and difference.level in ("transport", "status"):
        return _spelled(seen, reason)
    return _of_request(reason, seen) if reason.name in _CONTENT or _is_written_alike(reason) else reason


def _is_written_alike(reason: Reason) -> bool:
    """Whether two texts lie apart in what a request may have brought: white space, or bytes that are no text."""
    return reason.name == "text-writing" and reason.marks[0] in ("spaces", "bytes that are no UTF-8")


def _of_request(reason: Reason, seen: Seen) -> Reason:
    """What answers hold, where the request is an unusual one: that is why they differ."""
    unusual = peculiar.of_request(seen.exchange.request) or seen.before
    if unusual is None and status_reasons.has_odd_path(seen.exchange):
        # Statuses that differ are told by another reason: here both sides take the value, or neither does.
        return Reason(
            "path-value", ("answer",), "a path whose value is an unusual one is answered in another way", reason
        )
    if unusual is None:
        return reason
    return Reason("input", (unusual,), f"{unusual} in a request is understood in another way", reason)


def _spelled(seen: Seen, plain: Reason) -> Reason:
    """Why requests that are written in one way differ: the way, unless usual requests differ so, too."""
    spelling, exchange = seen.exchange.request.spelling, seen.exchange
    if seen.difference.path == "connection":
        ours, theirs = exchange.original.connection, exchange.port.connection
    else:
        ours, theirs = (str(each.status or "no answer") for each in (exchange.original, exchange.port))
    title = f"a request {SPELLINGS[spelling].special}: {ours} becomes {theirs}"
    return Reason("spelled", (spelling, seen.difference.path), title, plain)


def _plain(seen: Seen) -> Reason:
    difference = seen.difference
    marks = (difference.level, difference.pattern, difference.kind)
    return Reason(difference.level, marks, " ".join(marks[1:]))


def _exposed(seen: Seen, side: str) -> Reason:
    difference = seen.difference
    name = folding.name_of(difference.path) if difference.level == "json" else difference.path
    title = f"the {side} gives back a secret that the client sent"
    return Reason("secret", (side, difference.level, name), title)


def _transport(seen: Seen) -> Reason:
    original, port = seen.exchange.original.failure, seen.exchange.port.failure
    marks = (seen.exchange.operation, str(original), str(port))
    words = [f"fails ({each})" if each else "answers" for each in (original, port)]
    return Reason("transport", marks, f"the original {words[0]}, the port {words[1]}")


def _media_type(seen: Seen) -> Reason:
    difference, status = seen.difference, seen.exchange.original.status
    if difference.path != "Content-Type":
        name = difference.path.partition(".")[2]
        marks = (name, difference.kind, shown(difference.original), shown(difference.port))
        return Reason("media-type-parameter", marks, f"Content-Type: {name} is {marks[2]} and {marks[3]}")
    ours, theirs = shown(difference.original), shown(difference.port)
    if 300 <= status < 400:
        return Reason("redirect-page", (difference.kind,), "a redirect has another page, or none")
    if status >= 400:
        return Reason("error-page", (ours, theirs), f"error pages: {ours} becomes {theirs}")
    return Reason("media-type", (ours, theirs), f"Content-Type: {ours} becomes {theirs}")


def _header(seen: Seen) -> Reason:
    difference = seen.difference
    name, kind = difference.path, difference.kind
    low = name.lower()
    if name == "Allow":
        return Reason("allow", (), "Allow does not name the same methods")
    for start, family in _FAMILIES.items():
        if low.startswith(start):
            return Reason("header-family", (family, kind), f"{family}: {_told(kind)}")
    if low in _HARDENING:
        return Reason("header-family", ("hardening", kind), f"the security headers: {_told(kind)}")
    if kind != "value":
        return Reason("header", (name, kind), f"{name}: {_told(kind)}")
    if name == "Location":
        return _location(seen)
    marks = (
        name,
        kind,
        *(_plain_of(name, shown(each)) for each in (difference.original, difference.port)),
    )
    return Reason("header", marks, f"{name}: another value")


def _plain_of(name: str, value: str) -> str:
    """A header's value without what is another in each answer: hashes, and all the numbers of an ETag."""
    return re.sub(r"[0-9a-f]{8,}|\d+" if name == "ETag" else r"[0-9a-f]{8,}", "#", value)


def _location(seen: Seen) -> Reason:
    difference = seen.difference
    host = _elsewhere(difference.port, seen.exchange)
    if host is not None and _elsewhere(difference.original, seen.exchange) is None:
        title = f"SECURITY: the port redirects to {host}, a host that the request named"
        return Reason("open-redirect", (seen.exchange.operation,), title)
    named = [unquote_plus(each.partition("=")[2]) for each in _query(seen.exchange).split("&")]
    if unquote(difference.port or "") in named and unquote(difference.original or "") not in named:
        title = "SECURITY: the port redirects to wherever the request says"
        return Reason("open-redirect", (seen.exchange.operation,), title)
    ours, theirs = (_URL_HOST.sub("", each or "") for each in (difference.original, difference.port))
    if ours != theirs and folding.is_one_place(ours, theirs):
        return Reason("location", ("escapes",), "Location: escaped in another way")
    apart = shapes.relation(*(f'"{each}"' for each in (difference.original, difference.port)))
    where = () if apart not in ("value", "an end") else (seen.exchange.operation,)
    return Reason("location", (apart, *where), f"Location: {_apart(apart)}")


def _query(exchange: Exchange) -> str:
    return exchange.request.target.partition(b"?")[2].decode("latin-1")


def _elsewhere(location: str | None, exchange: Exchange) -> str | None:
    """The host of a redirect that leaves the app for a host that stands in the request; None for any other."""
    found = _URL_HOST.match(location or "")
    host = found[1] if found else ""
    own = next((value.decode("latin-1") for name, value in exchange.request.headers if name.lower() == b"host"), "")
    sent = unquote(exchange.request.target.decode("latin-1")) + unquote(exchange.request.body.decode("latin-1"))
    return host if host and host != own and host in sent else None


def _cookie(seen: Seen) -> Reason:
    difference = seen.difference
    name, _, attribute = difference.path.rpartition(".")
    kind = difference.kind
    if kind == "order" or attribute == "spelling" or (kind == "value" and _is_case(difference)):
        return Reason("cookie-writing", (), "cookies are written in another way")
    if not name or attribute == "value" or difference.path in _whole(seen):
        ours, theirs = (each or "" for each in (difference.original, difference.port))
        if attribute == "value" and theirs.strip('"') == ours.strip('"'):
            return Reason("cookie-quotes", (), "cookie values are quoted in another way")
        return Reason("cookie", (difference.path, kind), f"the cookie {name or difference.path}: {_told(kind)}")
    told = f"cookies: {attribute} is {_told(kind)}"
    if kind == "value":
        family = "lifetime" if attribute in _LIFETIME else attribute
        return Reason("cookie-attribute", (family, kind, *_values(difference)), told)
    # How long a cookie lives is another number in each; what else an attribute says is the reason itself.
    value = "" if attribute in _LIFETIME else shown(difference.original or difference.port)
    return Reason("cookie-attribute", (attribute, kind, value), told)


def _is_case(difference: Difference) -> bool:
    """Whether two texts of an attribute are one but for their case, which says nothing there; a value's says much."""
    ours, theirs = ((each or "").lower() for each in (difference.original, difference.port))
    return ours == theirs and not difference.path.endswith(".value")


def _whole(seen: Seen) -> Iterable[str]:
    """The names of whole cookies: a cookie's own name may have a dot."""
    if seen.difference.kind not in ("missing", "extra", "count"):
        return ()
    text = seen.difference.original or seen.difference.port or ""
    return {text.lstrip('["').partition("=")[0]}


def _values(difference: Difference) -> tuple[str, str]:
    return shown(difference.original), shown(difference.port)


def _json(seen: Seen) -> Reason:
    difference = seen.difference
    name = folding.name_of(difference.path)
    if difference.kind == "order":
        return _order(seen, name)
    ours, theirs = (folding.keys(each.body) for each in (seen.exchange.original, seen.exchange.port))
    if seen.followers and folding.is_another_document((difference, *seen.followers), ours, theirs):
        return Reason("document", (seen.exchange.operation,), "the body is another document")
    if difference.path == "$":
        return _whole_body(seen)
    if seen.exchange.original.status >= 400 and seen.exchange.port.status >= 400:
        return _error(seen, name)
    listed = folding.is_selection(difference)
    replaced = listed if difference.kind == "value" else None
    replaced = replaced or folding.list_of_another(difference, seen.followers)
    if replaced is not None:
        return _selection(seen, replaced)
    if difference.kind in ("missing", "extra"):
        return _selection(seen, listed) if listed is not None else _member(seen, name)
    return _value(seen, name)


def _order(seen: Seen, name: str) -> Reason:
    if (seen.difference.original or "").startswith("["):
        return Reason("list-order", (segment_of(seen.exchange.operation), name), f"{name or 'the list'}: another order")
    return Reason("key-order", (), "the keys of JSON objects come in another order")


def _whole_body(seen: Seen) -> Reason:
    difference, operation = seen.difference, seen.exchange.operation
    ours, theirs = (_form(each) for each in (difference.original, difference.port))
    if seen.exchange.original.status >= 400:
        return Reason("error-page", (ours, theirs), f"errors: {ours} becomes {theirs}")
    return Reason("body", (operation, ours, theirs), f"the body: {ours} becomes {theirs}")


def _form(text: str | None) -> str:
    if text is None:
        return "nothing"
    if text.startswith(("JSON", "not JSON")):
        return text.partition(":")[0].partition(",")[0]
    return shapes.shape(text)


def _error(seen: Seen, name: str) -> Reason:
    ours, theirs = (folding.keys(each.body) for each in (seen.exchange.original, seen.exchange.port))
    if ours is not None and theirs is not None and ours != theirs:
        keys = tuple(", ".join(sorted(each)) for each in (ours, theirs))
        return Reason("error-body", keys, f"error bodies: {keys[0]} becomes {keys[1]}")
    if seen.difference.kind in ("missing", "extra"):
        return Reason("error-member", (name, seen.difference.kind), f"errors: {name} is {_told(seen.difference.kind)}")
    # Who no longer refuses by one rule may refuse the same by the next: that follows from the rule.
    lost = status_reasons.taken(seen.exchange.operation, seen.exchange.original)
    return Reason("error-text", (name,), f"errors: {name} has another value", lost)


def _selection(seen: Seen, listed: str) -> Reason:
    where = (segment_of(seen.exchange.operation), folding.name_of(listed))
    if seen.difference.kind in ("value", "type"):
        return Reason("elements", where, f"{where[1] or 'the list'}: other elements")
    title = f"{where[1] or 'the list'}: elements are {_told(seen.difference.kind)}"
    return Reason("elements", (*where, seen.difference.kind), title)


def _member(seen: Seen, name: str) -> Reason:
    difference = seen.difference
    value = difference.original if difference.kind == "missing" else difference.port
    if value == "null":
        told = "left out" if difference.kind == "missing" else "written"
        return Reason("null-member", (difference.kind,), f"members that are null are {told}")
    if name.endswith("[*]"):
        return Reason(
            "elements",
            (difference.kind, segment_of(seen.exchange.operation), name),
            f"elements of {name} are {_told(difference.kind)}",
        )
    if seen.followers:
        return _renamed(seen, name)
    return Reason("member", (difference.kind, name), f"{name} is {_told(difference.kind)}")


def _renamed(seen: Seen, name: str) -> Reason:
    new = folding.renamed_to(seen.difference, seen.followers)
    if new is None:
        return Reason("envelope", (name,), f"what lies in {name} lies beside it")
    if _snake(new) == _snake(name):
        return Reason("naming", (), "members are named in another way: " + f"{name} becomes {new}")
    return Reason("renamed", (name, new), f"{name} becomes {new}")


def _snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _value(seen: Seen, name: str) -> Reason:
    difference = seen.difference
    ours, theirs = shapes.shape(difference.original), shapes.shape(difference.port)
    if shapes.is_format(ours, theirs):
        return Reason("format", (ours, theirs), f"{ours} becomes {theirs}")
    if difference.kind == "value" and difference.original is not None and difference.port is not None:
        # Of ids it says nothing how far they lie apart.
        apart = "value" if folding.is_identity(difference) else shapes.relation(difference.original, difference.port)
        return Reason("value", (segment_of(seen.exchange.operation), name, apart), f"{name}: {_apart(apart)}")
    if difference.kind == "count":
        return Reason("member-count", (name,), f"{name} is there a different number of times")
    return Reason("type", (name, ours, theirs), f"{name}: {ours} becomes {theirs}")


def _bytes(seen: Seen) -> Reason:
    difference = seen.difference
    if difference.kind in ("missing", "extra") and difference.path == "body":
        return _no_body(seen)
    return texts_apart.reason_of(difference, seen.exchange)


def _no_body(seen: Seen) -> Reason:
    status = seen.exchange.original.status
    if 300 <= status < 400:
        return Reason("redirect-page", (seen.difference.kind,), "a redirect has another page, or none")
    where = ("errors",) if status >= 400 else (seen.exchange.operation,)
    return Reason("no-body", (*where, seen.difference.kind), f"the body is {_told(seen.difference.kind)}")


def _told(kind: str) -> str:
    return {"missing": "missing in the port", "extra": "there in the port alone", "value": "another value"}.get(
        kind, f"another {kind}"
    )


def _apart(apart: str) -> str:
    return "another value" if apart in ("value", "an end") else f"another value ({apart})"


def _effect(seen: Seen) -> Reason:
    """What was written stands in the database: a column of one table is one cause, whoever writes it."""
    column, kind = seen.difference.path, seen.difference.kind
    words = {"missing": f"does not write {column}", "extra": f"writes {column}, too"}
    return Reason("effect", (column, kind), f"answers alike, and {words.get(kind, f'writes {column} otherwise')}")


def _status(seen: Seen) -> Reason:
    return status_reasons.reason_of(seen.exchange)


_LEVELS = {
    "transport": _transport,
    "status": _status,
    "media-type": _media_type,
    "header": _header,
    "cookie": _cookie,
    "effect": _effect,
    "json": _json,
    "bytes": _bytes,
}
