"""The command `parity`: the engine on anyone's pair of apps."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from contract_tests.findings import Finding, find, ranked
from contract_tests.parity.binding import Bindings, DeclarationError, Declared, Inconclusive
from contract_tests.parity.cases import Case, CaseError, load_cases
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.ledger import Ledger, LedgerError
from contract_tests.parity.messages import Target
from contract_tests.parity.pair import Pair
from contract_tests.parity.servers import ServerError
from contract_tests.parity.specs import SpecError, can_reset, resolve, same_target
from contract_tests.verdict import INCONCLUSIVE, USAGE, Run

SPECS = "a SPEC is module:attribute, module:factory(), a URL, or a command containing {port}"


@click.group(help=__doc__)
@click.version_option(package_name="flask-fastapi-parity")
def main() -> None:
    pass


@main.command(epilog=SPECS)
@click.argument("original", metavar="ORIGINAL")
@click.argument("port", metavar="PORT")
@click.option(
    "--cases", "cases_file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSON Lines."
)
@click.option("--ledger", "ledger_file", type=click.Path(path_type=Path), help="The accepted differences (TOML).")
@click.option("--reset-original", metavar="CMD", help="Rewinds the original before each case.")
@click.option("--reset-port", metavar="CMD", help="Rewinds the port before each case.")
@click.option("--report", type=click.Path(path_type=Path), help="A folder for report.json.")
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
        same_target(original, port)
        cases = load_cases(cases_file)
        ledger = Ledger.load(ledger_file) if ledger_file else Ledger.empty()
        with ExitStack() as stack:
            targets = [
                stack.enter_context(resolve(spec, reset=reset))
                for spec, reset in ((original, reset_original), (port, reset_port))
            ]
            checked = Check(targets[0], targets[1], ledger, own_ids=not _alike_ids(original, port))
            checked.run(cases)
            if can_reset(original) and not reset_original:
                checked.control(cases, stack.enter_context(resolve(original)))
            run = checked.finish()
    except (SpecError, CaseError, LedgerError, DeclarationError, OSError) as error:
        click.echo(f"parity: {error}", err=True)
        sys.exit(USAGE)
    except ServerError as error:
        click.echo(f"INCONCLUSIVE: {error}", err=True)
        sys.exit(INCONCLUSIVE)
    run.seconds = time.monotonic() - began
    if report:
        run.write(report)
    _show(checked.findings(), run)
    sys.exit(run.code)


class Check:
    """Runs cases against a pair, and gathers what it finds."""

    def __init__(self, original: Target, port: Target, ledger: Ledger, *, own_ids: bool) -> None:
        declared = Declared.of(ledger.bind)
        bindings = Bindings(declared) if own_ids else Bindings.opaque(declared)
        self.pair = Pair(original, port, accepted=ledger, bindings=bindings, source="recorded")
        self.found: dict[str, Finding] = {}
        self.result = Run({"original": original.name, "port": port.name}, noun="case")

    def run(self, cases: tuple[Case, ...]) -> None:
        for case in cases:
            exchanges = self._exchanges(self.pair, case)
            for exchange in exchanges:
                find(self.found, exchange, case.name, self.pair.secrets)
                for _, entry in exchange.accepted:
                    self.result.accepted[str(entry)] = self.result.accepted.get(str(entry), 0) + 1
            alike = not any(exchange.differences for exchange in exchanges)
            self.result.count("cases", "both", "passed" if alike else "failed")

    def control(self, cases: tuple[Case, ...], second: Target) -> None:
        """The original against a second one of itself: where these differ, nothing can be said of the port."""
        pair = Pair(self.pair.original, second, accepted=self.pair.accepted, bindings=self.pair.bindings)
        noisy: dict[str, Finding] = {}
        for case in cases:
            for exchange in self._exchanges(pair, case):
                find(noisy, exchange, case.name, pair.secrets)
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
        pair.reset()
        try:
            exchanges = [pair.exchange(step) for step in case.steps]
        except Inconclusive as error:
            self.result.down.append(f"{case.name}: {error}")
            return []
        self.result.down += [
            f"the {side} is down ({outcome.failure}) in {case.name}"
            for exchange in exchanges
            for side, outcome in (("original", exchange.original), ("port", exchange.port))
            if outcome.failure in ("refused", "timeout")
        ]
        return exchanges


def _alike_ids(*specs: str) -> bool:
    """Whether both worlds are made anew for each case, and so make the same ids."""
    return all(can_reset(spec) for spec in specs)


def _show(findings: list[Finding], run: Run) -> None:
    for number, finding in enumerate(findings, 1):
        first, *rest = finding.lines()
        click.echo(f"{number}. {first}")
        click.echo("\n".join(f"   {line}" for line in rest) + "\n")
    for entry, count in run.accepted.items():
        click.echo(f"accepted {count} times: {entry}")
    click.echo(run.line())


if __name__ == "__main__":
    main()
