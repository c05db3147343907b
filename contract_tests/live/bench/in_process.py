"""CPU a request without a server: each app called as a server calls it, with nothing of a driver around it.

Our own drivers are not used here: the ASGI one takes more for a request than the apps do, and the difference of two
large figures is noise.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote

from contract_tests.live.bench.contenders import AS_DEPLOYED, ROUTES, SHARED
from contract_tests.live.bench.specimens import smallest
from contract_tests.live.resilience.operations import Visitor, settle_people
from contract_tests.live.servers import sqlite_database
from contract_tests.suite import targets
from contract_tests.suite.world import settings
from shared_core.services import build_services
from shared_core.settings import Settings

NOBODY = Visitor(1, "", "")
PARTS = 10


class WsgiCalls:
    """A WSGI app, called on this thread."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def send(self, requests: list[bytes]) -> None:
        for request in requests:
            method, path, fields, body = _parsed(request)
            environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body), **ENVIRON}
            environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
            environ |= {"CONTENT_TYPE": fields.get("content-type", ""), "CONTENT_LENGTH": str(len(body) or "")}
            answer = self.app(environ, _expect_success)
            b"".join(answer)
            if hasattr(answer, "close"):
                answer.close()

    def close(self) -> None:
        pass


class AsgiCalls:
    """An ASGI app, called on a loop of its own, with its lifespan around."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        self._lifespan = app.router.lifespan_context(app)
        self._runner.run(self._lifespan.__aenter__())

    def send(self, requests: list[bytes]) -> None:
        self._runner.run(self._send(requests))

    def close(self) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    async def _send(self, requests: list[bytes]) -> None:
        for request in requests:
            method, path, fields, body = _parsed(request)
            headers = [(name.encode(), value.encode()) for name, value in fields.items()]
            scope = {
                **SCOPE,
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "headers": headers,
                "state": {},
            }

            async def receive(body: bytes = body) -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            await self.app(scope, receive, _expect_start)


Calls = WsgiCalls | AsgiCalls

ENVIRON: dict[str, Any] = {
    "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "testserver", "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
    "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
}  # fmt: skip
SCOPE: dict[str, Any] = {
    "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
    "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
}  # fmt: skip


def measure_in_process(folder: Path, *, rounds: int, requests: int) -> Iterator[tuple[int, str, str, float]]:
    """Microseconds of CPU a request, by round, app and route."""
    numbers = count(10_000)
    with ExitStack() as stack:
        opened = opened_apps(folder, stack)
        for number in range(-1, rounds):
            for route in SHARED:
                for name, calls in opened.items():
                    made = [ROUTES[route].request(next(numbers), NOBODY) for _ in range(requests)]
                    taken = _cpu(calls.send, made)
                    if number >= 0:  # the first round warms up
                        yield number, name, route, taken


def opened_apps(folder: Path, stack: ExitStack) -> dict[str, Calls]:
    """Both apps and the smallest ones over databases of their own, by their names, as long as the stack is open."""

    def settled(name: str) -> Settings:
        home = folder / "in-process" / name
        url = sqlite_database(home)
        settle_people(url)
        sessions = f"sqlite:///{home / 'sessions.sqlite3'}"
        return settings(database_url=url, session_store=sessions, **AS_DEPLOYED)

    services = {name: build_services(settled(name)) for name in ("original", "port")}
    for each in services.values():
        stack.callback(each.close)
    opened: dict[str, Calls] = {
        "original": WsgiCalls(targets.make_original(services["original"])),
        "smallest Flask": WsgiCalls(smallest.make_flask(settled("flask"))),
        "port": AsgiCalls(targets.make_port(services["port"])),
        "smallest FastAPI": AsgiCalls(smallest.make_fastapi(settled("fastapi"))),
    }
    for calls in opened.values():
        stack.callback(calls.close)
    return opened


def _cpu(send: Callable[[list[bytes]], None], requests: list[bytes]) -> float:
    """The median over some parts: what else the process does in between falls out."""
    size = max(len(requests) // PARTS, 1)
    taken = []
    for start in range(0, len(requests), size):
        part = requests[start : start + size]
        began = time.process_time()
        send(part)
        taken.append(1e6 * (time.process_time() - began) / len(part))
    return median(taken)


def _parsed(request: bytes) -> tuple[str, str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    method, path, _ = line.split(" ")
    return method, unquote(path), dict((field.lower().split(": ", 1)) for field in fields), body


def _expect_success(status: str, _: list[tuple[str, str]], *__: Any) -> Callable[[bytes], object]:
    assert status.startswith("20"), status
    return lambda _: None


async def _expect_start(message: dict[str, Any]) -> None:
    assert message.get("status", 200) in (200, 201), message
