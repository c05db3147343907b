"""A time may differ only as a time: each side's text has its format to the letter, and the moments lie together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from .http_dates import instant

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_DIGIT, _NAME = re.compile(r"\d"), re.compile(r"[A-Z][a-z]{2}")
_UNIX = re.compile(r"\d{1,11}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class TimeClass:
    """`{ class = "time" }` of a ledger entry.

    `format` is "rfc3339", "http-date" (IMF-fixdate), "unix" (seconds) or a strptime pattern; without
    it any of the three. `window` is how far, in seconds, the two sides' moments may lie apart.
    Only two formats that are given, and are not the same, let the two sides be written otherwise: a space
    for the T, another way to write the zone and another number of digits are a changed format.
    """

    format: str | None = None
    window: float = 2.0

    @classmethod
    def of(cls, table: Mapping[str, object]) -> TimeClass:
        """Read the table of an entry. Raises ValueError."""
        unknown = sorted(table.keys() - {"class", "format", "window"})
        if unknown:
            raise ValueError(f"unknown key {', '.join(unknown)}")
        if table.get("class") != "time":
            raise ValueError(f"class {table.get('class')!r} is not known; there is 'time'")
        form, window = table.get("format"), table.get("window", 2.0)
        if form is not None and (not isinstance(form, str) or (form not in _FORMATS and "%" not in form)):
            raise ValueError(f"format {form!r} is none of {' '.join(_FORMATS)} and no strptime pattern")
        if isinstance(window, bool) or not isinstance(window, (int, float)) or not 0 <= window < float("inf"):
            raise ValueError(f"window {window!r} is no number of seconds")
        return cls(form, float(window))

    def moment(self, text: str | None) -> float | None:
        """Seconds since the epoch of a text in exactly this format; None for any other text."""
        plain = _plain(text or "")
        if self.format is None:
            return next((moment for read in _FORMATS.values() if (moment := read(plain)) is not None), None)
        return _FORMATS[self.format](plain) if self.format in _FORMATS else _by_pattern(plain, self.format)


Given = str | TimeClass | None


def alike(original: Given, original_text: str | None, port: Given, port_text: str | None) -> bool:
    """Whether two texts are what an entry gives for each side; None gives nothing and matches all."""
    if not _is(original, original_text) or not _is(port, port_text):
        return False
    if isinstance(original, TimeClass) and isinstance(port, TimeClass):
        return _together(original, original_text, port, port_text)
    return True


def _is(given: Given, text: str | None) -> bool:
    if isinstance(given, TimeClass):
        return given.moment(text) is not None
    return given is None or given == text


def _together(original: TimeClass, original_text: str | None, port: TimeClass, port_text: str | None) -> bool:
    ours, theirs = original.moment(original_text), port.moment(port_text)
    if ours is None or theirs is None or abs(ours - theirs) > min(original.window, port.window):
        return False
    return _apart(original.format, port.format) or _shape(original_text) == _shape(port_text)


def _apart(original: str | None, port: str | None) -> bool:
    """Whether each side is held to a format of its own; a pattern holds both to the letter."""
    return None not in (original, port) and (original != port or original not in _FORMATS)


def _shape(text: str | None) -> str:
    """How a time is written, whichever it is: its digits and the names of its day and month folded."""
    plain = _plain(text or "")
    if _UNIX.fullmatch(plain):
        # How many digits a float has is chance.
        return "0.0" if "." in plain else "0"
    return _NAME.sub("Abc", _DIGIT.sub("0", plain))


def _plain(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _rfc_3339(text: str) -> float | None:
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return _seconds(datetime.fromisoformat(text))
    except ValueError:
        return None


def _unix(text: str) -> float | None:
    return float(text) if _UNIX.fullmatch(text) else None


def _by_pattern(text: str, pattern: str) -> float | None:
    try:
        moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - the pattern may have a zone; without one it is UTC
    except ValueError:
        return None
    # strptime is lenient (one digit for two): written again, the text must come out as it was.
    return _seconds(moment) if moment.strftime(pattern) == text else None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_FORMATS: dict[str, Callable[[str], float | None]] = {"rfc3339": _rfc_3339, "http-date": instant, "unix": _unix}


def are_seconds_apart(original: str | None, port: str | None) -> bool:
    """Whether two texts of JSON are times of one form, the port's, which is asked second, up to two seconds later."""
    if not (original or "").startswith('"') or not (port or "").startswith('"'):
        return False
    ours, theirs = TimeClass().moment(original), TimeClass().moment(port)
    later = ours is not None and theirs is not None and ours < theirs
    return later and _together(TimeClass(), original, TimeClass(), port)
