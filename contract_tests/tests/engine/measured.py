"""Simulated metrics: times and statuses drawn from a seed, counted and shown as an app does it."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cache
from statistics import NormalDist

from contract_tests.parity.metrics.families import Route
from contract_tests.parity.metrics.histogram import Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)


def histogram(times, buckets=BUCKETS):
    counts = [0] * len(buckets)
    for each in times:
        counts[bisect_left(buckets, each)] += 1
    return Histogram(buckets, tuple(sum(counts[: at + 1]) for at in range(len(counts))), sum(times))


@cache
def population(median, spread, size=4000):
    """The times of a log-normal distribution, at even steps of probability."""
    normal = NormalDist(math.log(median), spread)
    return [math.exp(normal.inv_cdf((at + 0.5) / size)) for at in range(size)]


def drawn(rng, n, *, name="GET /", median=0.004, spread=0.5, errors=0.0, refusals=0.0):
    """A route with n requests whose times are distributed log-normally; shares of them are 5xx and 4xx."""
    times = rng.choices(population(median, spread), k=n)
    statuses = {
        kind: sum(rng.random() < share for _ in range(n)) if share else 0
        for kind, share in (("5xx", errors), ("4xx", refusals))
    }
    return Route(name, n, statuses, histogram(times))


def text(role, routes, *, scale=1):
    """What an app's /metrics says of its routes: {(method, route): (statuses, histogram)}."""
    lines = ["# TYPE http_requests_total counter"]
    for (method, route), (statuses, told) in routes.items():
        labels = f'app="{role}",method="{method}",route="{route}"'
        lines += [f'http_requests_total{{{labels},status="{status}"}} {n * scale}' for status, n in statuses.items()]
        lines += [
            f'http_request_seconds_bucket{{{labels},le="{bound}"}} {upto * scale}'.replace('"inf"', '"+Inf"')
            for bound, upto in zip(told.bounds, told.cumulated, strict=True)
        ]
        lines += [f"http_request_seconds_sum{{{labels}}} {told.total * scale}"]
        lines += [f"http_request_seconds_count{{{labels}}} {told.count * scale}"]
    return "\n".join(lines) + "\n"
