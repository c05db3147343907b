"""From all differences of a run to their causes: what one change of the port would close is told once, none is lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from .cause import Cause, Mark
from .difference import Difference
from .exchange import Exchange
from .exhibits import exhibit
from .findings import Finding, exposed_by, gravity
from .folding import folded, is_count, is_identity
from .joining import (
    adopt,
    error_bodies,
    fold_after_writes,
    fold_heads,
    fold_unguarded,
    fold_usual,
    join,
    many_words,
    same_words,
    stale_groups,
)
from .peculiar import of_request
from .pieces import closing
from .reason import Reason
from .reasons import Seen, reason_of
from .secrets import Secrets
from .segments import segment_of
from .settled import Settled, add_settled
from .stale import Told
from .telling import curl, hidden_values

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_INVALID = frozenset({400, 422})
_LARGEST = 100_000
_OF_STATE = frozenset({404, 409, 410, 412})
_FEW_VALUES = frozenset({"status", "media-type"})


class Causes:
    """Gathers causes, exchange by exchange."""

    def __init__(self) -> None:
        self.settled: dict[str, Settled] = {}
        self._found: dict[Reason, Cause] = {}
        # In each case the first write that one side alone has made, or both by other ids.
        self._written: dict[str, _Written] = {}
        # What was read where no such write was before: what differs there is known by that.
        self._asked: set[str] = set()
        # Operations of which both sides refuse some body for what it holds.
        self._refusing: set[str] = set()
        self._told = Told()
        self._unusual: dict[str, str] = {}

    def add(self, exchange: Exchange, case: str, secrets: Secrets, *, source: str = "") -> tuple[Mark, ...]:
        """Add the differences of an exchange, and say which causes it shows; `source` is where its case comes from."""
        self.accept(exchange, case, secrets, source=source)
        before = self._told.stale(exchange, case)
        self._note_unusual(exchange, case)
        if case not in self._written and exchange.request.method in _SAFE and exchange.original.status < 400:
            self._asked.add(exchange.operation)
        if _is_refused_body(exchange):
            self._refusing.add(exchange.operation)
        if not exchange.differences:
            return ()
        exposed = {
            each: exposed_by(each, secrets)
            for each in exchange.differences
            if each.level in ("json", "header", "bytes")
        }
        apart = [each for each, side in exposed.items() if side]
        under = folded(exchange.differences, exchange.original, exchange.port, apart=apart)
        leaders: dict[Difference, Cause] = {}
        unusual = self._unusual.get(case)
        for difference in exchange.differences:
            if difference not in under:
                followers = tuple(each for each, leader in under.items() if leader == difference)
                seen = Seen(difference, exchange, followers, unusual)
                leaders[difference] = self._lead(seen, exposed.get(difference), case, secrets, before.get(difference))
                if source:
                    leaders[difference].sources.setdefault(source)
        for difference, leader in under.items():
            # One that follows from what follows itself stands under the first of them.
            top = leader if leader in leaders else under[leader]
            reason = reason_of(Seen(difference, exchange))
            leaders[top].folded.setdefault(_fingerprint(difference, exchange, secrets), reason)
        self._note_write(exchange, case, leaders)
        return tuple(_mark(each, exchange, secrets, leader.reason) for each, leader in leaders.items())

    def show(self, mark: Mark, exchange: Exchange, secrets: Secrets) -> None:
        """Show this exchange, the smallest one, for the cause that it shows."""
        cause = self._found[mark.reason]
        cause.original, cause.port = hidden_values(mark.difference, secrets)
        cause.exchange = exhibit(exchange, secrets)
        cause.curl = curl(exchange.request, origin=exchange.origin, secrets=secrets)

    def accept(self, exchange: Exchange, case: str, secrets: Secrets, *, source: str = "") -> None:
        """Add only the accepted differences of an exchange."""
        if exchange.accepted:
            add_settled(self.settled, exchange, case, secrets, source)

    def merge(self, other: Causes) -> None:
        """Add what another run of the same two apps has seen."""
        for fingerprint, settled in other.settled.items():
            known = self.settled.setdefault(fingerprint, settled)
            known.count += settled.count if known is not settled else 0
        self._asked |= other._asked
        self._refusing |= other._refusing
        for reason, cause in other._found.items():
            if reason in self._found:
                self._found[reason].take(cause)
            else:
                self._found[reason] = cause

    def ranked(self, findings: Mapping[str, Finding] | None = None) -> list[Cause]:
        """The causes, the gravest first. With `findings` only these differences, and each of them in some cause."""
        found = {reason: cause.copied() for reason, cause in self._found.items()}
        join(found, error_bodies(found))
        join(found, many_words(found, self._refusing))
        fold_usual(found)
        fold_unguarded(found)
        fold_heads(found)
        fold_after_writes(found, self._asked)
        # Last, since others name the reasons that are joined here.
        join(found, same_words(found))
        join(found, stale_groups(found))
        adopt(found)
        causes = list(found.values())
        if findings is not None:
            causes = _held_against(causes, findings)
        return sorted(causes, key=lambda cause: cause.gravity)

    def _lead(
        self, seen: Seen, exposes: str | None, case: str, secrets: Secrets, reason: Reason | None = None
    ) -> Cause:
        reason = reason or reason_of(seen, exposed=exposes)
        cause = self._found.get(reason) or self._first(reason, seen, exposes, secrets)
        exchange = seen.exchange
        cause.seen += 1
        cause.operations[secrets.hide(exchange.operation)] += 1
        fingerprint = _fingerprint(seen.difference, exchange, secrets)
        cause.fingerprints.setdefault(fingerprint)
        if seen.difference.level in _FEW_VALUES:
            cause.values.setdefault(fingerprint, {}).setdefault((seen.difference.original, seen.difference.port))
        # Cases come one after another: the last is the only one that may be here already.
        if cause.cases[-1:] != [case]:
            cause.cases.append(case)
        written = self._written.get(case)
        follows = written is not None and written.reason != reason and _may_follow(exchange, written)
        if reason.plain is not None and not follows:
            cause.plain[reason.plain] += 1
        if written and follows:
            cause.after[written.reason] += 1
            if not _is_akin(seen, reason, written):
                cause.elsewhere.setdefault(exchange.operation)
        return cause

    def _first(self, reason: Reason, seen: Seen, exposes: str | None, secrets: Secrets) -> Cause:
        difference, exchange = seen.difference, seen.exchange
        original, port = hidden_values(difference, secrets)
        hidden = Reason(reason.name, reason.marks, secrets.hide(reason.title))
        cause = Cause(hidden, difference.level, original, port, exposes)
        cause.exchange = exhibit(exchange, secrets)
        cause.curl = curl(exchange.request, origin=exchange.origin, secrets=secrets)
        cause.gravity = gravity(difference, reason.name, exchange.original.status, exchange.port.status, exposes)
        cause.closes = closing(reason, difference, exchange)
        self._found[reason] = cause
        return cause

    def _note_unusual(self, exchange: Exchange, case: str) -> None:
        """What was unusual in a write is so in whatever it wrote."""
        if exchange.request.method not in _SAFE and case not in self._unusual:
            unusual = of_request(exchange.request)
            if unusual is not None:
                self._unusual = {case: unusual}

    def _note_write(self, exchange: Exchange, case: str, leaders: Mapping[Difference, Cause]) -> None:
        if exchange.request.method in _SAFE or case in self._written:
            return
        if (exchange.original.status < 400) == (exchange.port.status < 400):
            # Made on both sides, but by other ids: whoever lists them later finds other elements.
            born = next((each for each in leaders if is_identity(each) and each.kind == "value"), None)
            if born is not None:
                ids = born.original, born.port
                self._written[case] = _Written(leaders[born].reason, segment_of(exchange.operation), ids)
            return
        status = next((cause for each, cause in leaders.items() if each.level == "status"), None)
        if status is not None:
            self._written[case] = _Written(status.reason, segment_of(exchange.operation))


class _Written(NamedTuple):
    """A write that the two sides do not share: its cause, its collection, and both ids of what each has made."""

    reason: Reason
    segment: str
    ids: tuple[str | None, str | None] | None = None


def marks_of(exchanges: Iterable[Exchange], secrets: Secrets) -> list[tuple[Mark, ...]]:
    """What each exchange of one case shows, were it the only case."""
    alone = Causes()
    return [alone.add(exchange, "", secrets) for exchange in exchanges]


def _mark(difference: Difference, exchange: Exchange, secrets: Secrets, reason: Reason) -> Mark:
    values = (difference.original, difference.port) if difference.level in _FEW_VALUES else None
    return Mark(_fingerprint(difference, exchange, secrets), reason, values, difference)


def _fingerprint(difference: Difference, exchange: Exchange, secrets: Secrets) -> str:
    return secrets.hide(difference.fingerprint(exchange.operation))


def _may_follow(exchange: Exchange, written: _Written) -> bool:
    """Whether an exchange may show what an earlier one has written: about the same things, or of who is signed in.

    What is refused for what was sent (400, 422) is refused whatever was written before.
    """
    refused = {status for status in (exchange.original.status, exchange.port.status) if status >= 400}
    if exchange.original.status == exchange.port.status and exchange.request.method in _SAFE:
        # What lists and sums show may be made of other things.
        return True
    # Another id is another one wherever it is asked for.
    akin = written.ids is not None or written.segment == segment_of(exchange.operation)
    return 401 in refused or (akin and refused <= _OF_STATE)


def _is_refused_body(exchange: Exchange) -> bool:
    """Whether both sides refuse a body that can be read."""
    body = exchange.request.body
    if not body or len(body) > _LARGEST or not {exchange.original.status, exchange.port.status} <= _INVALID:
        return False
    return body.lstrip()[:1] == b"{" and body.rstrip()[-1:] == b"}"


def _is_akin(seen: Seen, reason: Reason, written: _Written) -> bool:
    """Whether what differs has to do with a write by what it is; a value of other things may be their own."""
    difference = seen.difference
    akin = written.segment == segment_of(seen.exchange.operation)
    return reason.name != "value" or akin or is_count(difference) or _is_born(difference, written)


def _is_born(difference: Difference, written: _Written) -> bool:
    return written.ids is not None and (difference.original, difference.port) == written.ids


def _held_against(causes: list[Cause], findings: Mapping[str, Finding]) -> list[Cause]:
    """The causes of these findings alone, and one cause for each finding that was told without its exchange."""
    told: set[str] = set()
    kept = []
    for cause in causes:
        cause.fingerprints = {each: None for each in cause.fingerprints if each in findings}
        cause.folded = {each: reason for each, reason in cause.folded.items() if each in findings}
        told |= cause.fingerprints.keys() | cause.folded.keys()
        if cause.fingerprints or cause.folded:
            kept.append(cause)
    return kept + _told_alone(findings, told)


def _told_alone(findings: Mapping[str, Finding], told: Collection[str]) -> list[Cause]:
    alone = []
    for fingerprint, finding in findings.items():
        if fingerprint not in told:
            cause = Cause(
                Reason("difference", (fingerprint,), fingerprint), finding.level, finding.original, finding.port
            )
            cause.exposes, cause.cases, cause.curl = finding.exposes, finding.cases, finding.curl
            cause.exchange = finding.exchange
            cause.fingerprints = {fingerprint: None}
            cause.gravity = finding.rank
            alone.append(cause)
    return alone
