"""From what a run saw to one verdict: a table by area, one line, an exit code, and the same as JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.parity import report
from contract_tests.parity.binding import DeclarationError
from contract_tests.parity.cases import CaseError
from contract_tests.parity.cause import Cause
from contract_tests.parity.causes import Causes
from contract_tests.parity.coverage import Coverage
from contract_tests.parity.drivers import LifespanError, SettleError
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.exhibits import Exchanges
from contract_tests.parity.findings import Finding, add_findings, ranked
from contract_tests.parity.ledger import LedgerError
from contract_tests.parity.probes import ProbeError
from contract_tests.parity.resets import ResetError
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.servers import ServerError
from contract_tests.parity.specs import SpecError

ALIKE, DIFFERENT, USAGE, LEDGER, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 4, 130
NOT_ASKED = {"original": "not asked", "port": "not asked"}
_TOLD = 3
COLUMNS = {"original": "original", "port": "port", "both": "alike"}


@dataclass(slots=True)
class Run:
    """What a run of tests or cases against two targets saw."""

    names: dict[str, str]
    noun: str = "test"
    outcomes: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    differences: dict[str, Finding] = field(default_factory=dict)
    causes: Causes = field(default_factory=Causes)
    coverage: Coverage = field(default_factory=Coverage)
    never_reached: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    ledger: list[str] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False
    whole: bool = False
    probed: bool = False
    seconds: float = 0.0
    noise: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def count(self, area: str, column: str, outcome: str) -> None:
        self.outcomes.setdefault(area, {}).setdefault(column, Counter())[outcome] += 1

    def found(self, exchange: Exchange, case: str, secrets: Secrets, *, source: str = "") -> None:
        """Add what an exchange of a case differs in: its differences, their causes, and what the ledger accepts."""
        add_findings(self.differences, exchange, case, secrets, source=source)
        self.causes.add(exchange, case, secrets, source=source)

    def saw(self, exchange: Exchange, source: str) -> None:
        """Count what an exchange has reached, whether it differs or not."""
        self.coverage.add(exchange, source)

    def ranked(self) -> list[Cause]:
        """The causes of what differs, the gravest first."""
        return self.causes.ranked(self.differences)

    def add(self, other: Run) -> None:
        """Add what another run of the same two apps saw; the seconds stay, for the two may have run side by side."""
        for area, columns in other.outcomes.items():
            for column, counter in columns.items():
                self.outcomes.setdefault(area, {}).setdefault(column, Counter()).update(counter)
        for fingerprint, found in other.differences.items():
            known = self.differences.setdefault(fingerprint, found)
            known.cases += [case for case in found.cases if case not in known.cases]
        self.causes.merge(other.causes)
        self.coverage.merge(other.coverage)
        for entry, count in other.accepted.items():
            self.accepted[entry] = self.accepted.get(entry, 0) + count
        self.failures |= other.failures
        self.left_out += other.left_out
        for mine, theirs in (
            (self.faults, other.faults),
            (self.unseen, other.unseen),
            (self.ledger, other.ledger),
            (self.down, other.down),
            (self.never_reached, other.never_reached),
            (self.notes, other.notes),
            (self.noise, other.noise),
            (self.told, other.told),
        ):
            mine += [each for each in theirs if each not in mine]
        self.interrupted |= other.interrupted

    @property
    def code(self) -> int:
        """The exit code; of several reasons the gravest."""
        if self.interrupted:
            return INTERRUPTED
        if self.down or self.noise or not self.outcomes:
            return INCONCLUSIVE
        if self.differences or self.failures or self.faults:
            # An answer that differs leaves the documented one unseen: the difference is what to act on.
            return DIFFERENT
        if self.unseen:
            return INCONCLUSIVE
        return LEDGER if self.ledger else ALIKE

    @property
    def tests(self) -> int:
        return sum(counter.total() for area in self.outcomes.values() for counter in area.values())

    def line(self) -> str:
        """The verdict in one line, with who answered and what was left out."""
        word = {
            ALIKE: "ALIKE" if not self.accepted else f"ALIKE but for {_counted(self.accepted, 'accepted difference')}",
            DIFFERENT: "DIFFERENT: " + ", ".join(self._counts()),
            LEDGER: "LEDGER: alike, but " + "; ".join(self.ledger),
            INCONCLUSIVE: "INCONCLUSIVE: "
            + "; ".join([*self._noisy(), *self.down, *self.unseen[:3], *self._counts()] or [f"no {self.noun} ran"]),
            INTERRUPTED: "INTERRUPTED",
        }[self.code]
        left_out = "".join(f", {count} {why} left out" for why, count in sorted(self.left_out.items()))
        left_out += "".join(f", {note}" for note in self.notes)
        who = f"original {self.names['original']}, port {self.names['port']}"
        return f"{word} ({self.tests} {self.noun}{'s' * (self.tests != 1)} in {self.seconds:.0f} s{left_out}; {who})"

    def _noisy(self) -> list[str]:
        more = [f"and in {len(self.noise) - _TOLD} more places"] if len(self.noise) > _TOLD else []
        return [*(f"the original differs from itself: {each}" for each in self.noise[:_TOLD]), *more]

    def _counts(self) -> list[str]:
        counted = (
            (self.failures, "failed test"),
            (self.faults, "undocumented answer"),
        )
        told = [_counted(found, what) for found, what in counted if found]
        if not self.differences:
            return told
        return [f"{_counted(self.ranked(), 'cause')} of {_counted(self.differences, 'new difference')}", *told]

    def table(self) -> list[tuple[str, ...]]:
        """Rows of cells: a heading, a row an area, a total; a cell is passed/run."""
        rows = [
            (area, *(_cell([columns.get(column)]) for column in COLUMNS))
            for area, columns in sorted(self.outcomes.items())
        ]
        total = [_cell([columns.get(column) for columns in self.outcomes.values()]) for column in COLUMNS]
        return [("area", *COLUMNS.values()), *rows, ("all", *total)]

    def as_json(self) -> dict[str, Any]:
        """The whole report (docs/parity.md#the-report): each exchange once, told of by its place in `exchanges`."""
        exchanges = Exchanges()
        settled = self.causes.settled.values()
        return {
            "verdict": self.line(),
            "code": self.code,
            "targets": self.names,
            "noun": self.noun,
            f"{self.noun}s": self.tests,
            "seconds": round(self.seconds, 2),
            "notes": self.notes,
            "areas": self.outcomes,
            "causes": [exchanges.shown(cause) for cause in self.ranked()],
            "differences": [exchanges.shown(found) for found in ranked(self.differences)],
            "accepted_differences": [exchanges.shown(each) for each in settled],
            "failures": self.failures,
            "not_as_documented": self.faults,
            "never_seen": self.unseen,
            "never_reached": self.never_reached,
            "coverage": self.coverage.as_json(),
            "accepted": self.accepted,
            "ledger": self.ledger,
            "down": self.down,
            "left_out": self.left_out,
            "noise": self.noise,
            "told": self.told,
            "exchanges": exchanges.told,
        }

    def write(self, folder: Path) -> None:
        """Write the report in each of its forms."""
        report.write(self.as_json(), folder)


@contextmanager
def no_verdict() -> Iterator[None]:
    """Ends the command with one line and its code where there is nothing to give a verdict on."""
    try:
        yield
    except (SpecError, CaseError, LedgerError, DeclarationError, ProbeError) as error:
        sys.stderr.write(f"parity: {error}\n")
        sys.exit(USAGE)
    except (ServerError, LifespanError, SettleError, ResetError) as error:
        sys.stderr.write(f"INCONCLUSIVE: {error}\n")
        sys.exit(INCONCLUSIVE)


def _counted(found: Sized, what: str) -> str:
    return f"{len(found)} {what}{'s' * (len(found) != 1)}"


def _cell(counters: list[Counter[str] | None]) -> str:
    found = sum((counter for counter in counters if counter), Counter[str]())
    return f"{found['passed']}/{found.total()}" if found else "-"
