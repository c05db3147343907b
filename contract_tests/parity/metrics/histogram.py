"""Quantiles of a histogram, and between which limits the true one lies, however the times are distributed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from contract_tests.parity.metrics.limits import fewest_above, most_below, tail_of

# Below the first bound times are sought down to this part of it.
_LOWEST = 0.1
# Points at which the average of a bucket's times is taken.
_POINTS = 8
_STEPS = 16
_MOST_LEANING = 4.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many times lie at or below each bound, in seconds: cumulated, the last bound is infinite; and their sum."""

    bounds: tuple[float, ...]
    cumulated: tuple[int, ...]
    total: float | None = None

    @property
    def count(self) -> int:
        return self.cumulated[-1] if self.cumulated else 0

    def quantile(self, share: float) -> float:
        """The time that this share of all is at or below; the last finite bound for what lies above it.

        Within a bucket the times are spread as a log-normal distribution through its two bounds would have them, and
        then lean to one side in all buckets alike, so that their sum is the one that was counted. By even spreading,
        two apps whose times are alike and lie on either side of a bound would look far apart.
        """
        return _time(self, share * self.count, _lean(self))

    def lower(self, share: float, z: float) -> float:
        """A time that the true quantile is above, but for the probability beyond z; 0.0 where there are too few."""
        above = fewest_above(self.count, 1 - share, tail_of(z))
        return self.quantile(1 - above / self.count) if above <= self.count else 0.0

    def upper(self, share: float, z: float) -> float:
        """A time that the true quantile is below, but for the probability beyond z; infinite for too few times."""
        above = most_below(self.count, 1 - share, tail_of(z))
        if above < 0 or self.count - above > self._finite:
            return math.inf
        return self.quantile(1 - above / self.count)

    def scaled(self, factor: float) -> Histogram:
        """The same distribution with so many times the requests."""
        counts = tuple(round(each * factor) for each in self.cumulated)
        return Histogram(self.bounds, counts, None if self.total is None else self.total * factor)

    @property
    def _finite(self) -> int:
        """How many times lie below the last finite bound."""
        return self.cumulated[-2] if len(self.cumulated) > 1 else 0


def _time(histogram: Histogram, rank: float, lean: float) -> float:
    """The time of a rank, which need not be whole: that many are at or below it."""
    lower, below = 0.0, 0
    for bound, upto in zip(histogram.bounds, histogram.cumulated, strict=True):
        if upto >= rank and upto > below:
            if math.isinf(bound):
                return lower
            lower = lower or bound * _LOWEST
            place = _place(below, upto, rank, histogram.count)
            return lower * math.pow(bound / lower, math.pow(place, math.exp(lean)))
        lower, below = bound, upto
    return lower


@lru_cache(maxsize=1024)
def _lean(histogram: Histogram) -> float:
    """How far the times lean to the lower bounds, so that their sum is right; 0 where the sum does not tell."""
    if not histogram.total or histogram._finite < histogram.count:
        return 0.0
    points = list(_points(histogram))
    low, high = -_MOST_LEANING, _MOST_LEANING
    for _ in range(_STEPS):
        middle = (low + high) / 2
        power = math.exp(middle)
        total = sum(weight * math.exp(log + width * place**power) for weight, log, width, place in points)
        low, high = (middle, high) if total > histogram.total else (low, middle)
    return (low + high) / 2


def _points(histogram: Histogram) -> Iterator[tuple[float, float, float, float]]:
    """Times that stand for all: how many each stands for, its bucket's logarithms (lower, width), and its place."""
    lower, below = 0.0, 0
    for bound, upto in zip(histogram.bounds, histogram.cumulated, strict=True):
        if upto > below:
            lower = lower or bound * _LOWEST
            step = (upto - below) / _POINTS
            for at in range(_POINTS):
                place = _place(below, upto, below + (at + 0.5) * step, histogram.count)
                yield step, math.log(lower), math.log(bound / lower), place
        lower, below = bound, upto


def _place(below: int, upto: int, rank: float, count: int) -> float:
    """How far into its bucket a rank lies, from 0 to 1."""
    first, last, here = (_deviation(each, count) for each in (below, upto, rank))
    return max((here - first) / (last - first), 0.0) if last > first else 0.5


def _deviation(rank: float, count: int) -> float:
    """Where a rank lies on the normal distribution; the first and the last are half a request inside."""
    return _NORMAL.inv_cdf(min(max(rank, 0.5), count - 0.5) / count) if count > 1 else 0.0


_NORMAL = NormalDist()
