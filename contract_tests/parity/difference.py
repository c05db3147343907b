"""What two outcomes of one request do not share is a value: it sorts, hashes and prints alike on every run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

LEVELS = ("transport", "status", "media-type", "header", "cookie", "json", "effect", "bytes")
KINDS = ("missing", "extra", "type", "value", "order", "count", "binding")

_QUOTED_OR_INDEX = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]')
_DIGITS = re.compile(r"(\d+)")


@total_ordering
@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the original and the port do not share (docs/parity.md#what-is-compared).

    `level` is one of LEVELS and `kind` one of KINDS. `path` is a header's name, a cookie's
    `name.attribute`, a JSON path such as `$.items[0].price`, a `table.column`, "status", "failure" or
    "body".
    `original` and `port` are the exact texts on each side (JSON as it was written, strings with
    their quotes), None where that side has nothing.
    """

    level: str
    path: str
    kind: str
    original: str | None
    port: str | None

    @property
    def pattern(self) -> str:
        """The path with every array index as `[*]`: the path's part of a fingerprint."""
        if self.level != "json":
            return self.path
        return _QUOTED_OR_INDEX.sub(lambda part: part[0] if part[0].startswith('["') else "[*]", self.path)

    def fingerprint(self, operation: str) -> str:
        """What stays the same when only the values change: operation, level, pattern and kind."""
        return f"{operation} {self.level} {self.pattern} {self.kind}"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Difference):
            return NotImplemented
        return self._order() < other._order()

    def __str__(self) -> str:
        return f"{self.level} {self.path} {self.kind} {_shown(self.original)} -> {_shown(self.port)}"

    def _order(self) -> tuple[object, ...]:
        # Indexes sort as numbers: [2] comes before [10].
        natural = [_natural(part) for part in _DIGITS.split(self.path)]
        level = LEVELS.index(self.level) if self.level in LEVELS else len(LEVELS)
        return (level, natural, self.path, self.kind, self.level, _sortable(self.original), _sortable(self.port))


def _natural(part: str) -> tuple[int, str]:
    # A key may have more digits than Python makes a number of: the longer of two numbers is the greater.
    plain = part.lstrip("0")
    return (len(plain), plain) if part.isdecimal() else (-1, part)


def _sortable(text: str | None) -> tuple[bool, str]:
    return (text is not None, text or "")


def _shown(text: str | None) -> str:
    return "(absent)" if text is None else text
