"""What a check found, the gravest first: each difference once, with what a person needs to see it again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.difference import Difference
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.exhibits import cut, exhibit
from contract_tests.parity.folding import name_of
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.signing_in import answers, refuses
from contract_tests.parity.telling import curl, hidden_values, tell, visible

# What breaks a client comes before what it might not notice.
GRAVITY = ("transport", "status", "effect", "json", "media-type", "cookie", "header", "bytes")
_SECURITY = ("secret", "guard", "open-redirect")
_PASSWORD = re.compile(r"pass(word|wd|phrase)|pwd", re.IGNORECASE)


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
    exchange: dict[str, Any] | None = None
    sources: list[str] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, ...]:
        return (not self.unguarded, self.exposes is None, self.kind == "order", GRAVITY.index(self.level))

    def as_json(self) -> dict[str, Any]:
        """All but the telling, which is made of the exchange; long values are cut."""
        names = ("fingerprint", "level", "kind", "exposes", "unguarded", "cases", "sources", "curl")
        values = {side: cut(value) for side, value in (("original", self.original), ("port", self.port))}
        return {name: getattr(self, name) for name in names} | values

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


def add_findings(
    told: dict[str, Finding], exchange: Exchange, case: str, secrets: Secrets, *, source: str = ""
) -> None:
    """Add an exchange's differences to what was found so far; `source` is where its case comes from."""
    shown: dict[str, Any] = {}
    whole = ""
    for difference in exchange.differences:
        fingerprint = secrets.hide(difference.fingerprint(exchange.operation))
        # One fingerprint may stand for harmless requests and for one that gets in where it must not.
        known = told.get(fingerprint)
        if known is None or (not known.unguarded and _is_unguarded(difference.level, exchange)):
            # Once for all differences of an exchange; the report, too, has it once.
            whole = whole or tell(exchange, secrets=secrets)
            shown = shown or exhibit(exchange, secrets)
            original, port = hidden_values(difference, secrets)
            told[fingerprint] = Finding(
                fingerprint=fingerprint,
                level=difference.level,
                kind=difference.kind,
                original=original,
                port=port,
                exposes=exposed_by(difference, secrets),
                cases=[] if known is None else known.cases,
                curl=curl(exchange.request, origin=exchange.origin, secrets=secrets),
                told=whole,
                unguarded=_is_unguarded(difference.level, exchange),
                exchange=shown,
            )
        # Cases come one after another: the last is the only one that may be here already.
        if told[fingerprint].cases[-1:] != [case]:
            told[fingerprint].cases.append(case)
        if source and source not in told[fingerprint].sources:
            told[fingerprint].sources.append(source)


def _is_unguarded(level: str, exchange: Exchange) -> bool:
    """Whether the port lets in whom the original refuses: told with the status."""
    return level == "status" and refuses(exchange.original) and answers(exchange.port)


def ranked(told: dict[str, Finding]) -> list[Finding]:
    """The findings, the gravest first, otherwise in the order in which they were met."""
    return sorted(told.values(), key=lambda finding: finding.rank)


def gravity(difference: Difference, reason: str, original: int, port: int, exposes: str | None) -> tuple[int, ...]:
    """How grave a difference is, the gravest first in order: security, then what breaks a client, spellings last."""
    security = exposes is not None or reason in _SECURITY
    spelling = reason in ("key-order", "json-spelling", "json-spaces", "json-end", "text-end", "line-ends")
    # Whether a connection is kept after an odd request changes no answer.
    spelling = spelling or (difference.level, difference.path) == ("transport", "connection")
    broken = difference.level == "status" and (original < 500 <= port or (original < 400) != (port < 400))
    level = GRAVITY.index(difference.level)
    return (not security, spelling, not broken and level > 1, level, not broken)


def exposed_by(difference: Difference, secrets: Secrets) -> str | None:
    """The side that alone shows a secret that a client had sent, or a password, if one does."""
    if difference.level == "cookie" or (difference.level, difference.path) == ("header", "Location"):
        return None
    original, port = hidden_values(difference, secrets)
    shown = [
        side for side, text in (("original", original), ("port", port)) if text and _shows(difference, text, secrets)
    ]
    return shown[0] if len(shown) == 1 else None


def _shows(difference: Difference, text: str, secrets: Secrets) -> bool:
    if "<secret:" not in text:
        return False
    return secrets.tells_sent(text) or (difference.level == "json" and bool(_PASSWORD.search(name_of(difference.path))))
