"""Exact tests and limits of counted shares, in plain floats: binomial and hypergeometric tails."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

# From so many on, the normal limits with a continuity correction are as good, and far quicker.
_MANY = 2000
_NEGLIGIBLE = 1e-17
_FURTHEST = 38.0


def tail_of(z: float) -> float:
    """The probability beyond so many standard deviations, on one side."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def deviations(confidence: float) -> float:
    """How many standard deviations leave this share of a normal distribution on one side."""
    return NormalDist().inv_cdf(confidence)


def at_least(k: int, n: int, p: float) -> float:
    """The probability of k or more of n, where each has the probability p."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    return _outward(k, n, p) if k > n * p else max(0.0, 1.0 - at_most(k - 1, n, p))


def at_most(k: int, n: int, p: float) -> float:
    """The probability of k or fewer of n, where each has the probability p."""
    return 1.0 if k >= n else (0.0 if k < 0 else at_least(n - k, n, 1 - p))


def _outward(k: int, n: int, p: float) -> float:
    """The terms from k on, k being beyond the mean: each is smaller than the one before."""
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
    term = total = math.exp(log)
    odds = p / (1 - p)
    for i in range(k, n):
        term *= (n - i) / (i + 1) * odds
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(total, 1.0)


@lru_cache(maxsize=4096)
def lower_share(k: int, n: int, z: float) -> float:
    """Clopper and Pearson's lower limit of a share of which k of n were seen (Biometrika 26, 1934)."""
    if k <= 0:
        return 0.0
    if min(k, n - k) > _MANY:
        return _corrected(k, n, z, -1)
    return _solve(lambda p: at_least(k, n, p) < tail_of(z), 0.0, k / n)


def upper_share(k: int, n: int, z: float) -> float:
    """The upper limit: 1 where nothing was seen at all."""
    return 1.0 - lower_share(n - k, n, z) if n else 1.0


def _corrected(k: int, n: int, z: float, side: int) -> float:
    share = k / n
    return min(max(share + side * (z * math.sqrt(share * (1 - share) / n) + 0.5 / n), 0.0), 1.0)


def fewest_above(n: int, p: float, tail: float) -> int:
    """The smallest number that n trials of probability p reach with at most this probability; n + 1 if none."""
    if n * p > _MANY:
        return math.ceil(n * p + _spread(n, p, tail)) + 1
    low, high = math.floor(n * p), n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at_least(middle, n, p) <= tail else (middle, high)
    return high


def most_below(n: int, p: float, tail: float) -> int:
    """The largest number that n trials stay at or below with at most this probability; -1 if none."""
    if n * p > _MANY:
        return math.floor(n * p - _spread(n, p, tail)) - 1
    low, high = -1, math.ceil(n * p)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_most(middle, n, p) <= tail else (low, middle)
    return low


def _spread(n: int, p: float, tail: float) -> float:
    return -NormalDist().inv_cdf(max(tail, sys.float_info.min)) * math.sqrt(n * p * (1 - p))


def fisher(few: int, n: int, many: int, m: int) -> float:
    """The probability that `many` or more of all events fall on the m trials by chance, the others on the n.

    Fisher's exact test, one side: the trials of both kinds are alike, and so many events were seen in all.
    """
    events, trials = few + many, n + m
    if many <= events * m / trials:
        return 1.0
    log = _choose(m, many) + _choose(n, few) - _choose(trials, events)
    term = total = math.exp(log)
    for k in range(many, min(events, m)):
        term *= (m - k) / (k + 1) * (events - k) / (n - events + k + 1)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(total, 1.0)


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def evidence(holds: Callable[[float], bool]) -> float:
    """The smallest tail at which a claim holds that needs less the larger the tail is; 1.0 where it holds at none."""
    if not holds(0.0):
        return 1.0
    return tail_of(_solve(holds, 0.0, _FURTHEST))


def _solve(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a claim that holds at `low` ceases to hold on the way to `high`."""
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
