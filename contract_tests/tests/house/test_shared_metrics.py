"""Workers that count in one folder: a scrape of any of them tells what all have counted, also those that are gone"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract_tests.live.servers import SERVERS, serve, sqlite_database
from contract_tests.tests.house.test_house import ROOT

ASKED = 60


@contextmanager
def running(role: str, folder: Path, **changes: Any) -> Iterator[str]:
    """The address of an app with two workers, whose metrics are in `folder`."""
    server = serve(
        f"{SERVERS[role]} --workers 2".replace("--workers 1 ", ""),
        folder / "run",
        database_url=sqlite_database(folder),
        metrics_dir=str(folder / "metrics"),
        **changes,
    )
    with server:
        wait_for(lambda: len(workers(folder)) == 2)
        yield server.url


def workers(folder: Path) -> list[int]:
    """The processes that count there; a worker that was killed leaves its name until the next scrape."""
    return [int(file.name.partition("-")[0]) for file in (folder / "metrics").glob("*.alive")]


def wait_for(true: Any) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(url: str, path: str) -> httpx.Response:
    """Over a connection of its own, so that any worker may answer."""
    # To read the system's authorities takes each client 20 ms, and nothing here is TLS.
    with httpx.Client(trust_env=False, timeout=30, verify=False) as client:
        return client.get(url + path)


def samples(url: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(ask(url, "/metrics").text)
    told = [sample for family in families for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in told}


def counted(url: str, role: str) -> tuple[float, float, float, float]:
    """How many hellos an app of this name has answered by every measure, and how many requests are in progress."""
    told = samples(url)
    return (
        told["http_requests_total", role, "GET", "/healthz", "200"],
        told["http_request_seconds_count", role, "GET", "/healthz"],
        told["http_request_seconds_bucket", role, "+Inf", "GET", "/healthz"],
        told["http_requests_in_progress", role],
    )


def many(url: str, count: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: ask(url, "/healthz"), range(count))} == {200}


def counted_at_first(url: str, role: str) -> float:
    """How often the server was asked whether it is ready, once that is counted whole: it answers before it counts."""
    found: list[tuple[float, ...]] = []

    def whole() -> bool:
        with suppress(KeyError):
            found.append(counted(url, role))
        return bool(found) and len(set(found[-1][:3])) == 1 and found[-1][0] > 0

    wait_for(whole)
    return found[-1][0]


def all_tell(url: str, role: str, wanted: tuple[float, ...]) -> None:
    """Every worker tells the same counts; the scrape before may be in progress still when the next one is counted."""
    told = {counted(url, role) for _ in range(20)}
    assert {each[:3] for each in told} == {wanted[:3]}
    assert {each[3] for each in told} <= {1, 2}


@pytest.mark.servers
@pytest.mark.parametrize("role", ["original", "port"])
def test_a_scrape_of_any_worker_tells_what_all_have_counted(role, tmp_path):
    with running(role, tmp_path) as url:
        before = counted_at_first(url, role)
        many(url, ASKED)
        wanted = (before + ASKED,) * 3 + (1,)
        wait_for(lambda: counted(url, role) == wanted)  # it answers before it has counted
        all_tell(url, role, wanted)
        # One is killed, another takes its place, and nothing that it counted is lost.
        killed, _ = workers(tmp_path)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(set(workers(tmp_path)) - {killed}) == 2)
        many(url, ASKED)
        wanted = (before + 2 * ASKED,) * 3 + (1,)
        wait_for(lambda: counted(url, role) == wanted)
        all_tell(url, role, wanted)
        assert killed not in workers(tmp_path)
        files = sorted(file.name for file in (tmp_path / "metrics").glob("*.db"))
    assert not [name for name in files if f"_{killed}-" in name]
    assert {"counter_gone.db", "histogram_gone.db"} <= set(files)


@pytest.mark.servers
@pytest.mark.parametrize("role", ["original", "port"])
def test_a_folder_that_cannot_be_written_refuses_the_start(role, tmp_path):
    (tmp_path / "metrics").write_text("a file")
    app = {"original": "flask_app", "port": "fastapi_app"}[role]
    refused = child(f"import {app}; {app}.create_app()", tmp_path, METRICS_DIR=str(tmp_path / "metrics"))
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr == "The service cannot start: METRICS_DIR: the folder cannot be written: FileExistsError\n"


COUNTING = """
import os, sys
from pathlib import Path
from prometheus_client.exposition import generate_latest
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1] if len(sys.argv) > 1 else "metrics"
from shared_core.metrics import Folder, Metrics
def metrics(together):
    return Metrics(Folder(Path("metrics")) if together else None)
def count(metrics, times, app="original"):
    counts = metrics.of(app)
    for _ in range(times):
        counts.begin()
        counts.end(method="GET", route="/", status=200, seconds=0.2)
def told(metrics):
    return generate_latest(metrics).decode()
"""


def child(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process that counts in a folder; prometheus_client is told once a process where."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_one_process_tells_is_the_same_with_a_folder_and_without(tmp_path):
    asked = "\nm = metrics({together}); print(told(m)); count(m, 3); m.of('original').begin(); print(told(m), end='')"
    alone, together = (child(COUNTING + asked.format(together=which), tmp_path) for which in (False, True))
    assert (alone.stderr, together.stderr) == ("", "")
    assert sorted(alone.stdout.splitlines()) == sorted(together.stdout.splitlines())
    assert 'http_requests_in_progress{app="original"} 1.0' in alone.stdout


def test_workers_that_come_and_go_leave_no_more_than_their_counts(tmp_path):
    """Over weeks of restarts the folder stays as it is, scraped or not, and what a dead one had in hand has ended."""
    dying = "\nm = metrics(True); count(m, 3); m.of('original').begin(); os.kill(os.getpid(), 9)"
    for _ in range(3):
        assert child(COUNTING + dying, tmp_path).returncode == -signal.SIGKILL
    last = child(COUNTING + "\nm = metrics(True); m.of('original'); print(told(m))", tmp_path)
    assert 'http_requests_total{app="original",method="GET",route="/",status="200"} 9.0' in last.stdout, last.stderr
    assert 'http_request_seconds_bucket{app="original",le="0.25",method="GET",route="/"} 9.0' in last.stdout
    assert 'http_request_seconds_bucket{app="original",le="0.1",method="GET",route="/"} 0.0' in last.stdout
    assert 'http_requests_in_progress{app="original"} 0.0' in last.stdout
    kinds = sorted(file.name.partition("_")[0] for file in (tmp_path / "metrics").glob("*.db"))
    assert kinds == ["counter", "gauge", "histogram"]


def test_apps_that_are_given_one_folder_by_mistake_are_told_apart(tmp_path):
    both = child(f"{COUNTING}\nm = metrics(True); count(m, 2); count(m, 3, 'port'); print(told(m))", tmp_path)
    told = [line for line in both.stdout.splitlines() if line.startswith("http_requests_total")]
    assert [line.partition(",")[0] + line[-4:] for line in told] == [
        'http_requests_total{app="original" 2.0',
        'http_requests_total{app="port" 3.0',
    ]
