"""What a check found, the gravest first: each difference once, with what a person needs to see it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from contract_tests.parity.exchange import Exchange
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.signing_in import answers, refuses
from contract_tests.parity.telling import curl, hidden_values, tell, visible

# What breaks a client comes before what it might not notice.
GRAVITY = ("transport", "status", "effect", "json", "media-type", "cookie", "header", "bytes")


@dataclass(slots=True)
class Finding:
    """A difference that is not accepted. All texts have their secrets replaced."""

    fingerprint: str
    level: str
    kind: str
    original: str | None
    port: str | None
    exposes: str | None
    cases: list[str]
    curl: str
    told: str
    unguarded: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        return (not self.unguarded, self.exposes is None, self.kind == "order", GRAVITY.index(self.level))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterable[str]:
        """The finding for a person, without the whole exchange."""
        yield self.fingerprint
        if self.unguarded:
            yield "  SECURITY: the original refuses this request, and the port answers it"
        if self.exposes:
            yield f"  the {self.exposes} gives back a secret that the client sent"
        for side, value in (("original", self.original), ("port", self.port)):
            yield f"  {side:9} {'(absent)' if value is None else visible(value)[:200]}"
        yield f"  in        {', '.join(self.cases[:3])}" + (f" and {len(self.cases) - 3} more" * (len(self.cases) > 3))
        yield f"  {self.curl}"


def add_findings(told: dict[str, Finding], exchange: Exchange, case: str, secrets: Secrets) -> None:
    """Add an exchange's differences to what was found so far."""
    for difference in exchange.differences:
        fingerprint = secrets.hide(difference.fingerprint(exchange.operation))
        # One fingerprint may stand for harmless requests and for one that gets in where it must not.
        known = told.get(fingerprint)
        if known is None or (not known.unguarded and _is_unguarded(difference.level, exchange)):
            original, port = hidden_values(difference, secrets)
            told[fingerprint] = Finding(
                fingerprint=fingerprint,
                level=difference.level,
                kind=difference.kind,
                original=original,
                port=port,
                exposes=_exposed(original, port),
                cases=[] if known is None else known.cases,
                curl=curl(exchange.request, origin=exchange.origin, secrets=secrets),
                told=tell(exchange, secrets=secrets),
                unguarded=_is_unguarded(difference.level, exchange),
            )
        if case not in told[fingerprint].cases:
            told[fingerprint].cases.append(case)


def _is_unguarded(level: str, exchange: Exchange) -> bool:
    """Whether the port lets in whom the original refuses: told with the status."""
    return level == "status" and refuses(exchange.original) and answers(exchange.port)


def ranked(told: dict[str, Finding]) -> list[Finding]:
    """The findings, the gravest first, otherwise in the order in which they were met."""
    return sorted(told.values(), key=lambda finding: finding.rank)


def _exposed(original: str | None, port: str | None) -> str | None:
    """The side that alone shows a secret, if one does."""
    shown = {side for side, text in (("original", original), ("port", port)) if text and "<secret:" in text}
    return shown.pop() if len(shown) == 1 else None
