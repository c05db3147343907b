"""A cookie is compared by name, value and each attribute, then by the attributes' order and spelling (RFC 6265)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .difference import Difference
from .http_dates import instant
from .texts import listed

_SPELLED = {"httponly": "HttpOnly", "samesite": "SameSite", "max-age": "Max-Age"}


@dataclass(frozen=True, slots=True)
class Cookie:
    """One Set-Cookie value: `attributes` are pairs as written and in order, None where no `=` stands."""

    name: str
    value: str
    attributes: tuple[tuple[str, str | None], ...]
    written: str

    def named(self) -> dict[str, list[str | None]]:
        """The attributes' values by lower-case name."""
        found: dict[str, list[str | None]] = {}
        for name, value in self.attributes:
            found.setdefault(name.lower(), []).append(value)
        return found


def parse(header: str) -> Cookie:
    """Read a Set-Cookie value (RFC 6265, section 5.2). A value without `=` is a cookie without a name."""
    first, *rest = header.split(";")
    name, equals, value = first.partition("=")
    if not equals:
        name, value = "", first
    return Cookie(name.strip(), value.strip(), tuple(_attribute(part) for part in rest), header)


def differences(
    original: Sequence[str], port: Sequence[str], *, window: float, received: tuple[float, float]
) -> Iterator[Difference]:
    """Compare the Set-Cookie values of two responses.

    `received` are the moments of receipt in seconds; Expires may lie at distances from them
    that are alike within `window` seconds.
    """
    ours, theirs = [parse(value) for value in original], [parse(value) for value in port]
    for name in dict.fromkeys(cookie.name for cookie in ours + theirs):
        one, other = [c for c in ours if c.name == name], [c for c in theirs if c.name == name]
        yield from _named(name, one, other, window, received)
    if [c.name for c in ours] != [c.name for c in theirs] and _names(ours) == _names(theirs):
        yield Difference("cookie", "Set-Cookie", "order", _joined(ours), _joined(theirs))


def _named(
    name: str, original: list[Cookie], port: list[Cookie], window: float, received: tuple[float, float]
) -> Iterator[Difference]:
    if not port:
        yield Difference("cookie", name, "missing", listed([cookie.written for cookie in original]), None)
    elif not original:
        yield Difference("cookie", name, "extra", None, listed([cookie.written for cookie in port]))
    elif len(original) != len(port):
        ours, theirs = ([cookie.written for cookie in cookies] for cookies in (original, port))
        yield Difference("cookie", name, "count", listed(ours), listed(theirs))
    else:
        for one, other in zip(original, port, strict=True):
            yield from _cookie(one, other, window, received)


def _cookie(original: Cookie, port: Cookie, window: float, received: tuple[float, float]) -> Iterator[Difference]:
    if original.written == port.written:
        return
    yield from _values(original, port, window, received)
    ours, theirs = _spelling(original), _spelling(port)
    otherwise = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if otherwise:
        texts = (";".join(spelling[name] for name in otherwise) for spelling in (ours, theirs))
        yield Difference("cookie", f"{original.name}.spelling", "value", *texts)


def _values(original: Cookie, port: Cookie, window: float, received: tuple[float, float]) -> Iterator[Difference]:
    if original.value != port.value:
        yield Difference("cookie", f"{original.name}.value", "value", original.value, port.value)
    ours, theirs = original.named(), port.named()
    for name in sorted(ours.keys() | theirs.keys()):
        path = f"{original.name}.{_SPELLED.get(name, name.capitalize())}"
        yield from _attributes(path, ours.get(name, []), theirs.get(name, []), window, received)
    yield from _order(original, port)


def _attributes(
    path: str,
    original: list[str | None],
    port: list[str | None],
    window: float,
    received: tuple[float, float],
) -> Iterator[Difference]:
    if not original or not port:
        kind = "missing" if original else "extra"
        yield Difference("cookie", path, kind, _text(original), _text(port))
    elif len(original) != len(port):
        yield Difference("cookie", path, "count", _text(original), _text(port))
    else:
        for one, other in zip(original, port, strict=True):
            alike = path.endswith(".Expires") and same_distance(one, other, window, received)
            if one != other and not alike:
                yield Difference("cookie", path, "value", one or "", other or "")


def same_distance(original: str | None, port: str | None, window: float, received: tuple[float, float]) -> bool:
    """Whether two Expires have the exact format and lie alike far from their receipt, or are one moment."""
    ours, theirs = instant(original or ""), instant(port or "")
    if ours is None or theirs is None:
        return False
    apart = ours - theirs
    return abs(apart - (received[0] - received[1])) <= window or apart == 0


def _order(original: Cookie, port: Cookie) -> Iterator[Difference]:
    ours, theirs = original.named(), port.named()
    shared = ours.keys() & theirs.keys()
    if [name for name in ours if name in shared] != [name for name in theirs if name in shared]:
        names = ["; ".join(name for name, _ in cookie.attributes) for cookie in (original, port)]
        yield Difference("cookie", original.name, "order", *names)


def _spelling(cookie: Cookie) -> dict[str, str]:
    """How each part is written, its value left out: case, spaces and the equals sign."""
    first, *rest = cookie.written.split(";")
    # Without an equals sign the first part is all value.
    return {"": _without_value(first) if "=" in first else ""} | {
        part.partition("=")[0].strip().lower(): _without_value(part) for part in rest
    }


def _without_value(part: str) -> str:
    name, equals, value = part.partition("=")
    return name + equals + value.replace(value.strip(), "", 1) if value.strip() else part


def _attribute(part: str) -> tuple[str, str | None]:
    name, equals, value = part.strip().partition("=")
    return name.strip(), value.strip() if equals else None


def _text(values: list[str | None]) -> str | None:
    return listed([value or "" for value in values]) if values else None


def _names(cookies: list[Cookie]) -> Counter[str]:
    return Counter(cookie.name for cookie in cookies)


def _joined(cookies: list[Cookie]) -> str:
    return ", ".join(cookie.name for cookie in cookies)
