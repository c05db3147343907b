"""The report: ratios first, then what they are made of, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from contract_tests.live.bench.aims import AIMS, Verdict, verdicts
from contract_tests.live.bench.contenders import BEFORE, FULL, SMALLEST_OF, USUAL_OF
from contract_tests.live.bench.figures import Figure, Figures, Load, per_second, server_cpu
from contract_tests.live.bench.load import Sample
from contract_tests.live.bench.results import Results

LOAD = ("database", "sessions", "route", "connections")


def render(results: Results) -> str:
    """The whole report."""
    figures = Figures(results.measured)
    parts = [f"# Benchmark\n\n{conditions(results)}"]
    parts += [f"## {title}\n\n{text}" for title, text in tables(results).items()]
    parts.append("## Every figure\n\n" + _every_figure(figures))
    return "\n\n".join(parts) + "\n"


def conditions(results: Results) -> str:
    """Where and how it was measured."""
    plan, figures = results.plan, Figures(results.measured)
    return (
        f"{results.machine} {plan.rounds} interleaved rounds of {plan.seconds:g} s. A ratio is taken within a round;"
        " each cell has the median of the rounds and, in brackets, their quartiles. The load client took"
        f" {figures.client_cpu().told(0)} microseconds of CPU an answer beside the servers."
    )


def tables(results: Results) -> dict[str, str]:
    """The tables that a page shows, by their titles; one that nothing was measured for is left out."""
    figures = Figures(results.measured)
    found = list(verdicts(figures))
    built = {
        "The aims": _table(("aim", "loads", "reached", "worst"), _aim_rows(found)),
        "What is not reached": _missed(found),
        "Port by original": _ratios(figures, [("port", "original", per_second), ("port", "original", server_cpu)]),
        "Each app by the smallest in its own framework": _ratios(
            figures, [(app, to, server_cpu) for app, to in SMALLEST_OF.items()]
        ),
        "Each app by the usual one in its own framework": _ratios(
            figures, [(app, to, value) for app, to in USUAL_OF.items() for value in (server_cpu, per_second)]
        ),
        "Now by before": _ratios(
            figures, [(app, to, value) for app, to in BEFORE.items() for value in (per_second, server_cpu)]
        ),
        "In process, without a server": _table(
            (
                "route, microseconds of CPU",
                *(f"{name}" for pair in SMALLEST_OF.items() for name in pair),
                "original / smallest",
                "port / smallest",
                "port / original",
            ),
            _in_process_rows(results),
        ),
        "Where a request's CPU goes": _table(("part", *_share_columns(results)), _share_rows(results)),
        "A route that waits 50 ms": _table(
            ("answers a second of", *(f"{number} connections" for number in results.plan.waiting)),
            _waiting_rows(results),
        ),
    }
    return {title: text for title, text in built.items() if text}


def _aim_rows(found: list[Verdict]) -> Iterator[list[str]]:
    for aim in AIMS:
        of_aim = [each for each in found if each.aim == aim]
        if of_aim:
            # By its own bound: `GET /` has another than the rest.
            ordered = sorted(of_aim, key=lambda each: each.ratio.median / aim.bound_of(each.load.route))
            worst = ordered[0] if aim.at_least else ordered[-1]
            reached = sum(each.reached for each in of_aim)
            word = (
                "everywhere" if reached == len(of_aim) else f"in {reached}: **not reached** in {len(of_aim) - reached}"
            )
            yield [aim.told, str(len(of_aim)), word, f"{worst.ratio.told()}: {', '.join(_cells(worst.load))}"]


def _missed(found: list[Verdict]) -> str:
    missed = [each for each in found if not each.reached]
    if not found:
        return ""
    if not missed:
        return "Nothing: each aim is reached at each load."
    rows = (
        [f"{each.aim.contender} / {each.aim.to}", *_cells(each.load), each.ratio.told(), each.word] for each in missed
    )
    return _table(("ratio", *LOAD, "measured", "verdict"), rows)


Ratio = tuple[str, str, Callable[[Sample], float]]


def _ratios(figures: Figures, ratios: Sequence[Ratio]) -> str:
    """A column for each ratio, a row for each load where any of them was measured."""
    units: dict[Callable[[Sample], float], str] = {per_second: "answers a second", server_cpu: "CPU a request"}
    heading = (*LOAD, *(f"{app} / {to}, {units[value]}" for app, to, value in ratios))
    rows = []
    for load in figures.loads:
        cells = [
            figures.ratio(load, app, to, value).told() if figures.has(load, app) and figures.has(load, to) else ""
            for app, to, value in ratios
        ]
        if any(cells):
            rows.append(_cells(load) + cells)
    return _table(heading, iter(rows))


def _cells(load: Load) -> list[str]:
    return [load.database, load.sessions, load.route, str(load.connections)]


def _in_process_rows(results: Results) -> Iterator[list[str]]:
    found = results.in_process_figures()
    for route in dict.fromkeys(route for _, route in found):
        taken = {name: found[name, route] for pair in SMALLEST_OF.items() for name in pair}
        ratios = [*SMALLEST_OF.items(), ("port", "original")]
        yield [route, *(Figure.of(values).told(0) for values in taken.values())] + [
            Figure.of(ours / theirs for ours, theirs in zip(taken[name], taken[to], strict=True)).told()
            for name, to in ratios
        ]


def _share_columns(results: Results) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{app}, {route}" for app, route, _, _ in results.shares))


def _share_rows(results: Results) -> Iterator[list[str]]:
    by_part: dict[str, list[str]] = {}
    for _, _, part, share in results.shares:
        by_part.setdefault(part, []).append(f"{share:.0%}")
    for part, shares in by_part.items():
        yield [part, *shares]


def _waiting_rows(results: Results) -> Iterator[list[str]]:
    by_form: dict[str, list[str]] = {}
    for form, _, rate in results.waiting:
        by_form.setdefault(form, []).append(f"{rate:.0f}")
    for form, rates in by_form.items():
        yield [form, *rates]


def _every_figure(figures: Figures) -> str:
    heading = ("app", "answers a second", "p50 ms", "p99 ms", "CPU us", "refused", "lost")
    return _table((*LOAD, *heading), _all_rows(figures))


def _all_rows(figures: Figures) -> Iterator[list[str]]:
    by_name = {**SMALLEST_OF, **BEFORE, **USUAL_OF, **FULL}
    names = dict.fromkeys([*by_name, *by_name.values()])
    for load in figures.loads:
        for name in names:
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
    """A Markdown table; nothing where it has no rows."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading), *lines]) if lines else ""
