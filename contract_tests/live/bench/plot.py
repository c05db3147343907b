"""The plot: one small panel a route, ratios against connections, written as SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from contract_tests.live.bench.aims import AIMS, Aim
from contract_tests.live.bench.contenders import OWN, SHARED, SMALLEST_OF
from contract_tests.live.bench.figures import Figure, Figures
from contract_tests.live.bench.results import Results

# Colours that people who see few of them can tell apart (Okabe and Ito), each with a mark of its own.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
TICKS = (0.125, 0.25, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 16)
COLUMNS, WIDTH, HEIGHT, GAP, MARGIN = 4, 230, 170, 34, 48
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.h{font-size:15px;font-weight:600}.t{font-weight:600}"
    ".s{fill:#555}.axis{stroke:#bbb}.aim{stroke:#222;stroke-dasharray:4 3}"
)


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a panel: a figure for each number of connections."""

    name: str
    points: dict[int, Figure]


@dataclass(frozen=True, slots=True)
class Band:
    """Panels that share a scale and an aim."""

    title: str
    aim: Aim
    panels: dict[str, list[Series]]

    @property
    def scale(self) -> tuple[float, float]:
        """From the medians, and cuts off what a single round was out by: one stray sample would flatten all else."""
        figures = [figure for panel in self.panels.values() for series in panel for figure in series.points.values()]
        medians = [self.aim.bound, *(figure.median for figure in figures)]
        return min(medians) * 0.75, max(medians) * 1.3

    @property
    def height(self) -> int:
        return 64 + -(-len(self.panels) // COLUMNS) * (HEIGHT + GAP)


def draw(results: Results) -> str:
    """The whole plot as an SVG document."""
    figures = Figures(results.measured)
    bands = list(_bands(figures))
    width = MARGIN + COLUMNS * (WIDTH + GAP)
    top = 20
    parts: list[str] = []
    for band in bands:
        parts += _band(band, top)
        top += band.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
        ' role="img">'
        f"<title>Benchmark of the original and the port</title><style>{STYLE}</style>"
        f'<rect width="{width}" height="{top}" fill="#fff"/>' + "".join(parts) + "</svg>\n"
    )


def _bands(figures: Figures) -> Iterator[Band]:
    ways = list(dict.fromkeys((load.database, load.sessions) for load in figures.loads))
    rate, *of_cpu = AIMS
    yield from _band_of("Port by original, answers a second: above the line the port gives more", [rate], ways, figures)
    smallest = [aim for aim in of_cpu if aim.to in SMALLEST_OF.values()]
    usual = [aim for aim in of_cpu if aim not in smallest]
    yield from _band_of(
        "CPU a request by the smallest app in the same framework: less is better", smallest, ways, figures
    )
    yield from _band_of("CPU a request by the usual packages for the same jobs: less is better", usual, ways, figures)


def _band_of(title: str, aims: list[Aim], ways: list[tuple[str, str]], figures: Figures) -> Iterator[Band]:
    """A band with a series for each way and aim that was measured; none where none was."""
    panels = {}
    for route in SHARED + OWN:
        series = []
        for aim in aims:
            for database, sessions in ways:
                points = {
                    load.connections: figures.ratio(load, aim.contender, aim.to, aim.value)
                    for load in figures.loads
                    if (load.database, load.sessions, load.route) == (database, sessions, route)
                    and figures.has(load, aim.contender)
                    and figures.has(load, aim.to)
                }
                if points:
                    name = f"{database}, sessions in {sessions}" if len(aims) == 1 else f"{aim.contender}, {database}"
                    series.append(Series(name, points))
        if series:
            panels[route] = series
    if panels:
        yield Band(title, aims[0], panels)


def _band(band: Band, top: int) -> Iterator[str]:
    yield _text(MARGIN, top + 14, band.title, "h")
    names = [series.name for series in next(iter(band.panels.values()))]
    x = MARGIN
    for number, name in enumerate(names):
        yield _mark(number, x + 5, top + 33)
        yield _text(x + 16, top + 37, name, "s")
        x += 40 + 7 * len(name)
    yield f'<line class="aim" x1="{x}" x2="{x + 24}" y1="{top + 33}" y2="{top + 33}"/>'
    yield _text(
        x + 30,
        top + 37,
        f"aim {band.aim.bound:g}" + (f", GET / {band.aim.hello:g}" if band.aim.hello != band.aim.bound else ""),
        "s",
    )
    for number, (route, panel) in enumerate(band.panels.items()):
        row, column = divmod(number, COLUMNS)
        yield from _panel(band, route, panel, MARGIN + column * (WIDTH + GAP), top + 66 + row * (HEIGHT + GAP))


def _panel(band: Band, route: str, panel: list[Series], x: int, y: int) -> Iterator[str]:
    low, high = band.scale
    inner = HEIGHT - 36

    def at(value: float) -> float:
        # Logarithmic: half as much lies as far from the aim as twice as much.
        shown = min(max(value, low), high)
        return y + inner - inner * math.log(shown / low) / math.log(high / low)

    yield _text(x, y - 6, route, "t")
    for value in _ticks(low, high):
        yield f'<line class="axis" x1="{x}" x2="{x + WIDTH}" y1="{at(value):.1f}" y2="{at(value):.1f}"/>'
        yield _text(x - 6, at(value) + 4, f"{value:g}", "s", anchor="end")
    aim = at(band.aim.bound_of(route))
    yield f'<line class="aim" x1="{x}" x2="{x + WIDTH}" y1="{aim:.1f}" y2="{aim:.1f}"/>'
    connections = sorted({number for series in panel for number in series.points})
    for place, number in enumerate(connections):
        centre = x + WIDTH * (place + 0.5) / len(connections)
        yield _text(centre, y + inner + 16, str(number), "s", anchor="middle")
        for which, series in enumerate(panel):
            if number in series.points:
                yield from _point(series.points[number], which, centre + 13 * (which - (len(panel) - 1) / 2), at)
    yield _text(x + WIDTH / 2, y + inner + 31, "connections", "s", anchor="middle")


def _point(figure: Figure, which: int, x: float, at: Callable[[float], float]) -> Iterator[str]:
    yield (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{at(figure.low):.1f}" y2="{at(figure.high):.1f}"'
        f' stroke="{COLOURS[which % 4]}" stroke-width="2"/>'
    )
    yield _mark(which, x, at(figure.median))


def _mark(which: int, x: float, y: float) -> str:
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" ',
        f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" ',
        f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z" ',
        f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z" ',
    )
    return f'{shapes[which % 4]}fill="{COLOURS[which % 4]}"/>'


def _ticks(low: float, high: float) -> list[float]:
    return [value for value in TICKS if low <= value <= high]


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
