"""Conditional and range requests (RFC 9110 sections 13 and 14): which part of a representation answers, if any."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from shared_core.errors import Changed, OutOfRange

CHANGED = "The file is not the one that the request is about."
OUT_OF_RANGE = "The file has no such part."

_ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
# Longer numbers are beyond every file, and slow to read.
_LONGEST_NUMBER = 18

# Gives the value of a header field by its name, None where the request has none.
Field = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Representation:
    """What could be sent whole: a strong entity tag with its quotes, when it last changed, and its bytes."""

    etag: str
    last_modified: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Selected:
    """What is sent of it: a status (200, 206 or 304), the bytes from `start` to before `stop`, and their headers."""

    status: int
    start: int
    stop: int
    headers: tuple[tuple[str, str], ...]


def select(whole: Representation, *, method: str, field: Field) -> Selected:
    """What a GET or HEAD gets. Raises Changed (its precondition fails) or OutOfRange (no byte of the range is there).

    A range of another unit, several ranges, and what is no range at all are ignored, as section 14.2 allows.
    """
    etag = ("ETag", whole.etag)
    _check_preconditions(whole, field)
    if _is_known(whole, field):
        return Selected(304, 0, 0, (etag,))
    headers = (etag, ("Last-Modified", http_date(whole.last_modified)), ("Accept-Ranges", "bytes"))
    asked = _range(whole, field) if method == "GET" else None
    if asked is None:
        return Selected(200, 0, whole.size, headers)
    start, stop = asked
    return Selected(206, start, stop, (*headers, ("Content-Range", f"bytes {start}-{stop - 1}/{whole.size}")))


def http_date(moment: datetime) -> str:
    """A time as IMF-fixdate (section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _check_preconditions(whole: Representation, field: Field) -> None:
    if (wanted := field("If-Match")) is not None:
        if not _lists(wanted, whole.etag, weakly=False):
            raise Changed(CHANGED)
    elif (moment := _date(field("If-Unmodified-Since"))) is not None and _second(whole.last_modified) > moment:
        raise Changed(CHANGED)


def _is_known(whole: Representation, field: Field) -> bool:
    if (known := field("If-None-Match")) is not None:
        return _lists(known, whole.etag, weakly=True)
    moment = _date(field("If-Modified-Since"))
    return moment is not None and _second(whole.last_modified) <= moment


def _range(whole: Representation, field: Field) -> tuple[int, int] | None:
    found = _RANGE.fullmatch(field("Range") or "")
    if found is None or found[1] == found[2] == "" or not _still_whole(whole, field("If-Range")):
        return None
    if max(len(found[1]), len(found[2])) > _LONGEST_NUMBER:
        raise OutOfRange(OUT_OF_RANGE, size=whole.size)
    if not found[1]:
        start, stop = max(0, whole.size - int(found[2])), whole.size
    else:
        start, stop = int(found[1]), min(int(found[2]) + 1 if found[2] else whole.size, whole.size)
        if found[2] and int(found[2]) < int(found[1]):
            return None
    if start >= stop:
        raise OutOfRange(OUT_OF_RANGE, size=whole.size)
    return start, stop


def _still_whole(whole: Representation, if_range: str | None) -> bool:
    """If-Range: the part is wanted only of what the client has the rest of; compared strongly (section 13.1.5)."""
    if if_range is None:
        return True
    return if_range.strip() in {whole.etag, http_date(whole.last_modified)}


def _lists(field: str, etag: str, *, weakly: bool) -> bool:
    if field.strip() == "*":
        return True
    tags = {tag[0] for tag in _ENTITY_TAG.finditer(field)}
    return etag in (tags | {tag.removeprefix("W/") for tag in tags} if weakly else tags)


def _date(field: str | None) -> datetime | None:
    """A date that can be read; another is ignored (sections 13.1.3 and 13.1.4)."""
    try:
        moment = parsedate_to_datetime(field or "")
    except (ValueError, OverflowError):  # the latter for a number of hundreds of digits
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _second(moment: datetime) -> datetime:
    # Dates on the wire have no fraction.
    return moment.replace(microsecond=0)
