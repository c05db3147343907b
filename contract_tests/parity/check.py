"""The command `parity check`: the engine on anyone's pair of apps."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from contract_tests.parity.binding import Bindings, Declared, Inconclusive
from contract_tests.parity.cases import Case, CaseError, load_cases
from contract_tests.parity.drivers import LifespanError, SettleError
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.findings import Finding, add_findings, ranked
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Target
from contract_tests.parity.pair import Pair
from contract_tests.parity.report import text
from contract_tests.parity.resets import ResetError
from contract_tests.parity.specs import SpecError, can_reset, resolve, same_target
from contract_tests.parity.verdict import NOT_ASKED, Run, no_verdict

SPECS = "a SPEC is module:attribute, module:factory(), a URL, or a command containing {port}"


@click.command(epilog=SPECS)
@click.argument("original", metavar="ORIGINAL")
@click.argument("port", metavar="PORT")
@click.option(
    "--cases", "cases_file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSON Lines."
)
@click.option("--ledger", "ledger_file", type=click.Path(path_type=Path), help="The accepted differences (TOML).")
@click.option("--reset-original", metavar="CMD", help="Rewinds the original before each case.")
@click.option("--reset-port", metavar="CMD", help="Rewinds the port before each case.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="A folder for the report.")
def check(
    original: str,
    port: str,
    cases_file: Path,
    ledger_file: Path | None,
    reset_original: str | None,
    reset_port: str | None,
    report: Path | None,
) -> None:
    """Send the same cases to ORIGINAL and PORT, and tell every difference, the gravest first.

    Exit code: 0 alike or all accepted, 1 a new difference, 2 usage, 3 the ledger is stale or expired,
    4 inconclusive (the original differs from itself, a target is down).
    """
    began = time.monotonic()
    try:
        with no_verdict():
            same_target(original, port)
            cases, ledger = _read(cases_file, ledger_file)
            pair = Specs(original, port, reset_original, reset_port)
            run = _checked(pair, cases, ledger)
    except KeyboardInterrupt:
        run = Run(dict(NOT_ASKED), noun="case", interrupted=True)
    run.seconds = time.monotonic() - began
    click.echo("\n".join(text.lines(run.as_json())))
    if report:
        run.write(report)
    sys.exit(run.code)


@dataclass(frozen=True, slots=True)
class Specs:
    """The two SPECs of a check and how each target is rewound. Raises SpecError where only one of them is."""

    original: str
    port: str
    reset_original: str | None
    reset_port: str | None

    def __post_init__(self) -> None:
        one, other = (can_reset(spec, reset=reset) for spec, reset in self.sides())
        if one != other:
            side = "port" if one else "original"
            raise SpecError(f"only one side is rewound before each case: give --reset-{side}, too")

    def sides(self) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
        return (self.original, self.reset_original), (self.port, self.reset_port)

    @property
    def rewinds(self) -> bool:
        return can_reset(self.original, reset=self.reset_original)

    @property
    def anew(self) -> bool:
        """Whether both worlds are made anew for each case, and so make the same ids."""
        return can_reset(self.original) and can_reset(self.port)


def _read(cases_file: Path, ledger_file: Path | None) -> tuple[tuple[Case, ...], Ledger]:
    try:
        return load_cases(cases_file), Ledger.load(ledger_file) if ledger_file else Ledger.empty()
    except OSError as error:
        raise CaseError(f"{error.filename}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CaseError(f"cases and ledger are UTF-8: {error.reason}") from None


def _checked(specs: Specs, cases: tuple[Case, ...], ledger: Ledger) -> Run:
    with ExitStack() as stack:
        original, port = (stack.enter_context(resolve(spec, reset=reset)) for spec, reset in specs.sides())
        checked = Check(original, port, ledger, own_ids=not specs.anew, rewinds=specs.rewinds)
        try:
            checked.run(cases)
            if specs.anew and not checked.result.down:
                checked.control(cases, stack.enter_context(resolve(specs.original)))
        except KeyboardInterrupt:
            checked.result.interrupted = True
        return checked.finish()


class Check:
    """Runs cases against a pair, and gathers what it finds."""

    def __init__(self, original: Target, port: Target, ledger: Ledger, *, own_ids: bool, rewinds: bool) -> None:
        self.rewinds = rewinds
        declared = Declared.of(ledger.bind)
        bindings = Bindings(declared) if own_ids else Bindings.opaque(declared)
        self.pair = Pair(original, port, accepted=ledger, bindings=bindings, source="recorded")
        self.found: dict[str, Finding] = {}
        self.result = Run({"original": original.name, "port": port.name}, noun="case")
        if not rewinds:
            self.result.notes.append("not rewound between cases")

    def run(self, cases: tuple[Case, ...]) -> None:
        for case in cases:
            exchanges = self._exchanges(self.pair, case)
            for exchange in exchanges:
                add_findings(self.found, exchange, case.name, self.pair.secrets, source="cases")
                self.result.causes.add(exchange, case.name, self.pair.secrets, source="cases")
                self.result.saw(exchange, "cases")
                for _, entry in exchange.accepted:
                    self.result.accepted[str(entry)] = self.result.accepted.get(str(entry), 0) + 1
            alike = not any(exchange.differences for exchange in exchanges)
            outcome = "passed" if alike else "failed"
            self.result.count("cases", "both", outcome if exchanges else "inconclusive")

    def control(self, cases: tuple[Case, ...], second: Target) -> None:
        """The original against a second one of itself: where these differ, nothing can be said of the port."""
        # A ledger of its own: what occurs between two originals has not occurred between original and port.
        ledger = Ledger(self.pair.accepted.entries, bind=self.pair.accepted.bind)
        pair = Pair(self.pair.original, second, accepted=ledger, bindings=self.pair.bindings, source=self.pair.source)
        noisy: dict[str, Finding] = {}
        for case in cases:
            for exchange in self._exchanges(pair, case):
                add_findings(noisy, exchange, case.name, pair.secrets)
        for fingerprint in noisy:
            self.found.pop(fingerprint, None)
            self.result.down.append(f"the original differs from itself: {fingerprint}")

    def findings(self) -> list[Finding]:
        return ranked(self.found)

    def finish(self) -> Run:
        self.result.names = {"original": self.pair.original.name, "port": self.pair.port.name}
        self.result.differences = {finding.fingerprint: finding for finding in self.findings()}
        ledger = self.pair.accepted
        self.result.ledger += [f"expired: {entry}" for entry in ledger.expired(datetime.now(UTC).date())]
        self.result.ledger += [f"stale: {entry}" for entry in ledger.stale({"recorded"}, known={"recorded"})]
        return self.result

    def _exchanges(self, pair: Pair, case: Case) -> list[Exchange]:
        try:
            # The table of partners lives as long as the two databases do.
            if self.rewinds:
                pair.reset()
            exchanges = [pair.exchange(step) for step in case.steps]
        except (Inconclusive, SpecError, ResetError, LifespanError, SettleError) as error:
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
