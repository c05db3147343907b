"""What a run saw is counted: operation, status, media type and source, and what was masked there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.exchange import Exchange

Cell = tuple[str, str, str, str]


@dataclass(slots=True)
class Coverage:
    """How often each operation was answered by each status and media type, by the source that asked."""

    counts: Counter[Cell] = field(default_factory=Counter)
    masked: dict[Cell, set[str]] = field(default_factory=dict)

    def saw(self, exchange: Exchange, source: str) -> None:
        """Count an exchange by what the original answered."""
        answer = exchange.original
        media = (answer.header("Content-Type") or b"").partition(b";")[0].strip().decode("latin-1").lower()
        cell = (exchange.operation, str(answer.failure or answer.status), media, source)
        self.counts[cell] += 1
        if exchange.accepted:
            self.masked.setdefault(cell, set()).update(difference.level for difference, _ in exchange.accepted)

    def add(self, other: Coverage) -> None:
        self.counts += other.counts
        for cell, levels in other.masked.items():
            self.masked.setdefault(cell, set()).update(levels)

    def of_source(self, source: str) -> int:
        """How many requests a source sent."""
        return sum(count for cell, count in self.counts.items() if cell[3] == source)

    def only_refused(self, operations: Collection[str]) -> list[str]:
        """The operations of which no source met anything but refusals (4xx) or nothing at all."""
        good = {cell[0] for cell in self.counts if not cell[1].startswith("4")}
        return [name for name in operations if name not in good]

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "operation": cell[0],
                "status": cell[1],
                "media_type": cell[2],
                "source": cell[3],
                "count": count,
                "levels_masked": sorted(self.masked.get(cell, ())),
            }
            for cell, count in self._sorted()
        ]

    def _sorted(self) -> Iterator[tuple[Cell, int]]:
        yield from sorted(self.counts.items())
