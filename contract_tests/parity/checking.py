"""A check runs the cases of all its sources against a pair, and gathers what differs, what is noise, what was seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from contract_tests.parity.asking import on_sockets
from contract_tests.parity.binding import Bindings, Declared, Inconclusive
from contract_tests.parity.cases import Case
from contract_tests.parity.cause import Mark
from contract_tests.parity.causes import marks_of
from contract_tests.parity.clocks import Outline, again, is_settled
from contract_tests.parity.drivers import LifespanError, SettleError
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.findings import Finding, add_findings, ranked
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Target
from contract_tests.parity.operations import Operations
from contract_tests.parity.pair import Pair
from contract_tests.parity.reason import Reason
from contract_tests.parity.resets import ResetError
from contract_tests.parity.runner import GIVEN, Runner
from contract_tests.parity.shrinking import cut_after, shrunk
from contract_tests.parity.specs import SpecError
from contract_tests.parity.time_class import are_seconds_apart
from contract_tests.parity.two_clocks import TwoClocks
from contract_tests.parity.verdict import Run

_STOPS = (Inconclusive, SpecError, ResetError, LifespanError, SettleError)
# Where a difference occurs in many cases, the first few say whether it is noise.
_WITNESSES = 3
# So often an operation may keep everybody waiting.
_HANGS = 3


@dataclass(slots=True)
class Witness:
    """A case that showed a fingerprint, in what exchange, and the cases that went before it in the same worlds."""

    case: Case
    outline: Outline
    before: tuple[Case, ...] = ()


@dataclass(slots=True)
class Seen:
    """Who witnessed a fingerprint first, the causes it stands for, and if it was always times a second apart."""

    witnesses: list[Witness] = field(default_factory=list)
    of_cause: dict[Reason, tuple[Mark, Witness]] = field(default_factory=dict)
    clocks: bool = True


class Check:
    """Runs cases against a pair, and gathers what it finds."""

    def __init__(
        self,
        original: Target,
        port: Target,
        ledger: Ledger,
        *,
        own_ids: bool,
        rewinds: bool,
        clocks: TwoClocks | None = None,
    ) -> None:
        self.rewinds = rewinds
        declared = Declared.of(ledger.bind)
        self._make_bindings: Callable[[], Bindings] = (
            (lambda: Bindings(declared)) if own_ids else (lambda: Bindings.opaque(declared))
        )
        self.pair = Pair(
            original, port, accepted=ledger, bindings=self._make_bindings(), source="recorded", clocks=clocks
        )
        self.runner = self._runner(self.pair)
        self.found: dict[str, Finding] = {}
        self.seen: dict[str, Seen] = {}
        self.told_again: set[str] = set()
        self.accepted_in: dict[str, Case] = {}
        self.judges_stale = True
        self.hung: Counter[str] = Counter()
        self.taken = 0
        self.result = Run({"original": original.name, "port": port.name}, noun="case")
        if not rewinds:
            self.result.notes.append("not rewound between cases")

    def know(self, operations: Operations) -> None:
        """Tell requests by the operations that are known: `GET /user/{id}` for each user."""
        self.pair.operation = self._named(operations, self.pair.operation)

    def expect(self, cases: Sequence[Case]) -> None:
        """Be told which cases come next; who runs them elsewhere may begin."""

    def run(self, cases: Iterable[Case]) -> None:
        for case in cases:
            self.take(case)

    def take(self, case: Case) -> list[Exchange]:
        """Run one case and note what it showed; one of an operation that only hangs is left out, and counted."""
        self.taken += 1
        if any(step.spelling for step in case.steps) and not on_sockets(self.pair.original, self.pair.port):
            self.result.left_out["cases with a spelling, which only two servers at http:// can be sent,"] += 1
            self.runner.answers = []
            return []
        if case.source not in GIVEN and any(self.hung[self._place(step)] >= _HANGS for step in case.steps):
            self.result.left_out["cases of operations that hang"] += 1
            self.runner.answers = []
            return []
        exchanges = self._exchanges(self.runner, case)
        for exchange in exchanges:
            self.result.saw(exchange, case.source)
            marks = self.result.causes.add(exchange, case.name, self.pair.secrets, source=case.source)
            if "timeout" in (exchange.original.failure, exchange.port.failure):
                self.hung[self._place(exchange.request)] += 1
            if exchange.differences:
                self._differs(exchange, case, marks)
            for _, entry in exchange.accepted:
                self.result.accepted[str(entry)] = self.result.accepted.get(str(entry), 0) + 1
        alike = not any(exchange.differences for exchange in exchanges)
        outcome = "passed" if alike else "failed"
        self.result.count(case.source, "both", outcome if exchanges else "inconclusive")
        return exchanges

    def control(self, second: Target, given: Sequence[Case] = (), *, until: float = float("inf")) -> None:
        """The original against a second one of itself: where these differ, nothing can be said of the port.

        The cases that were given run whole; of the others those that showed a difference.
        """
        # A ledger of its own: what occurs between two originals has not occurred between original and port.
        ledger = Ledger(self.pair.accepted.entries, bind=self.pair.accepted.bind)
        pair = Pair(self.pair.original, second, accepted=ledger, bindings=self._make_bindings(), source="recorded")
        pair.operation, pair.secrets = self.pair.operation, self.pair.secrets
        runner = self._runner(pair)
        runner.sign_in = self.runner.sign_in
        self._settle_clocks(until)
        noisy: dict[str, Finding] = {}
        for case in self._controlled(given):
            if time.monotonic() > until:
                self.result.told.append(
                    "the control ended early: what the original answers otherwise each time may be told"
                )
                break
            for exchange in self._exchanges(runner, case):
                add_findings(noisy, exchange, case.name, pair.secrets)
        for fingerprint in noisy:
            self.found.pop(fingerprint, None)
            self.result.noise.append(fingerprint)

    def _settle_clocks(self, until: float = float("inf")) -> None:
        """Settle times of two moments that fell into two seconds: asked for again, they are alike. Each is told."""
        reruns: dict[int, list[list[Exchange]]] = {}
        settled = []
        for fingerprint in list(self.found):
            seen = self.seen.get(fingerprint)
            if not self.rewinds or seen is None or not seen.clocks or not seen.witnesses:
                continue
            for witness in seen.witnesses:
                # One case may have shown many times that lie apart.
                if id(witness.case) not in reruns and time.monotonic() < until:
                    reruns[id(witness.case)] = again(partial(self._exchanges, self.runner, _story(witness)))
            if all(
                is_settled(fingerprint, witness.outline, reruns.get(id(witness.case), []), self._fingerprints)
                for witness in seen.witnesses
            ):
                cases = len(self.found.pop(fingerprint).cases)
                settled.append(
                    f"settled, times a second apart that were alike when asked again: {fingerprint} ({cases}x)"
                )
        self.result.told += settled
        if settled:
            places = f"{len(settled)} place{'s' * (len(settled) != 1)}"
            self.result.notes.append(f"{places} settled where a second ended between two requests")

    def smallest(self, keep: Callable[[Case, str], None], *, until: float) -> None:
        """Shrink a case of each cause, gravest first, and tell and keep the smallest."""
        causes: set[Reason] = set()
        covered: set[str] = set()
        for fingerprint, mark, witness in self._to_shrink():
            if fingerprint in covered if mark is None else mark.reason in causes:
                continue
            case, exchanges = self._smallest(fingerprint, mark, witness, until)
            # Where it was not seen again, it is told as it was.
            causes |= {each.reason for marks in marks_of(exchanges, self.pair.secrets) for each in marks}
            covered |= {fingerprint, *(each for exchange in exchanges for each in self._fingerprints(exchange))}
            if case.source not in GIVEN:
                keep(case, fingerprint)

    def _to_shrink(self) -> Iterator[tuple[str, Mark | None, Witness]]:
        """A witness of each cause; then, without a mark, one of each difference that only follows from others."""
        for cause in self.result.causes.ranked(self.found):
            seen = ((each, self.seen[each].of_cause.get(cause.reason)) for each in cause.fingerprints)
            first = next(((each, *found) for each, found in seen if found is not None), None)
            if first is not None:
                yield first
        for finding in self.findings():
            seen_first = self.seen[finding.fingerprint].witnesses if finding.fingerprint in self.seen else []
            if seen_first:
                yield finding.fingerprint, None, seen_first[0]

    def _smallest(
        self, fingerprint: str, mark: Mark | None, witness: Witness, until: float
    ) -> tuple[Case, list[Exchange]]:
        shown: list[Exchange] = []

        def shows(case: Case) -> bool:
            nonlocal shown
            try:
                exchanges = self.runner.run(case, anew=True)
            except _STOPS:
                return False
            if not exchanges or not self._shows(fingerprint, mark, exchanges)[-1]:
                return False
            if mark is None and not self._is_as_grave(fingerprint, exchanges[-1]):
                return False
            shown = exchanges
            return True

        whole = self._reproduced(witness, fingerprint, mark, until)
        if whole is None:
            return witness.case, []
        case = shrunk(whole, shows, until=until)
        if shown:
            self._tell_again(fingerprint, mark, shown)
        return case, shown

    def _is_as_grave(self, fingerprint: str, exchange: Exchange) -> bool:
        """Whether an exchange shows a difference, and with it the leak or the open door that it was told for."""
        told: dict[str, Finding] = {}
        add_findings(told, exchange, "", self.pair.secrets)
        old, new = self.found[fingerprint], told.get(fingerprint)
        return new is not None and (new.unguarded, new.exposes) == (old.unguarded, old.exposes)

    def _shows(self, fingerprint: str, mark: Mark | None, exchanges: Sequence[Exchange]) -> list[bool]:
        """Which exchanges of a case show a cause, rather than another difference in the same place."""
        if mark is None:
            return [fingerprint in self._fingerprints(each) for each in exchanges]
        return [mark in marks for marks in marks_of(exchanges, self.pair.secrets)]

    def _reproduced(self, witness: Witness, fingerprint: str, mark: Mark | None, until: float) -> Case | None:
        """The case up to the step that differs, alone or with what went before it; None where it does not again."""
        for case in (witness.case, _story(witness)):
            if time.monotonic() > until:
                return None
            try:
                exchanges = self.runner.run(case, anew=True)
            except _STOPS:
                return None
            shows = self._shows(fingerprint, mark, exchanges)
            if True in shows:
                return cut_after(case, shows.index(True) + 1)
        return None

    def _tell_again(self, fingerprint: str, mark: Mark | None, exchanges: Sequence[Exchange]) -> None:
        exchange = exchanges[-1]
        if mark is not None:
            last = marks_of(exchanges, self.pair.secrets)[-1]
            self.result.causes.show(next(each for each in last if each == mark), exchange, self.pair.secrets)
        # A finding may stand for several causes: it is told with the gravest of them.
        if fingerprint not in self.told_again and self._is_as_grave(fingerprint, exchange):
            self.told_again.add(fingerprint)
            told: dict[str, Finding] = {}
            add_findings(told, exchange, "", self.pair.secrets)
            old, new = self.found[fingerprint], told[fingerprint]
            new.cases, new.sources = old.cases, old.sources
            self.found[fingerprint] = new

    def _fingerprints(self, exchange: Exchange) -> set[str]:
        return {self.pair.secrets.hide(each.fingerprint(exchange.operation)) for each in exchange.differences}

    def findings(self) -> list[Finding]:
        return ranked(self.found)

    def finish(self) -> Run:
        self.result.names = {"original": self.pair.original.name, "port": self.pair.port.name}
        self.result.differences = {finding.fingerprint: finding for finding in self.findings()}
        self.result.notes += self.runner.effects.notes if self.runner.effects is not None else []
        if self.pair.clocks is not None and self.pair.clocks.alike:
            self._tell_times(self.pair.clocks)
        if self.found and not self.rewinds:
            self.result.told.append(
                "what differs after a write may follow from it in later cases: --reset-original CMD and "
                "--reset-port CMD rewind each side before each case"
            )
        ledger = self.pair.accepted
        self.result.ledger += [f"expired: {entry}" for entry in ledger.expired(datetime.now(UTC).date())]
        if self.judges_stale:
            self.result.ledger += [f"stale: {entry}" for entry in ledger.stale({"recorded"}, known={"recorded"})]
        return self.result

    def _tell_times(self, clocks: TwoClocks) -> None:
        """What was taken as alike is said: a time is compared less strictly than all else."""
        places = f"{len(clocks.alike)} place{'s' * (len(clocks.alike) != 1)}"
        self.result.notes.append(f"times of two clocks, alike within {clocks.window:g} s, in {places}")
        for fingerprint, count in sorted(clocks.alike.items()):
            self.result.told.append(f"times of two clocks, alike in form and order: {fingerprint} ({count}x)")

    def _runner(self, pair: Pair) -> Runner:
        return Runner(pair, rewinds=self.rewinds)

    def _place(self, request: Request) -> str:
        return self.pair.operation(request).partition(" ")[2]

    def _differs(self, exchange: Exchange, case: Case, marks: Sequence[Mark]) -> None:
        add_findings(self.found, exchange, case.name, self.pair.secrets, source=case.source)
        for difference in exchange.differences:
            fingerprint = self.pair.secrets.hide(difference.fingerprint(exchange.operation))
            seen = self.seen.setdefault(fingerprint, Seen())
            seen.clocks = seen.clocks and are_seconds_apart(difference.original, difference.port)
            if len(seen.witnesses) < _WITNESSES and all(each.case is not case for each in seen.witnesses):
                seen.witnesses.append(Witness(case, Outline.of(exchange), tuple(self.runner.since[:-1])))
        for mark in marks:
            known = self.seen[mark.fingerprint].of_cause
            if mark.reason not in known:
                known[mark.reason] = mark, Witness(case, Outline.of(exchange), tuple(self.runner.since[:-1]))

    def _controlled(self, given: Sequence[Case]) -> list[Case]:
        witnessed = [each.case for seen in self.seen.values() for each in seen.witnesses]
        chosen = {id(case): case for case in (*given, *witnessed)}.values()
        return [
            case for case in chosen if case in given or not any(self.hung[self._place(step)] for step in case.steps)
        ]

    @staticmethod
    def _named(operations: Operations, otherwise: Callable[[Request], str]) -> Callable[[Request], str]:
        def name(request: Request) -> str:
            template = operations.template(request.target.partition(b"?")[0].decode("latin-1"))
            return otherwise(request) if template is None else f"{request.method} {template}"

        return name

    def _exchanges(self, runner: Runner, case: Case) -> list[Exchange]:
        try:
            exchanges = runner.run(case)
        except _STOPS as error:
            # What was found before it is not lost.
            self.result.down.append(f"{case.name}: {error}")
            return []
        self.result.down += [
            f"the {side} is down ({outcome.failure}) in {case.name}"
            for exchange in exchanges
            for side, outcome in (("original", exchange.original), ("port", exchange.port))
            if outcome.failure == "refused"
        ]
        return exchanges


def _story(witness: Witness) -> Case:
    """A witness's case with what went before it in the same worlds."""
    before = [each for each in witness.before if each.signed_in == witness.case.signed_in][-20:]
    return _together([*before, witness.case]) if before else witness.case


def _together(cases: Sequence[Case]) -> Case:
    """Several cases as one story, each keeping what it kept."""
    last = cases[-1]
    keeps = tuple(dict(case.kept(at)) for case in cases for at in range(len(case.steps)))
    return replace(last, steps=tuple(step for case in cases for step in case.steps), keeps=keeps)
