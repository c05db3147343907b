"""Where the CPU of a request goes: the shares of the parts that its code belongs to, by the profiler, in process.

The profiler makes calls dearer than they are, so shares are told and no times. Work of a handler is run on the loop's
own thread here, for the profiler sees one thread: what the hop itself costs is not in it (docs/async.md).
"""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from contract_tests.live.bench.contenders import OURS, ROUTES
from contract_tests.live.bench.in_process import NOBODY, Calls, opened_apps

PROFILED = ("GET /", "GET /user/{id}")
# The first that a file's path contains names its part.
PARTS = (
    (
        "request ids, access log, metrics",
        (
            "_app/access.py", "shared_core/access.py", "/metrics.py", "request_ids", "prometheus_client", "/logging/",
            "logs.py", "forwarded.py",
        ),
    ),
    (
        "security headers, CORS, cross-site, limits",
        ("security.py", "middleware.py", "http/origin.py", "flask_cors", "http/cors.py"),
    ),
    ("sessions", ("/sessions", "visits.py", "flask_session", "cachelib", "flask_app/plugins.py", "flask/sessions.py")),
    ("wire kit", ("fastapi_app/wire/",)),
    ("database", ("sqlalchemy", "shared_core/database.py", "shared_core/users.py", "sqlite")),
    ("handlers, inputs and outputs", ("flask_app/", "fastapi_app/", "shared_core/", "pydantic", "msgspec")),
    ("the framework", ("fastapi/", "starlette/", "flask/", "werkzeug/", "opentelemetry")),
)  # fmt: skip
REST = "Python itself"
# How a function is named in a profile: its file, its line, its name.
Function = tuple[str, int, str]


class Inline:
    """In place of an app's own threads: a call is made at once, where the profiler sees it."""

    async def run(self, call: Callable[..., Any], *arguments: object) -> Any:
        return call(*arguments)

    def close(self) -> None:
        pass


def measure_shares(folder: Path, *, requests: int) -> Iterator[tuple[str, str, str, float]]:
    """The share of each part in a request's CPU, by app, route and part."""
    numbers = count(10_000)
    with ExitStack() as stack:
        opened = opened_apps(folder, stack)
        for name in OURS:
            if hasattr(opened[name].app, "state"):
                opened[name].app.state.threads = Inline()
            for route in PROFILED:
                made = [ROUTES[route].request(next(numbers), NOBODY) for _ in range(requests)]
                for part, share in shares_of(opened[name], made).items():
                    yield name, route, part, share


def shares_of(calls: Calls, requests: list[bytes]) -> dict[str, float]:
    """The parts of what an app does for these requests; together they are 1."""
    calls.send(requests[: len(requests) // 4])  # warms up
    profile = cProfile.Profile()
    profile.runcall(calls.send, requests)
    times: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if function[0] != "~" or not callers:
            times[part_of(function)] += own
        else:
            # What is written in C belongs to whoever calls it.
            for caller, (_, _, its, _) in callers.items():
                times[part_of(caller)] += its
    del times[""]
    total = sum(times.values())
    return {part: times[part] / total for part in (*(name for name, _ in PARTS), REST)}


def part_of(function: Function) -> str:
    """The name of a part; empty for the benchmark itself."""
    file = function[0]
    if "contract_tests" in file:
        return ""
    return next((name for name, places in PARTS if any(place in file for place in places)), REST)
