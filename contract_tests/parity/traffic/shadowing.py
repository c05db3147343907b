"""What two apps answered to the same mirrored requests is compared as live answers are: one engine, ids, one ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from contract_tests.parity.binding import Bindings, Declared, Inconclusive
from contract_tests.parity.compare import compare
from contract_tests.parity.difference import Difference
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.findings import Finding, add_findings, ranked
from contract_tests.parity.ledger import Entry, Ledger
from contract_tests.parity.media_types import is_json
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.verdict import Run

from .exchanges import Recorded
from .join import DISCONNECTED, Join

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SOURCE = "recorded"
_TOLD = 5

UNSAFE = "of unsafe methods"
OTHERWISE = "that asked the two for different things"
FOREIGN = "whose ids or session are the original's, and not the port's"
AMBIGUOUS = "with ambiguous ids"
GONE = "whose client went away"
LATE = "too far apart in time"
REPEATED = "whose id is not unique"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is compared: `safe` are operations declared safe, `window` is in seconds, `at_least` in percent."""

    safe: frozenset[str] = frozenset()
    own_database: bool = False
    window: float = 10.0
    at_least: float = 90.0


@dataclass(slots=True)
class Seen:
    """How much of a route was seen. `of_interest` is what the original has, less what may not be compared."""

    original: int = 0
    port: int = 0
    of_interest: int = 0
    compared: int = 0
    different: int = 0
    missing: int = 0
    missing_on_original: int = 0


@dataclass(slots=True)
class Shadow:
    """Compares the pairs of a join, and counts by route what there was."""

    joined: Join
    ledger: Ledger
    terms: Terms
    run: Run
    seen: dict[str, Seen] = field(default_factory=dict)
    found: dict[str, Finding] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    secrets: Secrets = field(default_factory=Secrets)
    bindings: Bindings = field(init=False)

    def __post_init__(self) -> None:
        self.bindings = Bindings(Declared.of(self.ledger.bind))

    def compare(self, exchanges: tuple[Iterable[Recorded], Iterable[Recorded]]) -> Run:
        """Compare every pair; `exchanges` are all of both sides. Gives the run with its verdict."""
        self._count(*exchanges)
        apart = self.joined.apart
        for ours, theirs in self.joined.pairs:
            self._pair(ours, theirs, late=abs(theirs.time - ours.time - apart) > self.terms.window)
        self._conclude(apart)
        return self.run

    def _count(self, original: Iterable[Recorded], port: Iterable[Recorded]) -> None:
        for side, exchanges in (("original", original), ("port", port)):
            for exchange in exchanges:
                seen = self._seen(exchange)
                setattr(seen, side, getattr(seen, side) + 1)
                if side == "original" and self._may_compare(exchange):
                    seen.of_interest += exchange.response.failure != DISCONNECTED
        for exchange in self.joined.only_original:
            self._seen(exchange).missing += self._may_compare(exchange)
        for exchange in self.joined.only_port:
            self._seen(exchange).missing_on_original += 1
        self.left_out[REPEATED] += sum(max(counts) for counts in self.joined.repeated.values())

    def _seen(self, exchange: Recorded) -> Seen:
        return self.seen.setdefault(self.bindings.operation(exchange.request), Seen())

    def _may_compare(self, exchange: Recorded) -> bool:
        operation = self.bindings.operation(exchange.request)
        return exchange.request.method in SAFE or self.terms.own_database or operation in self.terms.safe

    def _pair(self, ours: Recorded, theirs: Recorded, *, late: bool) -> None:
        why = self._why_not(ours, theirs, late=late)
        if why is not None:
            self.left_out[why] += 1
            return
        self.secrets.learn(ours.request)
        original, port = comparable(ours, theirs)
        learned = self.bindings.learn(ours.request, original, port)
        found = {*compare(original, learned.port, received=(ours.received, theirs.received)), *learned.differences}
        if _longer(ours, theirs):
            found.add(Difference("bytes", "length", "value", str(ours.length), str(theirs.length)))
        self._judge(ours, theirs, sorted(found))

    def _why_not(self, ours: Recorded, theirs: Recorded, *, late: bool) -> str | None:
        if not self._may_compare(ours):
            return UNSAFE
        if DISCONNECTED in (ours.response.failure, theirs.response.failure):
            return GONE
        if late:
            return LATE
        try:
            translated = replace(ours, request=self.bindings.translate(ours.request))
        except Inconclusive:
            return AMBIGUOUS
        if _asked(translated, theirs) == _asked(theirs, translated):
            return None
        return FOREIGN if _asked(ours, theirs) == _asked(theirs, ours) else OTHERWISE

    def _judge(self, ours: Recorded, theirs: Recorded, found: list[Difference]) -> None:
        operation = self.bindings.operation(ours.request)
        new: list[Difference] = []
        accepted: list[tuple[Difference, Entry]] = []
        for difference in found:
            entry = self.ledger.accepts(operation, difference, source=SOURCE)
            new.append(difference) if entry is None else accepted.append((difference, entry))
        host = next((value for name, value in ours.request.headers if name.lower() == b"host"), b"localhost")
        exchange = Exchange(
            operation, ours.request, theirs.request, ours.response, theirs.response, tuple(new), tuple(accepted),
            f"http://{host.decode('latin-1')}",
        )  # fmt: skip
        add_findings(self.found, exchange, ours.key, self.secrets)
        for _, entry in accepted:
            self.run.accepted[str(entry)] = self.run.accepted.get(str(entry), 0) + 1
        seen = self.seen[operation]
        seen.compared += 1
        seen.different += bool(new)
        self.run.count(operation, "both", "failed" if new else "passed")

    def _conclude(self, apart: float) -> None:
        run, terms = self.run, self.terms
        if abs(apart) > terms.window:
            run.down.append(
                f"the clocks are {abs(apart):.1f} s apart (--window {terms.window:g}): times cannot be compared"
            )
        wanted = sum(seen.of_interest for seen in self.seen.values())
        compared = sum(seen.compared for seen in self.seen.values())
        share = 100 * compared / wanted if wanted else 0.0
        if share < terms.at_least:
            run.down.append(
                f"{compared} of the original's {wanted} requests are compared, {share:.0f} % "
                f"(--at-least {terms.at_least:g})"
            )
        unseen = [name for name, seen in self.seen.items() if seen.of_interest and not seen.compared]
        if unseen:
            more = f" and {len(unseen) - _TOLD} more" * (len(unseen) > _TOLD)
            run.notes.append(f"never compared: {', '.join(unseen[:_TOLD])}{more}")
        if not self.joined.told_apart:
            run.notes.append("secrets not compared, for the two recordings have no key in common")
        run.left_out.update({f"requests {why}": number for why, number in self.left_out.items() if number})
        run.differences = {finding.fingerprint: finding for finding in self.findings()}
        # Traffic need not hold each accepted difference: that one did not occur makes it not stale.
        run.ledger += [f"expired: {entry}" for entry in self.ledger.expired(datetime.now(UTC).date())]

    def findings(self) -> list[Finding]:
        """What was found, the gravest first."""
        return ranked(self.found)


def comparable(ours: Recorded, theirs: Recorded) -> tuple[Response, Response]:
    """The two responses as far as both bodies are known: a part of a JSON text is none, so of that nothing."""
    original, port = ours.response, theirs.response
    if not (ours.cut or theirs.cut):
        return original, port
    kind = (original.header("content-type") or port.header("content-type") or b"").decode("latin-1")
    known = 0 if is_json(kind) else min(len(original.body), len(port.body))
    return replace(original, body=original.body[:known]), replace(port, body=port.body[:known])


def _longer(ours: Recorded, theirs: Recorded) -> bool:
    """Whether bodies that are known in part have lengths that tell them apart; JSON has ids of unlike widths in it."""
    if not (ours.cut and theirs.cut) or None in (ours.length, theirs.length):
        return False
    kind = (ours.response.header("content-type") or b"").decode("latin-1")
    return ours.length != theirs.length and not is_json(kind)


def _asked(this: Recorded, other: Recorded) -> tuple[object, ...]:
    """What an app was asked, as far as it is known of both: a mirror sends the same, with the same credentials."""
    request: Request = this.request
    who = tuple(value for name, value in request.headers if name.lower() in (b"cookie", b"authorization"))
    body = None if this.request_cut or other.request_cut else request.body
    return request.method, request.target, who, body


def names(original: Path, port: Path) -> dict[str, str]:
    """Who answered, for the verdict line: the recordings."""
    return {"original": str(original), "port": str(port)}
