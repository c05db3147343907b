"""The command `python -m contract_tests.bench`: measures, prints the report, and writes it with a plot."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import click

from contract_tests.bench.contenders import COMMANDS, contenders
from contract_tests.bench.in_process import measure_in_process
from contract_tests.bench.plan import QUICK, Plan
from contract_tests.bench.plot import draw
from contract_tests.bench.report import Results, render
from contract_tests.bench.rounds import measure
from contract_tests.bench.waiting import measure_waiting
from contract_tests.served import START_POSTGRESQL, has_postgresql


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="One number of connections and fewer rounds: about a minute.")
@click.option("--rounds", type=click.IntRange(min=1), help="How often everything is measured.")
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), default="bench-report")
def main(quick: bool, rounds: int | None, folder: Path) -> None:
    plan = QUICK if quick else Plan()
    if rounds:
        plan = replace(plan, rounds=rounds)
    results = run(plan, lambda told: click.echo(told, err=True))
    folder.mkdir(parents=True, exist_ok=True)
    report = render(results)
    (folder / "bench.md").write_text(report)
    (folder / "bench.json").write_text(json.dumps(asdict(results), indent=1))
    (folder / "bench.svg").write_text(draw(results))
    click.echo(report)
    click.echo(f"written: {folder}/bench.md, bench.json, bench.svg")


def run(plan: Plan, progress: Callable[[str], None]) -> Results:
    """Everything the plan names, on SQLite and, where it answers, on PostgreSQL."""
    results = Results(plan)
    databases = ["SQLite"]
    if has_postgresql():
        databases.append("PostgreSQL")
    else:
        progress(START_POSTGRESQL)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for database in databases:
            with contenders(database, folder, COMMANDS) as started:
                results.measured += measure(started, plan, database=database, progress=progress)
        progress("in process")
        results.in_process += measure_in_process(folder, rounds=plan.rounds + 2, requests=plan.in_process)
        progress("a route that waits 50 ms")
        results.waiting += measure_waiting(folder, connections=plan.waiting, seconds=plan.waiting_seconds)
    return results


if __name__ == "__main__":
    main()
