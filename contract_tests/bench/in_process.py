"""CPU a request without a server: each app behind our own drivers, less what the driver takes for an empty app."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from contract_tests import targets
from contract_tests.bench.contenders import ROUTES, SHARED
from contract_tests.parity import Target, asgi, wsgi
from contract_tests.parity.messages import Request
from contract_tests.resilience.operations import Operation, Visitor, settle_people
from contract_tests.served import sqlite_database
from contract_tests.specimens import smallest
from contract_tests.world import settings
from shared_core.services import build_services
from shared_core.settings import Settings

NOBODY = Visitor(1, "")


def bare_wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """An empty WSGI app: what it takes is the driver's."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


async def bare_asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An empty ASGI app."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def measure_in_process(folder: Path, *, rounds: int, requests: int) -> Iterator[tuple[int, str, str, float]]:
    """Microseconds of CPU a request, by round, app and route, the driver's own share taken off."""
    numbers = count(10_000)
    with ExitStack() as stack:
        opened = {name: stack.enter_context(target) for name, target in _targets(folder, stack).items()}
        for number in range(-1, rounds):
            for route in SHARED:
                taken = {name: _cpu(target, ROUTES[route], numbers, requests) for name, target in opened.items()}
                if number < 0:
                    continue  # the first round warms up
                for name in ("original", "smallest Flask"):
                    yield number, name, route, taken[name] - taken["bare WSGI"]
                for name in ("port", "smallest FastAPI"):
                    yield number, name, route, taken[name] - taken["bare ASGI"]


def _targets(folder: Path, stack: ExitStack) -> dict[str, Target]:
    def settled(name: str) -> Settings:
        home = folder / "in-process" / name
        url = sqlite_database(home)
        settle_people(url)
        return settings(database_url=url, session_store=f"sqlite:///{home / 'sessions.sqlite3'}")

    services = {name: build_services(settled(name)) for name in ("original", "port")}
    for each in services.values():
        stack.callback(each.close)
    return {
        "bare WSGI": wsgi(bare_wsgi),
        "bare ASGI": asgi(bare_asgi),
        "original": wsgi(targets.make_original(services["original"])),
        "smallest Flask": wsgi(smallest.make_flask(settled("flask"))),
        "port": asgi(targets.make_port(services["port"])),
        "smallest FastAPI": asgi(smallest.make_fastapi(settled("fastapi"))),
    }


def _cpu(target: Target, operation: Operation, numbers: Iterator[int], requests: int) -> float:
    """The median of ten parts: what else the process does in between falls out."""
    made = [_request(operation, next(numbers)) for _ in range(requests)]
    size = max(requests // 10, 1)
    taken = []
    for start in range(0, requests, size):
        part = made[start : start + size]
        began = time.process_time()
        for each in part:
            response = target.send(each)
            assert response.status in (200, 201), response
        taken.append(1e6 * (time.process_time() - began) / len(part))
    return median(taken)


def _request(operation: Operation, number: int) -> Request:
    head, _, body = operation.request(number, NOBODY).partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    method, path, _ = line.split(b" ")
    headers = tuple((name, value) for name, _, value in (field.partition(b": ") for field in fields))
    return Request(method.decode(), path, headers, body)
