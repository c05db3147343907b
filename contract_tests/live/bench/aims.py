"""What the project aims at, as ratios of interleaved rounds, and whether each is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from contract_tests.live.bench.contenders import SMALLEST_OF, USUAL_OF
from contract_tests.live.bench.figures import Figure, Figures, Load, per_second, server_cpu
from contract_tests.live.bench.load import Sample

# With one connection nothing is at once: it is shown, and no aim is held there.
FROM_CONNECTIONS = 10
HELLO = "GET /"


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound for a ratio of two contenders: at least it in answers a second, at most it in CPU a request."""

    contender: str
    to: str
    bound: float
    hello: float
    at_least: bool = False

    @property
    def value(self) -> Callable[[Sample], float]:
        return per_second if self.at_least else server_cpu

    @property
    def told(self) -> str:
        ratio, unit = f"{self.contender} / {self.to}", "answers a second" if self.at_least else "CPU a request"
        sign = ">=" if self.at_least else "<="
        apart = f", {HELLO} {sign} {self.hello:g}" if self.hello != self.bound else ""
        return f"{ratio}, {unit} {sign} {self.bound:g}{apart}"

    def bound_of(self, route: str) -> float:
        return self.hello if route == HELLO else self.bound

    def reached(self, load: Load, ratio: Figure) -> bool:
        bound = self.bound_of(load.route)
        return ratio.median >= bound if self.at_least else ratio.median <= bound

    def clearly_missed(self, load: Load, ratio: Figure) -> bool:
        """Whether the quartiles miss it too."""
        bound = self.bound_of(load.route)
        return ratio.high < bound if self.at_least else ratio.low > bound


AIMS = (
    Aim("port", "original", 1.0, 1.0, at_least=True),
    *(Aim(app, smallest, 1.25, 1.6) for app, smallest in SMALLEST_OF.items()),
    *(Aim(app, usual, 0.8, 0.8) for app, usual in USUAL_OF.items() if app.startswith("port")),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An aim at one load."""

    aim: Aim
    load: Load
    ratio: Figure

    @property
    def reached(self) -> bool:
        return self.aim.reached(self.load, self.ratio)

    @property
    def word(self) -> str:
        if self.reached:
            return "reached"
        return "not reached" if self.aim.clearly_missed(self.load, self.ratio) else "not reached, within the spread"


def verdicts(figures: Figures, aims: Iterable[Aim] = AIMS) -> Iterator[Verdict]:
    """Every aim at every load where both contenders were measured."""
    for aim in aims:
        for load in figures.loads:
            both = figures.has(load, aim.contender) and figures.has(load, aim.to)
            if both and load.connections >= FROM_CONNECTIONS:
                yield Verdict(aim, load, figures.ratio(load, aim.contender, aim.to, aim.value))
