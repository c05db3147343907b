"""For each route: is the port worse than the original, is it alike, or was the traffic too little to tell?

*Worse* is said of the whole table with one confidence, by Holm's method (Scandinavian Journal of Statistics 6, 1979).
*Alike* is said of each by itself: that the port is no worse than what is tolerated, with the same confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from contract_tests.parity.metrics.families import Route
from contract_tests.parity.metrics.limits import deviations, evidence, fisher, lower_share, upper_share

WORSE, ALIKE, UNCLEAR = "worse", "alike", "too little traffic"
KINDS = ("5xx", "4xx", "latency")
# As many times the requests as would be told: more are not waited for.
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What is tolerated: shares of all requests, and times of the original's; and the confidence of what is said."""

    errors_within: float = 0.005
    refusals_within: float = 0.02
    slower_within: float = 1.25
    quantile: float = 0.95
    confidence: float = 0.95
    kinds: tuple[str, ...] = KINDS


@dataclass(slots=True)
class Judged:
    """One kind of one route: shares or seconds, the verdict, and how it was come by.

    `chance` is the probability to see at least so much where the port is no worse. `at_least` is what the port is
    worse by, a difference of shares or a factor, with the confidence of the terms. `within` says whether so many times
    the requests, all as those seen, show that the port is no worse than what is tolerated.
    """

    kind: str
    original: float
    port: float
    chance: float
    at_least: float
    within: Callable[[float], bool]
    verdict: str = ""

    def needed(self) -> float | None:
        """How many times the requests would show that the port is no worse; None where no number would."""
        factor = 2.0
        while not self.within(factor):
            factor *= 2
            if factor > _MOST:
                return None
        low, high = factor / 2, factor
        for _ in range(6):
            middle = (low + high) / 2
            low, high = (low, middle) if self.within(middle) else (middle, high)
        return high


@dataclass(slots=True)
class Row:
    """One route that both apps have served."""

    name: str
    requests: tuple[int, int]
    judged: list[Judged] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return worst(each.verdict for each in self.judged)


def worst(verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    return next((each for each in (WORSE, UNCLEAR) if each in found), ALIKE)


def compare_routes(original: Mapping[str, Route], port: Mapping[str, Route], terms: Terms) -> list[Row]:
    """A row for each route that both have served, in the order of their names, with its verdicts."""
    rows = []
    for key in sorted(original.keys() & port.keys()):
        ours, theirs = original[key], port[key]
        row = Row(ours.name, (ours.requests, theirs.requests))
        row.judged = [_JUDGES[kind](ours, theirs, terms) for kind in terms.kinds]
        rows.append(row)
    _decide([each for row in rows for each in row.judged], terms)
    return rows


def _decide(judged: list[Judged], terms: Terms) -> None:
    """Say what is worse with one confidence for all; of the rest, what is alike."""
    still = True
    ordered = sorted(judged, key=lambda each: each.chance)
    for number, each in enumerate(ordered):
        still = still and each.chance <= (1 - terms.confidence) / (len(ordered) - number)
        each.verdict = WORSE if still else ALIKE if each.within(1.0) else UNCLEAR


def _judge_shares(kind: str, ours: Route, theirs: Route, terms: Terms) -> Judged:
    tolerated = terms.errors_within if kind == "5xx" else terms.refusals_within
    few, n = ours.statuses.get(kind, 0), ours.requests
    many, m = theirs.statuses.get(kind, 0), theirs.requests
    z = deviations(terms.confidence)
    # What fails on the port alone is never tolerated, however seldom it does.
    exact = partial(fisher, few, n, many, m)
    beyond = partial(evidence, lambda z: _lower(few, n, many, m, z) > tolerated)
    chance = exact() if kind == "5xx" else beyond()

    def within(factor: float) -> bool:
        few_, n_, many_, m_ = (round(each * factor) for each in (few, n, many, m))
        return _upper(few_, n_, many_, m_, z) <= tolerated

    return Judged(kind, few / n, many / m, chance, _lower(few, n, many, m, z), within)


def _lower(few: int, n: int, many: int, m: int, z: float) -> float:
    """The lower limit of how much larger the second share is: both limits combined (Newcombe, Stat. Med. 17, 1998)."""
    first, second = few / n, many / m
    return second - first - math.hypot(second - lower_share(many, m, z), upper_share(few, n, z) - first)


def _upper(few: int, n: int, many: int, m: int, z: float) -> float:
    first, second = few / n, many / m
    return second - first + math.hypot(upper_share(many, m, z) - second, first - lower_share(few, n, z))


def _judge_latency(ours: Route, theirs: Route, terms: Terms) -> Judged:
    if not (ours.seconds.count and theirs.seconds.count):
        return Judged("latency", math.nan, math.nan, 1.0, math.nan, lambda _: False)
    tolerated, z = math.log(terms.slower_within), deviations(terms.confidence)
    quantiles = ours.seconds.quantile(terms.quantile), theirs.seconds.quantile(terms.quantile)
    chance = evidence(lambda z: _slower_by(ours, theirs, terms.quantile, z) > tolerated)

    def within(factor: float) -> bool:
        more = (
            replace(ours, seconds=ours.seconds.scaled(factor)),
            replace(theirs, seconds=theirs.seconds.scaled(factor)),
        )
        return _slower_at_most(*more, terms.quantile, z) <= tolerated

    return Judged("latency", *quantiles, chance, math.exp(_slower_by(ours, theirs, terms.quantile, z)), within)


def _slower_by(ours: Route, theirs: Route, share: float, z: float) -> float:
    """The lower limit of the logarithm of how many times the original's quantile the port's is."""
    first, second = (_log(each.seconds.quantile(share)) for each in (ours, theirs))
    up, down = ours.seconds.upper(share, z), theirs.seconds.lower(share, z)
    return second - first - math.hypot(_log(up) - first, second - _log(down))


def _slower_at_most(ours: Route, theirs: Route, share: float, z: float) -> float:
    first, second = (_log(each.seconds.quantile(share)) for each in (ours, theirs))
    up, down = theirs.seconds.upper(share, z), ours.seconds.lower(share, z)
    return second - first + math.hypot(_log(up) - second, first - _log(down))


def _log(seconds: float) -> float:
    return math.log(seconds) if seconds > 0 else -math.inf


_JUDGES: dict[str, Callable[[Route, Route, Terms], Judged]] = {
    "5xx": partial(_judge_shares, "5xx"),
    "4xx": partial(_judge_shares, "4xx"),
    "latency": _judge_latency,
}
