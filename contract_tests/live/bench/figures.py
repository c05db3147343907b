"""Medians and quartiles over rounds; a ratio is taken in each round first, of two that had their turns in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median, quantiles

from contract_tests.live.bench.load import Sample
from contract_tests.live.bench.rounds import Measured


@dataclass(frozen=True, slots=True)
class Figure:
    """A median and its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        all_values = list(values)
        if len(all_values) < 2:
            return cls(*all_values * 3)
        low, _, high = quantiles(all_values, n=4, method="inclusive")
        return cls(median(all_values), low, high)

    def told(self, digits: int = 2) -> str:
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


@dataclass(frozen=True, slots=True)
class Load:
    """What a contender was put under."""

    database: str
    sessions: str
    route: str
    connections: int


class Figures:
    """The samples of a run, asked by load and contender."""

    def __init__(self, measured: Iterable[Measured]) -> None:
        self._samples: dict[tuple[Load, str], dict[int, Sample]] = {}
        for each in measured:
            load = Load(each.database, each.sessions, each.route, each.connections)
            self._samples.setdefault((load, each.contender), {})[each.round] = each.sample

    @property
    def loads(self) -> list[Load]:
        return list(dict.fromkeys(load for load, _ in self._samples))

    def has(self, load: Load, contender: str) -> bool:
        return (load, contender) in self._samples

    def figure(self, load: Load, contender: str, value: Callable[[Sample], float]) -> Figure:
        return Figure.of(value(sample) for sample in self._samples[load, contender].values())

    def ratio(self, load: Load, contender: str, to: str, value: Callable[[Sample], float]) -> Figure:
        """One contender's value by another's."""
        ours, theirs = self._samples[load, contender], self._samples[load, to]
        return Figure.of(value(ours[number]) / value(theirs[number]) for number in ours if number in theirs)

    def client_cpu(self) -> Figure:
        """Microseconds that the load client itself took for an answer."""
        return Figure.of(sample.client_cpu for samples in self._samples.values() for sample in samples.values())


def per_second(sample: Sample) -> float:
    return sample.per_second


def server_cpu(sample: Sample) -> float:
    return sample.server_cpu
