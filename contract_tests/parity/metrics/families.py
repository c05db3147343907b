"""Which series of an app count its requests, and what they say for each route; the usual exporters are known.

The names of the labels are those of prometheus_client's users, prometheus-flask-exporter, starlette-exporter,
prometheus-fastapi-instrumentator and OpenTelemetry.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from contract_tests.parity.metrics.histogram import Histogram
from contract_tests.parity.metrics.samples import MetricsError, Sample

ROUTES = (
    "route", "handler", "http_route", "url_rule", "path_template", "path", "endpoint", "http_target", "view", "uri",
)  # fmt: skip
METHODS = ("method", "http_request_method", "http_method", "request_method")
STATUSES = (
    "status", "status_code", "http_response_status_code", "http_status_code", "http_status", "response_code", "code",
)  # fmt: skip
ROLES = ("original", "port")
_TIMES = re.compile(r"seconds|milliseconds|_ms$|duration|latency")
_MILLISECONDS = re.compile(r"_(milliseconds|ms)$")
_COUNTED = ("_total", "_count", "_bucket")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Route:
    """What was counted of one route: its requests, how many had a 4xx and a 5xx, and their seconds."""

    name: str
    requests: int
    statuses: dict[str, int]
    seconds: Histogram


def increase(before: Sequence[Sample], after: Sequence[Sample]) -> list[Sample]:
    """What was added to each counter in between. Raises MetricsError where one has less than before."""
    known = {(each.name, each.labels): each.value for each in before}
    grown = []
    for each in after:
        value = each.value - known.pop((each.name, each.labels), 0.0)
        if value < 0 and each.name.endswith(_COUNTED):
            raise MetricsError(_ANEW)
        grown.append(Sample(each.name, each.labels, value))
    if any(name.endswith(_COUNTED) and value for (name, _), value in known.items()):
        raise MetricsError(_ANEW)
    return grown


_ANEW = (
    "its counters began anew in this time: it was restarted, or has several workers that each count alone (METRICS_DIR)"
)


def routes_of(
    samples: Sequence[Sample], role: str, *, latency: Sequence[str] = (), requests: Sequence[str] = ()
) -> dict[str, Route]:
    """Each route that had requests, by method and the shape of its path.

    `latency` and `requests` are names of metrics that are taken in place of those found. Raises MetricsError.
    """
    samples = _own([each for each in samples if math.isfinite(each.value)], role)
    buckets = _family(samples, "_bucket", latency, "--latency", timed=True)
    statuses = _statuses(samples, buckets, requests)
    histograms, names = _histograms(samples, buckets)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in statuses:
        key, name = _key(each)
        names.setdefault(key, name)
        counts[key][_class(each)] += round(each.value)
    return {
        key: Route(names[key], total, dict(counts[key]), histograms.get(key, Histogram((), ())))
        for key in sorted(counts)
        if (total := sum(counts[key].values()))
    }


def latency_name(samples: Sequence[Sample], latency: Sequence[str]) -> str:
    """The name of the histogram that is taken. Raises MetricsError."""
    return _family(samples, "_bucket", latency, "--latency", timed=True)


def _own(samples: list[Sample], role: str) -> list[Sample]:
    """Those that the app tells of itself, where they are labelled with an app of ours. Raises MetricsError."""
    told = {each.label("app") for each in samples} & set(ROLES)
    if told and role not in told:
        raise MetricsError(f"these are the metrics of the {told.pop()} (label app), not of the {role}")
    return [each for each in samples if each.label("app") in {role, None} or each.label("app") not in ROLES]


def _family(samples: Iterable[Sample], suffix: str, chosen: Sequence[str], option: str, *, timed: bool) -> str:
    """The one metric with a route label; without its suffix. Raises MetricsError where there is none, or several."""
    found = sorted(
        {
            each.name.removesuffix(suffix)
            for each in samples
            if each.name.endswith(suffix) and _label(each, ROUTES) and (timed or _label(each, STATUSES))
        }
    )
    what = "histogram with a route" if timed else "counter with a route and a status"
    if chosen:
        asked = {name.removesuffix(suffix) for name in chosen}
        if named := [name for name in found if name in asked]:
            return named[0]
        raise MetricsError(f"{option} names no {what}; there are: {', '.join(found) or 'none'}")
    fit = [name for name in found if _TIMES.search(name)] if timed else [name for name in found if "request" in name]
    if len(fit) == 1:
        return fit[0]
    if not fit:
        raise MetricsError(f"no {what} is there: a label such as {', '.join(ROUTES[:3])} is needed")
    raise MetricsError(f"more than one {what} is there, choose by {option}: {', '.join(fit)}")


def _statuses(samples: Sequence[Sample], buckets: str, chosen: Sequence[str]) -> list[Sample]:
    """Counts of requests with a route and a status: the histogram's own, or those of a counter."""
    own = [each for each in samples if each.name == f"{buckets}_count" and _label(each, STATUSES)]
    if own and not chosen:
        return own
    name = _family(samples, "_total", chosen, "--requests", timed=False)
    return [each for each in samples if each.name == f"{name}_total"]


def _histograms(samples: Sequence[Sample], name: str) -> tuple[dict[str, Histogram], dict[str, str]]:
    """The histogram of each route, in seconds, and how the app writes the route."""
    scale = 0.001 if _MILLISECONDS.search(name) else 1.0
    counts: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    sums: dict[str, float] = {}
    names: dict[str, str] = {}
    for each in samples:
        if each.name == f"{name}_bucket":
            key, names_it = _key(each)
            names.setdefault(key, names_it)
            counts[key][_bound(each) * scale] += each.value
        elif each.name == f"{name}_sum":
            key, _ = _key(each)
            sums[key] = sums.get(key, 0.0) + each.value * scale
    return {key: _histogram(counted, sums.get(key)) for key, counted in counts.items()}, names


def _bound(each: Sample) -> float:
    """The upper bound of a bucket. Raises MetricsError."""
    told = each.label("le") or "inf"
    with suppress(ValueError):
        if not math.isnan(bound := float(told)):
            return bound
    raise MetricsError(f"a bucket of {each.name} ends at {told[:40]!r} (label le), which is no number")


def _histogram(counted: dict[float, float], total: float | None) -> Histogram:
    # A text without its last bound has at least as many as the one before.
    counted.setdefault(math.inf, max(counted.values()))
    bounds = tuple(sorted(counted))
    cumulated, most = [], 0
    for bound in bounds:
        most = max(most, round(counted[bound]))
        cumulated.append(most)
    return Histogram(bounds, tuple(cumulated), total)


def _key(each: Sample) -> tuple[str, str]:
    """Method and path, with every placeholder alike: Flask and FastAPI write them differently. And as it is written."""
    method = (_label(each, METHODS) or "").upper()
    route = _label(each, ROUTES) or ""
    return f"{method} {_PLACEHOLDER.sub('{}', route)}".strip(), f"{method} {route}".strip()


def _class(each: Sample) -> str:
    """`5xx` for 503, 5xx or 5XX."""
    return f"{(_label(each, STATUSES) or '-')[0]}xx"


def _label(each: Sample, names: Sequence[str]) -> str | None:
    found = dict(each.labels)
    return next((found[name] for name in names if name in found), None)
