"""Quantiles of a histogram, and between which limits the true one lies, however the times are distributed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from contract_tests.parity.metrics.limits import fewest_above, most_below, tail_of

# A common place in the buckets nearer to their bounds than this is not believed.
_EDGE = 0.02


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

        Within a bucket the times are spread so that their sum is the one that was counted: they lean to the same side
        in each. Without that, two apps whose times are alike, and lie on either side of a bound, would look far apart.
        """
        wanted = share * self.count
        lower, below = 0.0, 0
        for bound, upto in zip(self.bounds, self.cumulated, strict=True):
            if upto >= wanted and upto > below:
                if math.isinf(bound):
                    return lower
                return lower + (bound - lower) * _place((wanted - below) / (upto - below), self._lean())
            lower, below = bound, upto
        return lower

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

    def _lean(self) -> float:
        """Where between its bucket's bounds the average time lies: 0 at the lower one, 1 at the upper one."""
        if self.total is None or self._finite < self.count:
            return 0.5
        lowest = width = 0.0
        edges = pairwise((0.0, *self.bounds[:-1]))
        for (lower, upper), (before, upto) in zip(edges, pairwise((0, *self.cumulated[:-1])), strict=True):
            lowest += lower * (upto - before)
            width += (upper - lower) * (upto - before)
        return min(max((self.total - lowest) / width, _EDGE), 1 - _EDGE) if width else 0.5


def _place(share: float, lean: float) -> float:
    """How far into a bucket this share of its times reaches, where they lie at `lean` on average.

    The density is exponential over the bucket, the least that is said where the average alone is known.
    """
    slope = _slope(lean)
    if abs(slope) < 1e-6:
        return share
    return math.log1p(share * math.expm1(slope)) / slope


def _slope(lean: float) -> float:
    """The slope of the exponential density on [0, 1] whose mean is `lean`."""
    low, high = -100.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean(middle) < lean else (low, middle)
    return (low + high) / 2


def _mean(slope: float) -> float:
    return 0.5 + slope / 12 if abs(slope) < 1e-4 else 1 / -math.expm1(-slope) - 1 / slope
