"""The talk's question: what becomes of a route that waits 50 ms, in each form, as connections grow."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from contract_tests.live.bench.load import load
from contract_tests.live.resilience.wire import request
from contract_tests.live.servers import gunicorn, serve, uvicorn

WAIT = 0.05
HERE = "contract_tests.live.bench.waiting"
SYNC = f"gunicorn {HERE}:make_flask() --no-control-socket --bind 127.0.0.1:{{port}}"
FORMS = {
    "async def + time.sleep": (uvicorn(f"{HERE}:make_fastapi"), "/blocking"),
    "async def + asyncio.sleep": (uvicorn(f"{HERE}:make_fastapi"), "/awaited"),
    "def + time.sleep, 40 tokens": (uvicorn(f"{HERE}:make_fastapi"), "/threaded"),
    "Flask, gthread 40": (gunicorn(f"{HERE}:make_flask()", threads=40), "/threaded"),
    "Flask, sync worker": (SYNC, "/threaded"),
}


def make_fastapi() -> Any:
    from fastapi import FastAPI

    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False})

    @app.get("/blocking")
    async def blocking() -> dict[str, str]:
        time.sleep(WAIT)  # noqa: ASYNC251 -- the fault that the table shows
        return {}

    @app.get("/awaited")
    async def awaited() -> dict[str, str]:
        await asyncio.sleep(WAIT)
        return {}

    @app.get("/threaded")
    def threaded() -> dict[str, str]:
        time.sleep(WAIT)
        return {}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    return app


def make_flask() -> Any:
    from flask import Flask

    app = Flask(__name__, static_folder=None)

    @app.get("/threaded")
    def threaded() -> dict[str, str]:
        time.sleep(WAIT)
        return {}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {}

    return app


def measure_waiting(folder: Path, *, connections: tuple[int, ...], seconds: float) -> Iterator[tuple[str, int, float]]:
    """Answers a second of each form at each number of connections; what is still queued at the end is left."""
    for form, (command, path) in FORMS.items():
        for number in connections:
            # A server each: one that blocks would still work off the last load's queue.
            url = f"sqlite:///{folder / 'none.sqlite3'}"
            with serve(command, folder / "waiting", database_url=url, grace=0.0) as server:
                sample = load(
                    server.port,
                    partial(request, "GET", path),
                    pid=server.pid,
                    connections=number,
                    seconds=seconds,
                    whole=False,
                )
            yield form, number, sample.per_second
