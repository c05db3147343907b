"""An accepted difference is shown with the ledger's word for it, never dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .difference import Difference
from .exchange import Exchange
from .exhibits import cut, exhibit
from .findings import exposed_by
from .folding import folded
from .ledger import Entry
from .messages import Response
from .secrets import Secrets
from .telling import hidden_values


@dataclass(slots=True)
class Settled:
    """A difference that an entry of the ledger accepts. All texts have their secrets replaced."""

    fingerprint: str
    level: str
    kind: str
    original: str | None
    port: str | None
    reason: str
    decision: str
    owner: str
    exchange: dict[str, Any]
    count: int = 0
    cases: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        names = ("fingerprint", "level", "kind", "reason", "decision", "owner", "count", "cases", "sources")
        values = {side: cut(value) for side, value in (("original", self.original), ("port", self.port))}
        return {name: getattr(self, name) for name in names} | values


def following(
    entries: Mapping[Difference, Entry],
    differences: Sequence[Difference],
    original: Response,
    port: Response,
    secrets: Secrets,
) -> dict[Difference, Entry]:
    """What follows in one exchange from differences whose entries accept that; a secret that is shown never does."""
    apart = [each for each in differences if exposed_by(each, secrets)]
    under = folded(differences, original, port, apart=apart)
    return {
        each: entries[leader]
        for each, leader in under.items()
        if each not in entries and leader in entries and entries[leader].follows
    }


def add_settled(known: dict[str, Settled], exchange: Exchange, case: str, secrets: Secrets, source: str) -> None:
    """Add the accepted differences of an exchange to those met so far, by fingerprint."""
    for difference, entry in exchange.accepted:
        fingerprint = secrets.hide(difference.fingerprint(exchange.operation))
        if fingerprint not in known:
            shown = exhibit(exchange, secrets)
            original, port = hidden_values(difference, secrets)
            known[fingerprint] = Settled(
                fingerprint,
                difference.level,
                difference.kind,
                original,
                port,
                entry.reason,
                entry.decision,
                entry.owner,
                shown,
            )
        settled = known[fingerprint]
        settled.count += 1
        if case and settled.cases[-1:] != [case]:
            settled.cases.append(case)
        if source and source not in settled.sources:
            settled.sources.append(source)
