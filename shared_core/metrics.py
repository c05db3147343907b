"""What a process counts of its requests, for Prometheus: the same names, labels and buckets in both apps.

Each process counts for itself: with several workers behind one address (gunicorn's `--workers`, several containers)
a scrape meets any one of them, so run one process an address, or have each scraped at an address of its own.
prometheus_client's multi-process mode needs a directory and the environment before its import, and is not used.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from shared_core.errors import NotFound
from shared_core.http.forwarded import Client, Proxies

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Seconds. A hello takes a millisecond, a password a tenth of a second, and a pool gives up after three.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics(Collector):
    """The counts of one Services, in a registry of their own: two apps in one process do not count together."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests", "Requests that were answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._in_progress = Gauge(
            "http_requests_in_progress", "Requests that are being answered.", registry=self._registry
        )

    def begin(self) -> None:
        """Count a request that arrives."""
        self._in_progress.inc()

    def end(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer is over; `method` and `route` are of a bounded number."""
        self._in_progress.dec()
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """Every count, without the times at which prometheus_client began to count."""
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def get_metrics(metrics: Metrics, *, client: Client, proxies: Proxies) -> bytes:
    """The counts in Prometheus' text format 0.0.4. Raises NotFound for a client that is not near: it sees nothing."""
    if not proxies.is_near(client):
        raise NotFound("There is nothing here.")
    return generate_latest(metrics)
