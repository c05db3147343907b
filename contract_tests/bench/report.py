"""The report: ratios first, then what they are made of, as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

from contract_tests.bench.contenders import SMALLEST_OF
from contract_tests.bench.figures import Figure, Figures, Load, per_second, server_cpu
from contract_tests.bench.plan import Plan
from contract_tests.bench.rounds import Measured

PACKAGES = ("flask", "gunicorn", "fastapi", "uvicorn", "sqlalchemy", "pydantic")
AIM_FROM, AIM_RATIO, AIM_CPU = 10, 1.0, 1.10


@dataclass(slots=True)
class Results:
    """All that a run measured."""

    plan: Plan
    measured: list[Measured] = field(default_factory=list)
    in_process: list[tuple[int, str, str, float]] = field(default_factory=list)
    waiting: list[tuple[str, int, float]] = field(default_factory=list)

    def in_process_figures(self) -> dict[tuple[str, str], list[float]]:
        """Microseconds by app and route, one for each round."""
        found: dict[tuple[str, str], list[float]] = {}
        for _, name, route, taken in self.in_process:
            found.setdefault((name, route), []).append(taken)
        return found


def render(results: Results) -> str:
    """The whole report."""
    figures = Figures(results.measured)
    parts = [
        f"# Benchmark\n\n{_machine()} {results.plan.rounds} interleaved rounds of {results.plan.seconds:g} s; the"
        " median, and in brackets the range over the rounds. A ratio is taken within a round.",
        f"The load client took {figures.client_cpu().told(0)} microseconds of CPU an answer beside the servers.",
        "## The aim\n\n" + "\n".join(_aims(figures)),
        "## Port by original\n\nAnswers a second: above 1 the port gives more. CPU: below 1 the port takes less.\n\n"
        + _table(("database", "route", "connections", "answers a second", "CPU a request"), _port_rows(figures)),
        "## Each app by the smallest in its own framework\n\nCPU a request, with the same database work.\n\n"
        + _table(("database", "route", "connections", "original", "port"), _smallest_rows(figures)),
        "## In process, without a server\n\nMicroseconds of CPU a request on SQLite, the app called as a server"
        " calls it.\n\n"
        + _table(
            (
                "route",
                *(f"{name}" for pair in SMALLEST_OF.items() for name in pair),
                "original / smallest",
                "port / smallest",
                "port / original",
            ),
            _in_process_rows(results),
        ),
        "## A route that waits 50 ms\n\nAnswers a second.\n\n"
        + _table(("form", *(str(number) for number in results.plan.waiting)), _waiting_rows(results)),
        "## Every figure\n\n"
        + _table(
            (
                "database",
                "route",
                "connections",
                "app",
                "answers a second",
                "p50 ms",
                "p99 ms",
                "CPU us",
                "refused",
                "lost",
            ),
            _all_rows(figures),
        ),
    ]
    return "\n\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class Miss:
    """Where the aim is missed; clearly, if in every round."""

    told: str
    clear: bool


def aims_missed(figures: Figures) -> Iterator[Miss]:
    """Where the port gives less than the original at 10 connections and more, or an edge costs over 1.10."""
    for load in figures.loads:
        if load.connections < AIM_FROM:
            continue
        rate = figures.ratio(load, "port", "original", per_second)
        if rate.median < AIM_RATIO:
            yield Miss(f"{_named(load)}: port / original {rate.told()} answers a second", rate.high < AIM_RATIO)
        for name, smallest in SMALLEST_OF.items():
            if figures.has(load, smallest):
                cpu = figures.ratio(load, name, smallest, server_cpu)
                if cpu.median > AIM_CPU:
                    yield Miss(f"{_named(load)}: {name} / {smallest} {cpu.told()} CPU", cpu.low > AIM_CPU)


def _aims(figures: Figures) -> Iterator[str]:
    missed = list(aims_missed(figures))
    yield f"The port at or above the original at {AIM_FROM} connections and more; each app within {AIM_CPU:.2f} of its"
    yield "smallest in CPU."
    if not missed:
        yield "Met everywhere."
    for heading, clear in (("Missed in every round", True), ("Missed by the median, not in every round", False)):
        found = [miss.told for miss in missed if miss.clear is clear]
        if found:
            yield f"\n{heading}, {len(found)} times:\n"
            yield from (f"- {told}" for told in found)


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}, {versions}."


def _named(load: Load) -> str:
    return f"{load.database}, {load.route}, {load.connections} connections"


def _cells(load: Load) -> list[str]:
    return [load.database, load.route, str(load.connections)]


def _port_rows(figures: Figures) -> Iterator[list[str]]:
    for load in figures.loads:
        values = (figures.ratio(load, "port", "original", value) for value in (per_second, server_cpu))
        yield _cells(load) + [value.told() for value in values]


def _smallest_rows(figures: Figures) -> Iterator[list[str]]:
    for load in figures.loads:
        if figures.has(load, "smallest Flask"):
            pairs = SMALLEST_OF.items()
            yield _cells(load) + [figures.ratio(load, name, to, server_cpu).told() for name, to in pairs]


def _in_process_rows(results: Results) -> Iterator[list[str]]:
    found = results.in_process_figures()
    for route in dict.fromkeys(route for _, route in found):
        taken = {name: found[name, route] for pair in SMALLEST_OF.items() for name in pair}
        ratios = [*SMALLEST_OF.items(), ("port", "original")]
        yield [route, *(Figure.of(values).told(0) for values in taken.values())] + [
            Figure.of(ours / theirs for ours, theirs in zip(taken[name], taken[to], strict=True)).told()
            for name, to in ratios
        ]


def _waiting_rows(results: Results) -> Iterator[list[str]]:
    by_form: dict[str, list[str]] = {}
    for form, _, rate in results.waiting:
        by_form.setdefault(form, []).append(f"{rate:.0f}")
    for form, rates in by_form.items():
        yield [form, *rates]


def _all_rows(figures: Figures) -> Iterator[list[str]]:
    for load in figures.loads:
        for name in [each for pair in SMALLEST_OF.items() for each in pair]:
            if figures.has(load, name):
                told = [
                    figures.figure(load, name, per_second).told(0),
                    figures.figure(load, name, lambda sample: sample.p50).told(1),
                    figures.figure(load, name, lambda sample: sample.p99).told(1),
                    figures.figure(load, name, server_cpu).told(0),
                    f"{figures.figure(load, name, lambda sample: sample.refused).high:.0f}",
                    f"{figures.figure(load, name, lambda sample: sample.lost).high:.0f}",
                ]
                yield [*_cells(load), name, *told]


def _table(heading: tuple[str, ...], rows: Iterator[list[str]]) -> str:
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
