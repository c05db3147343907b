"""ASGI applications for tests of their driver, and what the driver may not leave behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from contract_tests.parity.drivers import asgi
from contract_tests.parity.messages import Header, Request, Response

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def start(status: int = 200, headers: list[Header] | None = None) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers or []}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def http_only(handler: App) -> App:
    """An application that knows no lifespan."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await handler(scope, receive, send)

    return app


def saying(*messages: Message | Exception) -> App:
    """An application that sends these messages, or raises what is an exception."""

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            if isinstance(message, Exception):
                raise message
            await send(message)

    return app


def get(app: App, **kwargs: Any) -> Response:
    with asgi(app) as target:
        return target.send(Request(**{"method": "GET", "target": b"/", **kwargs}))


class Living:
    """An application with a lifespan, which notes what happens to it."""

    def __init__(self, *, startup: Message | None = None, shutdown: Message | None = None) -> None:
        self.startup = startup or {"type": "lifespan.startup.complete"}
        self.shutdown = shutdown or {"type": "lifespan.shutdown.complete"}
        self.events: list[str] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.loops.add(asyncio.get_running_loop())
        self.events.append(scope["type"])
        if scope["type"] == "http":
            await send(start())
            await send(body(str(scope["state"].get("number")).encode()))
            scope["state"]["number"] = "changed by a request"
            return
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["number"] = 41
        await send(self.startup)
        if self.startup["type"] == "lifespan.startup.failed":
            return
        assert (await receive())["type"] == "lifespan.shutdown"
        self.events.append("shutdown")
        await send(self.shutdown)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    # The suite's own port may be open in this process.
    before = set(threading.enumerate())
    yield
    assert [thread for thread in set(threading.enumerate()) - before if thread.name == "parity-asgi"] == []
