"""Which part of a file answers a request, as Werkzeug decides it: preconditions and ranges, over plain values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Gives all fields of a name (in lower case) as one, or None where the request has none.
Field = Callable[[bytes], str | None]

ETAG = re.compile(r'[ \t]*([Ww]/)?(?:"([^"]*)"|([^" \t,]+))[ \t]*(?:,|\Z)', re.ASCII)
INTEGER = re.compile(r"-?[0-9]+", re.ASCII)


class Unsatisfiable(Exception):
    """The request has a Range that Werkzeug answers with 416: none, several, beyond the end, or of another unit."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What could be sent: its size in bytes, its entity tag without quotes, and its Last-Modified."""

    size: int
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """What is sent of it: a status (200, 206, 304 or 412), and the bytes from `start` to before `stop`."""

    status: int
    start: int
    stop: int


def select(whole: Whole, field: Field) -> Selected:
    """What a GET or HEAD gets. Raises Unsatisfiable.

    Werkzeug looks at Range first, so that one that fits is a 206 whatever If-None-Match says; If-Match that does not
    fit is a 412 with the whole file for its body; and `If-Match: *` never fits.
    """
    asked = field(b"range")
    if whole.size and asked is not None and (field(b"if-range") is None or not is_modified(whole, field, ranged=True)):
        start, stop = one_range(asked, whole.size)
        return Selected(206, start, stop)
    if is_modified(whole, field):
        return Selected(200, 0, whole.size)
    return Selected(412 if Tags.of(field(b"if-match")) else 304, 0, whole.size)


def is_modified(whole: Whole, field: Field, *, ranged: bool = False) -> bool:
    """Whether the client has another file than this, by the fields it sent; If-Range counts where `ranged`."""
    condition = field(b"if-range") if ranged else None
    since = date_of(condition) or date_of(field(b"if-modified-since"))
    changed = date_of(whole.last_modified)
    unmodified = since is not None and changed is not None and changed <= since
    if whole.etag is not None:
        if condition and date_of(condition) is None:
            return unquoted(condition) != whole.etag
        if known := Tags.of(field(b"if-none-match")):
            unmodified = known.star or whole.etag in known.strong | known.weak
        if wanted := Tags.of(field(b"if-match")):
            unmodified = whole.etag not in wanted.strong
    return not unmodified


@dataclass(frozen=True, slots=True)
class Tags:
    """The entity tags of a field, without their quotes; false where there are none."""

    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    star: bool = False

    def __bool__(self) -> bool:
        return bool(self.strong or self.weak or self.star)

    @classmethod
    def of(cls, field: str | None) -> Tags:
        """A list of tags; what is none is left out up to the next comma, and a tag without quotes is one."""
        if not field or field == "*":
            return cls(star=bool(field))
        found: dict[bool, set[str]] = {True: set(), False: set()}
        position = 0
        while True:
            if tag := ETAG.match(field, position):
                position = tag.end()
                found[tag[1] is not None].add(tag[2] or tag[3] or "")
            elif (position := field.find(",", position) + 1) == 0:
                return cls(frozenset(found[False]), frozenset(found[True]))


def one_range(field: str, size: int) -> tuple[int, int]:
    """The first byte that a Range asks for and the one after the last. Raises Unsatisfiable."""
    unit, separator, ranges = field.partition("=")
    if not separator or unit.strip(" \t").lower() != "bytes":
        raise Unsatisfiable
    # Several ranges, with commas between them, are no integers.
    asked = ranges.strip(" \t")
    first, dash, last = asked.partition("-")
    try:
        if dash and not first:
            start, stop = size + integer(asked), size
        else:
            start, stop = integer(first), integer(last) + 1 if last.strip(" \t") else size
    except ValueError:
        raise Unsatisfiable from None
    if not dash or not 0 <= start < min(stop, size):
        raise Unsatisfiable
    return start, min(stop, size)


def integer(text: str) -> int:
    """An integer in ASCII digits. Raises ValueError."""
    digits = text.strip(" \t")
    if INTEGER.fullmatch(digits) is None:
        raise ValueError
    return int(digits)


def date_of(field: str | None) -> datetime | None:
    """A date in one of the forms of mail, taken for UTC where it names no zone; None for anything else."""
    if field is None:
        return None
    try:
        moment = parsedate_to_datetime(field)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def unquoted(tag: str) -> str:
    """One entity tag without its quotes and its mark of weakness."""
    rest = tag[2:] if tag.startswith(("W/", "w/")) else tag
    # As Werkzeug reads it: a lone quote is both quotes.
    return rest[1:-1] if rest.startswith('"') and rest.endswith('"') else rest
