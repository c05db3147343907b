"""What a run has reached: each operation with the statuses and media types that its original answered, by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any, NamedTuple

from .difference import LEVELS
from .exchange import Exchange
from .media_types import essence


class Reached(NamedTuple):
    """What the original answered, and which source of cases asked for it."""

    operation: str
    status: int
    media_type: str
    source: str


class Coverage:
    """Counts exchanges. A level is masked where an accepted difference stood at it, or times of two clocks: nothing
    new can be seen there.
    """

    def __init__(self) -> None:
        self._counts: Counter[Reached] = Counter()
        self._masked: dict[Reached, set[str]] = {}

    def add(self, exchange: Exchange, source: str) -> None:
        media_type = essence((exchange.original.header("Content-Type") or b"").decode("latin-1"))
        reached = Reached(exchange.operation, exchange.original.status, media_type, source)
        self._counts[reached] += 1
        masked = {difference.level for difference, _ in exchange.accepted} | {each.level for each in exchange.times}
        if masked:
            self._masked.setdefault(reached, set()).update(masked)

    def merge(self, other: Coverage) -> None:
        """Add what another run of the same two apps has reached."""
        self._counts.update(other._counts)
        for reached, levels in other._masked.items():
            self._masked.setdefault(reached, set()).update(levels)

    def of_source(self, source: str) -> int:
        """How many requests a source sent."""
        return sum(count for reached, count in self._counts.items() if reached.source == source)

    def asked(self, operation: str, source: str) -> int:
        """How many requests a source sent to an operation."""
        return sum(
            count
            for reached, count in self._counts.items()
            if (reached.operation, reached.source) == (operation, source)
        )

    def only_refused(self, operations: Collection[str]) -> list[str]:
        """The operations of which no source met anything but refusals (4xx), or nothing at all."""
        good = {reached.operation for reached in self._counts if not 400 <= reached.status < 500}
        return [name for name in operations if name not in good]

    def as_json(self) -> list[dict[str, Any]]:
        """A row for each, in the order of operations and statuses."""
        return [
            {**reached._asdict(), "count": count, "levels_masked": self._levels(reached)}
            for reached, count in sorted(self._counts.items())
        ]

    def _levels(self, reached: Reached) -> list[str]:
        masked = self._masked.get(reached, set())
        return [level for level in LEVELS if level in masked] + sorted(masked - set(LEVELS))
