"""A cause: what one change of the port would close, with every difference that it shows in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from .difference import Difference
from .exhibits import cut
from .pieces import Piece
from .reason import Reason


@dataclass(frozen=True, slots=True)
class Mark:
    """What a cause is seen by in one exchange: `values` are both sides' where there are few, such as two statuses.

    Marks are one where these three are; `difference` is the one that was seen there.
    """

    fingerprint: str
    reason: Reason
    values: tuple[str | None, str | None] | None
    difference: Difference = field(compare=False)


@dataclass(slots=True)
class Cause:
    """Differences that have one reason, with what follows from them. All texts have their secrets replaced.

    `fingerprints` and `folded` are fingerprints, each once and in the order in which they were met; `operations` counts
    exchanges, `plain` the sightings that have another reason were their request a usual one, and `values` has the pairs
    of values of differences that have few. `original`, `port`, `exchange` and `curl` are those of the first difference.
    """

    reason: Reason
    level: str
    original: str | None = None
    port: str | None = None
    exposes: str | None = None
    cases: list[str] = field(default_factory=list)
    curl: str = ""
    gravity: tuple[int, ...] = ()
    exchange: dict[str, Any] | None = None
    operations: Counter[str] = field(default_factory=Counter)
    sources: dict[str, None] = field(default_factory=dict)
    fingerprints: dict[str, None] = field(default_factory=dict)
    folded: dict[str, Reason] = field(default_factory=dict)
    values: dict[str, dict[tuple[str | None, str | None], None]] = field(default_factory=dict)
    closes: Piece | None = None
    after: Counter[Reason] = field(default_factory=Counter)
    # Operations on other things than were written, whose values differ behind the write.
    elsewhere: dict[str, None] = field(default_factory=dict)
    plain: Counter[Reason] = field(default_factory=Counter)
    seen: int = 0

    @property
    def title(self) -> str:
        """What a person is told: the operation too, where it is the only one."""
        if len(self.operations) != 1:
            return self.reason.title
        (operation,) = self.operations
        return f"{operation}: {self.reason.title}"

    def take(self, other: Cause) -> None:
        """Add what another cause has seen."""
        self.operations.update(other.operations)
        self.after.update(other.after)
        self.elsewhere |= other.elsewhere
        self.plain.update(other.plain)
        self.seen += other.seen
        self.cases += [case for case in other.cases if case not in self.cases]
        self.sources |= other.sources
        self.fingerprints |= other.fingerprints
        self.folded |= other.folded
        for fingerprint, pairs in other.values.items():
            self.values.setdefault(fingerprint, {}).update(pairs)
        self.gravity = min(self.gravity, other.gravity)
        self.exposes = self.exposes or other.exposes

    def copied(self) -> Cause:
        """A copy that may be joined with others: the original keeps gathering."""
        return replace(
            self,
            cases=list(self.cases),
            operations=Counter(self.operations),
            sources=dict(self.sources),
            fingerprints=dict(self.fingerprints),
            folded=dict(self.folded),
            values={fingerprint: dict(pairs) for fingerprint, pairs in self.values.items()},
            after=Counter(self.after),
            elsewhere=dict(self.elsewhere),
            plain=Counter(self.plain),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "reason": self.reason.name,
            "level": self.level,
            "original": cut(self.original),
            "port": cut(self.port),
            "exposes": self.exposes,
            "operations": dict(self.operations),
            "fingerprints": list(self.fingerprints),
            "values": {fingerprint: list(pairs) for fingerprint, pairs in self.values.items()},
            "folded": [each for each in self.folded if each not in self.fingerprints],
            "cases": self.cases,
            "sources": list(self.sources),
            "curl": self.curl,
            "closes": self.closes.as_json() if self.closes else None,
        }
