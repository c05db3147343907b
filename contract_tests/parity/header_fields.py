"""Headers are compared by name, their values apart and in order; only what the rules name is compared otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from . import cookies, media_types
from .difference import Difference
from .http_dates import instant
from .messages import Headers, Response
from .rules import Rules
from .texts import listed

_SPELLED = {"etag": "ETag", "www-authenticate": "WWW-Authenticate", "te": "TE", "dnt": "DNT", "sourcemap": "SourceMap"}


def spelled(name: str) -> str:
    """A header's name as people write it: a name's case is not compared, so both sides are shown alike."""
    return _SPELLED.get(name.lower()) or "-".join(part.capitalize() for part in name.split("-"))


def fields(headers: Headers) -> dict[str, list[str]]:
    """The values of each header by its lower-case name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip(" \t"))
    return found


def differences(
    original: Response, port: Response, rules: Rules, received: tuple[float, float]
) -> Iterator[Difference]:
    """Compare the headers of two responses at the levels media-type, header and cookie."""
    if original.headers == port.headers:
        # Equal headers may still lie about unequal bodies.
        yield from _lengths(original, port)
        return
    ours, theirs = fields(original.headers), fields(port.headers)
    yield from media_types.differences(ours.get("content-type", []), theirs.get("content-type", []))
    yield from cookies.differences(
        ours.get("set-cookie", []), theirs.get("set-cookie", []), window=rules.expires_window, received=received
    )
    yield from _lengths(original, port)
    elsewhere = rules.uncompared | {"content-type", "set-cookie", "content-length"}
    for name in sorted((ours.keys() | theirs.keys()) - elsewhere):
        yield from _header(name, ours.get(name, []), theirs.get(name, []), rules, received)


def _header(
    name: str, original: list[str], port: list[str], rules: Rules, received: tuple[float, float]
) -> Iterator[Difference]:
    if original == port or _alike_times(name, original, port, rules, received):
        return
    if name in rules.dates:
        yield from _dates(name, original, port)
    elif name in rules.name_sets | rules.method_sets and original and port:
        yield from _token_sets(name, original, port, without_case=name in rules.name_sets)
    else:
        yield from _values(spelled(name), original, port)


def _values(name: str, original: list[str], port: list[str]) -> Iterator[Difference]:
    if not original or not port:
        kind = "missing" if original else "extra"
        yield Difference("header", name, kind, _text(original), _text(port))
    elif len(original) != len(port):
        yield Difference("header", name, "count", listed(original), listed(port))
    elif len(original) > 1 and original != port and Counter(original) == Counter(port):
        yield Difference("header", name, "order", listed(original), listed(port))
    else:
        for one, other in zip(original, port, strict=True):
            if one != other:
                yield Difference("header", name, "value", one, other)


def _dates(name: str, original: list[str], port: list[str]) -> Iterator[Difference]:
    """A server adds its Date or does not: only a text that is no date is a difference."""
    invalid = [value for value in original + port if instant(value) is None]
    if invalid:
        yield from _values(spelled(name), original, port)


def _alike_times(name: str, original: list[str], port: list[str], rules: Rules, received: tuple[float, float]) -> bool:
    if name in rules.moments:
        return _alike_moments(original, port, rules.expires_window, received)
    return name in rules.delays and _alike_delays(original, port, rules.expires_window)


def _alike_moments(original: list[str], port: list[str], window: float, received: tuple[float, float]) -> bool:
    """Whether two times are one, but for the time between two requests: alike far from their receipt."""
    return len(original) == len(port) == 1 and cookies.same_distance(original[0], port[0], window, received)


def _alike_delays(original: list[str], port: list[str], window: float) -> bool:
    """Whether two delays in seconds are one, but for the time between two requests; short ones are no clock's."""
    if len(original) != 1 or len(port) != 1 or not all(value.isdecimal() for value in original + port):
        return False
    ours, theirs = int(original[0]), int(port[0])
    return abs(ours - theirs) <= window < min(ours, theirs)


def _token_sets(name: str, original: list[str], port: list[str], *, without_case: bool) -> Iterator[Difference]:
    ours, theirs = tokens(original, without_case=without_case), tokens(port, without_case=without_case)
    if ours != theirs:
        yield Difference("header", spelled(name), "value", ", ".join(sorted(ours)), ", ".join(sorted(theirs)))


def tokens(values: Sequence[str], *, without_case: bool) -> frozenset[str]:
    """The members of a comma-separated list header, however its lines were divided."""
    members = (member.strip() for value in values for member in value.split(","))
    return frozenset(member.lower() if without_case else member for member in members if member)


def _lengths(original: Response, port: Response) -> Iterator[Difference]:
    ours, theirs = fields(original.headers).get("content-length", []), fields(port.headers).get("content-length", [])
    # Where each tells the length of its own body, the bodies' difference is the whole story.
    if original.body != port.body and _true_length(ours, original.body) and _true_length(theirs, port.body):
        return
    if ours != theirs:
        yield from _values("Content-Length", ours, theirs)
    elif ours and _lies(ours, original.body) != _lies(theirs, port.body):
        yield Difference(
            "header", "Content-Length", "value", *(_against(x, r) for x, r in ((ours, original), (theirs, port)))
        )


def _true_length(values: list[str], body: bytes) -> bool:
    return values == [str(len(body))]


def _lies(values: list[str], body: bytes) -> bool:
    # Without a body the length tells of the one that was left out: HEAD and 304 (RFC 9110, section 8.6).
    return bool(body) and not _true_length(values, body)


def _against(values: list[str], response: Response) -> str:
    return f"{listed(values)} for {len(response.body)} bytes"


def _text(values: list[str]) -> str | None:
    return listed(values) if values else None
