"""What an app counts of its requests, for Prometheus: the same names, labels and buckets in both apps.

One process counts in memory. Several workers behind one address (`--workers`) count in files of one folder, each in
its own, and a scrape of any of them gives the sum: prometheus_client's multi-process mode. Neither server tells alike
when a worker has died, so each holds a lock while it lives, which ends with it however it ends.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from shared_core.errors import NotFound, Unavailable
from shared_core.http.forwarded import Client, Proxies

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Seconds. A hello takes a millisecond, a password a tenth of a second, and a pool gives up after three.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


# The counts of all workers that are gone; no worker has this name.
GONE = "gone"
# Seconds that a scrape waits for another one.
PATIENCE = 5


class Folder:
    """Where the workers of one app count together. One process makes one Folder, before it makes its Metrics.

    prometheus_client chooses by PROMETHEUS_MULTIPROC_DIR when it is imported, which is too early for a setting; so
    whoever makes a Folder sets that variable to its path first, for the names of the files.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where the folder cannot be made or written."""
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not the process's id alone: a later process may have the same, in a container always.
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._alive = FileLock(path / f"{self._name}.alive", thread_local=False)
        # A lock of each thread: two scrapes of one process wait for each other, too.
        self._turn = FileLock(path / "turn.lock", timeout=PATIENCE)
        with self._turn:  # nobody sees the first lock before it is held
            self._alive.acquire()
            self._merge_gone()
        values.ValueClass = values.MultiProcessValue(lambda: self._name)

    def collect(self) -> dict[str, Metric]:
        """The sums over all workers, by the metrics' names. Raises Unavailable where another scrape takes too long."""
        with self._at_turn():
            self._merge_gone()
            # A file that was just made is empty, and read_metrics would fail.
            files = [str(file) for file in self._path.glob("*.db") if file.stat().st_size]
            return {metric.name: metric for metric in MultiProcessCollector.merge(files)}

    @contextmanager
    def _at_turn(self) -> Iterator[None]:
        try:
            self._turn.acquire()
        except Timeout:
            raise Unavailable("The counts are being read by another; try again soon.") from None
        try:
            yield
        finally:
            self._turn.release()

    def _merge_gone(self) -> None:
        """Add what workers that are gone have counted to one file a kind: so files are no more than workers."""
        for alive in self._path.glob("*.alive"):
            if self._has_ended(alive):
                for file in self._path.glob(f"*_{alive.stem}.db"):
                    self._merge(file)
                alive.unlink(missing_ok=True)

    @staticmethod
    def _has_ended(alive: Path) -> bool:
        lock = FileLock(alive)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True

    def _merge(self, file: Path) -> None:
        kind = file.name.partition("_")[0]
        if kind != "gauge" and file.stat().st_size:  # what is in progress there has ended
            total = MmapedDict(str(self._path / f"{kind}_{GONE}.db"))
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
                total.write_value(key, total.read_value(key)[0] + value, 0.0)
            total.close()
        file.unlink()


class Metrics(Collector):
    """The counts of one Services, in a registry of their own; each series has the name of the app that counts it.

    With a folder they are those of all the processes that count there.
    """

    def __init__(self, folder: Folder | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests",
            "Requests that were answered.",
            ("app", "method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ("app", "method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._in_progress = Gauge(
            "http_requests_in_progress",
            "Requests that are being answered.",
            ("app",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def of(self, app: str) -> AppCounts:
        """What an app counts here, under its name."""
        return AppCounts(app, self._requests, self._seconds, self._in_progress.labels(app))

    def collect(self) -> Iterable[Metric]:
        """Every count, without the times at which prometheus_client began to count."""
        together = self._folder.collect() if self._folder else {}
        for metric in self._registry.collect():
            samples = together[metric.name].samples if metric.name in together else metric.samples
            metric.samples = [sample for sample in samples if not sample.name.endswith("_created")]
            yield metric


class AppCounts:
    """What one app counts; it keeps the series that it has met, for finding one takes longer than counting."""

    def __init__(self, app: str, requests: Counter, seconds: Histogram, in_progress: Gauge) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds
        self._in_progress = in_progress
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def begin(self) -> None:
        """Count a request that arrives."""
        self._in_progress.inc()

    def end(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer is over; `method` and `route` are of a bounded number."""
        self._in_progress.dec()
        key = method, route, status
        requests, histogram = self._series.get(key) or self._find(key)
        requests.inc()
        histogram.observe(seconds)

    def _find(self, key: tuple[str, str, int]) -> tuple[Counter, Histogram]:
        method, route, status = key
        found = self._requests.labels(self._app, method, route, status), self._seconds.labels(self._app, method, route)
        self._series[key] = found
        return found


def get_metrics(metrics: Metrics, *, client: Client, proxies: Proxies) -> bytes:
    """The counts in Prometheus' text format 0.0.4. Raises NotFound for a client that is not near: it sees nothing."""
    if not proxies.is_near(client):
        raise NotFound("There is nothing here.")
    return generate_latest(metrics)
