"""A fault is caught by the first case that shows a difference which the unbroken pair does not show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.binding import Bindings, Inconclusive
from contract_tests.parity.cases import Case
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.pair import Pair
from contract_tests.parity.runner import Story

from .fault import Broken, Fault

CAUGHT, MISSED, NOT_APPLICABLE = "caught", "missed", "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault: with the first case that caught it, and the difference that it showed there."""

    fault: Fault
    verdict: str
    case: str | None = None
    difference: str | None = None

    def as_json(self) -> dict[str, Any]:
        named = {"fault": self.fault.name, "verdict": self.verdict, "needs": self.fault.needs}
        return named | {"case": self.case, "difference": self.difference}


@dataclass(slots=True)
class Strength:
    """How much of what can be broken a corpus catches."""

    outcomes: list[Outcome] = field(default_factory=list)
    cases: int = 0
    exchanges: int = 0
    known: int = 0
    seconds: float = 0.0

    def of(self, verdict: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.verdict == verdict]

    @property
    def percent(self) -> float:
        """Of the faults that apply, how many are caught; 0 where none applies."""
        caught, missed = len(self.of(CAUGHT)), len(self.of(MISSED))
        return 100 * caught / (caught + missed) if caught + missed else 0.0

    def line(self) -> str:
        caught, missed, rest = (len(self.of(verdict)) for verdict in (CAUGHT, MISSED, NOT_APPLICABLE))
        return (
            f"STRENGTH {self.percent:.0f} %: {caught} of the {caught + missed} faults that apply are caught; "
            f"{rest} of {len(self.outcomes)} do not apply ({self.cases} cases, {self.exchanges} exchanges "
            f"in {self.seconds:.0f} s{self._hidden()})"
        )

    def _hidden(self) -> str:
        """Where the two differ already, a fault of the same kind shows nothing new."""
        return f"; {self.known} differences that are there already may hide some" if self.known else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.line(),
            "percent": round(self.percent, 1),
            "caught": len(self.of(CAUGHT)),
            "missed": len(self.of(MISSED)),
            "not_applicable": len(self.of(NOT_APPLICABLE)),
            "cases": self.cases,
            "exchanges": self.exchanges,
            "known_differences": self.known,
            "seconds": round(self.seconds, 2),
            "faults": [outcome.as_json() for outcome in self.outcomes],
        }


class Replayed:
    """A target that answers again what was answered before, case by case, whatever it is asked."""

    def __init__(self, name: str, answers: Iterable[Response]) -> None:
        self.name = name
        self._answers = iter(answers)

    def send(self, _request: Request) -> Response:
        return next(self._answers)

    def reset(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *exc: object) -> None: ...


class Measuring:
    """Plants one fault after another into the port. `bindings` makes a new table of partners, `rewinds` says whether
    both worlds are rewound before each case.

    Faults of answers are planted into what both apps answered once; those of deeds need the apps again.
    Raises Inconclusive where the unbroken pair cannot be asked.
    """

    def __init__(
        self, original: Target, port: Target, cases: tuple[Case, ...], *,
        ledger: Ledger, bindings: Callable[[], Bindings], rewinds: bool,
    ) -> None:  # fmt: skip
        self._original, self._port, self._cases = original, port, cases
        self._ledger, self._bindings, self._rewinds = ledger, bindings, rewinds
        self._seen: list[tuple[Case, list[Exchange]]] = []
        self._known: set[str] = set()

    def measure(self, faults: Iterable[Fault], *, on_outcome: Callable[[Outcome], object] = lambda _: None) -> Strength:
        began, strength = time.monotonic(), Strength(cases=len(self._cases))
        # Twice: what differs by chance must not pass for a fault that was caught.
        for _ in range(2):
            self._seen = list(self._asked(self._pair(self._original, self._port)))
            self._known |= {each for _, exchanges in self._seen for one in exchanges for each in one.fingerprints}
        strength.known = len(self._known)
        strength.exchanges = sum(len(exchanges) for _, exchanges in self._seen)
        for fault in faults:
            strength.outcomes.append(self._outcome(fault))
            on_outcome(strength.outcomes[-1])
        strength.seconds = time.monotonic() - began
        return strength

    def _outcome(self, fault: Fault) -> Outcome:
        applied = False
        for case, fingerprints, broken in self._alive(fault) if fault.stateful else self._replayed(fault):
            new = next((each for each in fingerprints if each not in self._known), None)
            if new is not None:
                return Outcome(fault, CAUGHT, case.name, new)
            applied |= broken.applied > 0
        return Outcome(fault, MISSED if applied else NOT_APPLICABLE)

    def _alive(self, fault: Fault) -> Iterator[tuple[Case, list[str], Broken]]:
        broken = Broken(self._port, fault)
        for case, exchanges in self._asked(self._pair(self._original, broken)):
            yield case, [each for one in exchanges for each in one.fingerprints], broken

    def _replayed(self, fault: Fault) -> Iterator[tuple[Case, list[str], Broken]]:
        for at, (case, exchanges) in enumerate(self._seen):
            if at == 0 or self._rewinds:
                bindings = self._bindings()
            broken = Broken(Replayed("port", [one.port for one in exchanges]), fault)
            original = Replayed("original", [one.original for one in exchanges])
            pair = Pair(original, broken, accepted=self._ledger, bindings=bindings, source="recorded")
            yield (
                case,
                [each for one in self._exchanges(pair, case, len(exchanges)) for each in one.fingerprints],
                broken,
            )

    def _asked(self, pair: Pair) -> Iterator[tuple[Case, list[Exchange]]]:
        for case in self._cases:
            if self._rewinds:
                pair.reset()
            yield case, self._exchanges(pair, case, len(case.steps))

    def _exchanges(self, pair: Pair, case: Case, count: int) -> list[Exchange]:
        story = Story(pair, case)
        # An id that can be read in two ways ends the case, on both apps alike.
        with suppress(Inconclusive):
            story.go(0, count)
        return story.exchanges

    def _pair(self, original: Target, port: Target) -> Pair:
        return Pair(original, port, accepted=self._ledger, bindings=self._bindings(), source="recorded")
