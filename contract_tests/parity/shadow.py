"""The command `parity shadow`: what two apps answered to the same traffic, compared when no client waits for it."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import click

from contract_tests.parity.cases import CaseError
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.stored import check_folder, given_ledger
from contract_tests.parity.telling import visible
from contract_tests.parity.traffic.exchanges import RecordingError
from contract_tests.parity.traffic.join import join
from contract_tests.parity.traffic.recordings import read_recording
from contract_tests.parity.traffic.shadowing import Seen, Shadow, Terms, names
from contract_tests.parity.verdict import NOT_ASKED, Run, no_verdict

_OPERATION = re.compile(r"[A-Z-]+ /\S*")
_COLUMNS = ("original", "port", "compared", "different", "missing on port", "missing on original")
_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("original", metavar="ORIGINAL_RECORDING", type=_FILE)
@click.argument("port", metavar="PORT_RECORDING", type=_FILE)
@click.option("--ledger", "ledger_file", type=_FILE, help="The accepted differences (TOML).")
@click.option("--safe", multiple=True, metavar="OPERATION", help='Changes nothing, as "POST /search"; may be repeated.')
@click.option("--port-has-own-database", is_flag=True, help="Requests that write are compared, too.")
@click.option("--at-least", type=click.FloatRange(0, 100), default=90.0, show_default=True, help="Percent to compare.")
@click.option("--window", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds between the two.")
@click.option("--report", type=_FILE, help="A folder for report.json.")
def shadow(
    original: Path,
    port: Path,
    *,
    ledger_file: Path | None,
    safe: tuple[str, ...],
    port_has_own_database: bool,
    at_least: float,
    window: float,
    report: Path | None,
) -> None:
    """Join two recordings of the same traffic by request id, and tell every difference, the gravest first.

    A recording is a folder or a file that `parity record` tells how to make, a GoReplay file (.gor) or a HAR file.
    Exit code: 0 alike or all accepted, 1 a new difference, 2 usage, 3 the ledger is expired, 4 inconclusive (too
    little was compared, the clocks are apart).
    """
    began = time.monotonic()
    try:
        with no_verdict():
            if report:
                check_folder("--report", report)
            terms = Terms(_operations(safe), port_has_own_database, window, at_least)
            shadowed = _shadowed(original, port, given_ledger(ledger_file), terms)
            run = shadowed.run
    except KeyboardInterrupt:
        run, shadowed = Run(dict(NOT_ASKED), noun="request", interrupted=True), None
    run.seconds = time.monotonic() - began
    if shadowed is not None:
        _show(shadowed)
    click.echo(run.line())
    if report:
        run.write(report)
    sys.exit(run.code)


def _operations(safe: tuple[str, ...]) -> frozenset[str]:
    for name in safe:
        if not _OPERATION.fullmatch(name):
            raise CaseError(f"--safe {name!r} is no operation: write a method and a path, such as 'POST /search'")
    return frozenset(safe)


def _shadowed(original: Path, port: Path, ledger: Ledger, terms: Terms) -> Shadow:
    if original.resolve() == port.resolve():
        raise CaseError("both recordings are one: that compares nothing")
    try:
        ours, theirs = read_recording(original), read_recording(port)
    except RecordingError as error:
        raise CaseError(str(error)) from None
    except OSError as error:
        raise CaseError(f"{error.filename}: {error.strerror}") from None
    run = Run(names(original, port), noun="request", notes=[*ours.notes, *theirs.notes])
    shadowed = Shadow(join(ours, theirs), ledger, terms, run)
    shadowed.compare((ours.exchanges, theirs.exchanges))
    return shadowed


def _show(shadowed: Shadow) -> None:
    for number, finding in enumerate(shadowed.findings(), 1):
        first, *rest = finding.lines()
        click.echo(f"{number}. {first}")
        click.echo("\n".join(f"   {line}" for line in rest) + "\n")
    for entry, count in shadowed.run.accepted.items():
        click.echo(f"accepted {count} times: {entry}")
    for row in _table(shadowed.seen):
        click.echo(row)
    for key, (ours, theirs) in list(shadowed.joined.repeated.items())[:5]:
        click.echo(f"not unique: {visible(key)}, {ours} times on the original, {theirs} on the port")


def _table(seen: dict[str, Seen]) -> list[str]:
    rows = [("route", *_COLUMNS), *((visible(name), *map(str, _cells(route))) for name, route in sorted(seen.items()))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in rows]


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]


def _cells(route: Seen) -> tuple[int, ...]:
    return (
        route.original,
        route.port,
        route.compared,
        route.different,
        route.missing,
        route.missing_on_original,
    )
