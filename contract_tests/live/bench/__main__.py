"""The command `python -m contract_tests.live.bench`: measures, prints the report, and writes it with a plot."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import click

from contract_tests.live.bench.contenders import OWN, REDIS, SHARED, contenders, entries, has_redis
from contract_tests.live.bench.in_process import measure_in_process
from contract_tests.live.bench.plan import DATABASES, QUICK, STORES, Plan
from contract_tests.live.bench.plot import draw
from contract_tests.live.bench.profile import measure_shares
from contract_tests.live.bench.report import render
from contract_tests.live.bench.results import Results, dump, machine
from contract_tests.live.bench.rounds import measure
from contract_tests.live.bench.waiting import measure_waiting
from contract_tests.live.servers import START_POSTGRESQL, has_postgresql


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            return tuple(sorted({int(each) for each in str(value).split(",") if int(each) > 0}))
        except ValueError:
            self.fail(f"{value!r} is not as in 10,40,200", param, ctx)


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="One number of connections and fewer rounds: about two minutes.")
@click.option("--rounds", type=click.IntRange(min=1), help="How often everything is measured.")
@click.option("--route", "routes", multiple=True, type=click.Choice(SHARED + OWN), help="Only this route; repeatable.")
@click.option("--connections", type=Numbers(), help="How many at once, as in 10,40,200.")
@click.option("--database", type=click.Choice(["sqlite", "postgresql", "both"]), default="both")
@click.option("--sessions", type=click.Choice(["sqlite", "redis", "both"]), default="both")
@click.option(
    "--before",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="Another checkout, set up and with the same schema: its two apps are measured in the same rounds.",
)
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), default="bench-report")
def main(
    quick: bool,
    rounds: int | None,
    routes: tuple[str, ...],
    connections: tuple[int, ...] | None,
    database: str,
    sessions: str,
    before: Path | None,
    folder: Path,
) -> None:
    plan = QUICK if quick else Plan()
    plan = replace(
        plan,
        rounds=rounds or plan.rounds,
        routes=routes or plan.routes,
        connections=connections or plan.connections,
        databases=_chosen(DATABASES, database),
        stores=_chosen(STORES, sessions),
    )
    folder.mkdir(parents=True, exist_ok=True)
    results = run(plan, lambda told: click.echo(told, err=True), before=before)
    report = render(results)
    (folder / "bench.md").write_text(report)
    (folder / "bench.json").write_text(dump(results))
    (folder / "bench.svg").write_text(draw(results))
    click.echo(report)
    click.echo(f"written: {folder}/bench.md, bench.json, bench.svg")


def run(plan: Plan, progress: Callable[[str], None], *, before: Path | None = None) -> Results:
    """Everything the plan names, where PostgreSQL and Redis answer, with what was before where that is given."""
    results = Results(plan, machine=machine())
    databases, stores = list(plan.databases), list(plan.stores)
    if "PostgreSQL" in databases and not has_postgresql():
        progress(START_POSTGRESQL)
        databases.remove("PostgreSQL")
    if "Redis" in stores and not has_redis():
        progress(f"no Redis answers at {REDIS}: sessions are measured in SQLite alone")
        stores.remove("Redis")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for database, sessions in product(databases, stores):
            with contenders(database, sessions, folder, entries(sessions, before)) as started:
                results.measured += measure(started, plan, database=database, sessions=sessions, progress=progress)
        progress("in process")
        results.in_process += measure_in_process(folder, rounds=plan.rounds + 2, requests=plan.in_process)
        progress("where a request's CPU goes")
        results.shares += measure_shares(folder / "shares", requests=10 * plan.in_process)
        progress("a route that waits 50 ms")
        results.waiting += measure_waiting(folder, connections=plan.waiting, seconds=plan.waiting_seconds)
    return results


def _chosen(names: tuple[str, ...], choice: str) -> tuple[str, ...]:
    return tuple(name for name in names if choice in ("both", name.lower()))


if __name__ == "__main__":
    main()
