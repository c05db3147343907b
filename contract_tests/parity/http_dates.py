"""A date on the wire is valid only as an IMF-fixdate whose weekday is the date's own (RFC 9110, section 5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IMF_FIXDATE = re.compile(
    rf"({'|'.join(_DAYS)}), ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}}) GMT"
)


def instant(text: str) -> float | None:
    """Seconds since the epoch of an IMF-fixdate; None for any other text, and for days that do not exist."""
    # By hand, as strptime's names of days and months follow the locale.
    found = _IMF_FIXDATE.fullmatch(text)
    if found is None:
        return None
    weekday, day, month, *rest = found.groups()
    year, hour, minute, second = map(int, rest)
    try:
        moment = datetime(year, _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() if _DAYS[moment.weekday()] == weekday else None
