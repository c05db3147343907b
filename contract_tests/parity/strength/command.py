"""The command `parity strength`: how far a green run of these cases may be believed."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from contract_tests.parity.binding import Bindings, Declared
from contract_tests.parity.specs import SpecError, can_reset, demand_calls, resolve, same_target
from contract_tests.parity.stored import cases_in, given_ledger
from contract_tests.parity.verdict import ALIKE, DIFFERENT, INCONCLUSIVE, no_verdict

from .fault import Fault
from .known import FAULTS
from .measuring import CAUGHT, MISSED, Measuring, Outcome, Strength

SIGNS = {CAUGHT: "caught", MISSED: "MISSED"}


@click.command()
@click.argument("original", metavar="ORIGINAL")
@click.argument("port", metavar="PORT")
@click.option(
    "--cases", "cases_file", required=True, type=click.Path(path_type=Path), help="JSON Lines, or a folder of them."
)
@click.option("--ledger", "ledger_file", type=click.Path(path_type=Path), help="The accepted differences (TOML).")
@click.option("--reset-original", metavar="CMD", help="Rewinds the original before each case.")
@click.option("--reset-port", metavar="CMD", help="Rewinds the port before each case.")
@click.option("--only", metavar="PATTERN", default="", help="Faults whose name has this (a regular expression).")
@click.option("--at-least", metavar="PERCENT", type=click.FloatRange(0, 100), help="Exit with 1 below this.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def strength(
    original: str, port: str, cases_file: Path, ledger_file: Path | None, reset_original: str | None,
    reset_port: str | None, only: str, at_least: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Break PORT in known ways, and tell which of them these cases catch, and which case does.

    Exit code: 0, or 1 where less than --at-least is caught; 2 usage; 4 a target is down, or no fault applies.
    """
    with no_verdict():
        same_target(original, port)
        cases, ledger = cases_in(cases_file), given_ledger(ledger_file)
        specs = ((original, reset_original), (port, reset_port))
        rewinds = [can_reset(spec, reset=reset) for spec, reset in specs]
        if rewinds[0] != rewinds[1]:
            demand_calls(original, port)
            raise SpecError("only one side is rewound before each case: give --reset-original and --reset-port")
        anew = can_reset(original) and can_reset(port)
        declared = Declared.of(ledger.bind)
        with ExitStack() as stack:
            ours, theirs = (stack.enter_context(resolve(spec, reset=reset)) for spec, reset in specs)
            measuring = Measuring(
                ours, theirs, cases, ledger=ledger, rewinds=all(rewinds),
                bindings=lambda: Bindings.opaque(declared) if anew else Bindings(declared),
            )  # fmt: skip
            measured = measuring.measure(_chosen(only), on_outcome=lambda _: None if as_json else _show(_))
    click.echo(json.dumps(measured.as_json(), indent=1, ensure_ascii=False) if as_json else _summary(measured))
    sys.exit(_code(measured, at_least))


def _chosen(only: str) -> list[Fault]:
    try:
        chosen = [fault for fault in FAULTS if re.search(only, fault.name)]
    except re.error as error:
        raise SpecError(f"--only {only!r} is no regular expression: {error}") from None
    if not chosen:
        raise SpecError(f"--only {only!r} names no fault; the areas are {', '.join(sorted({f.area for f in FAULTS}))}")
    return chosen


def _show(outcome: Outcome) -> None:
    if outcome.verdict in SIGNS:
        told = f"{outcome.difference} in {outcome.case!r}" if outcome.case else f"applies to {outcome.fault.needs}"
        click.echo(f"{SIGNS[outcome.verdict]}  {outcome.fault.name:32} {told}")


def _summary(measured: Strength) -> str:
    needs: dict[str, list[str]] = {}
    for outcome in measured.of("not applicable"):
        needs.setdefault(outcome.fault.needs, []).append(outcome.fault.name)
    lines = [f"there is no case with {what}: {', '.join(names)}" for what, names in needs.items()]
    return "\n".join([*lines, measured.line()])


def _code(measured: Strength, at_least: float | None) -> int:
    if not measured.of(CAUGHT) and not measured.of(MISSED):
        return INCONCLUSIVE
    return DIFFERENT if at_least is not None and measured.percent < at_least else ALIKE
