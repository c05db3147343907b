"""One request and its answer on uvicorn: what an app hears of a broken body, and how an HTTP/1.0 client is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGI3Application, ASGIReceiveEvent, ASGISendEvent, HTTPResponseStartEvent, Scope
    from uvicorn._types import ASGIReceiveCallable as Receive
    from uvicorn._types import ASGISendCallable as Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Header = tuple[bytes, bytes]


class Exchange:
    """Stands between an app and uvicorn's cycle; the app and the cycle know nothing of it.

    `is_cut` tells whether the rest of the body will never come: the app then hears `http.disconnect` behind what has
    come, never a body that looks whole, and may still answer.
    """

    def __init__(self, app: ASGI3Application, cycle: RequestResponseCycle, is_cut: Callable[[], bool]) -> None:
        self.app, self.cycle, self.is_cut = app, cycle, is_cut
        self.version = cycle.scope["http_version"]
        # The body of the answer has no length of its own and ends with the connection.
        self.until_close = False

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        await self.app(scope, self.receive, send if self.version == "1.1" else self.send)
        if self.is_cut() and not self.cycle.response_started:
            # To leave without a word is right after http.disconnect: uvicorn would log it, and answer 500.
            self.cycle.disconnected = True
            self.cycle.transport.close()

    async def receive(self) -> ASGIReceiveEvent:
        if self.is_cut() and self.cycle.more_body and not self.cycle.body:
            return {"type": "http.disconnect"}
        message = await self.cycle.receive()
        if self.is_cut() and message["type"] == "http.request" and message["more_body"] and not message["body"]:
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """To a client of another version keep-alive is told, and one of HTTP/1.0 is sent no chunks."""
        if message["type"] == "http.response.start":
            message = self.start(message)
        elif message["type"] == "http.response.body" and self.until_close:
            # The cycle counts down what is still to come, and says at the end whether all of it came.
            self.cycle.expected_content_length = len(message.get("body", b""))
        await self.cycle.send(message)

    def start(self, message: HTTPResponseStartEvent) -> HTTPResponseStartEvent:
        if message.get("wire.server"):
            # A page of the server's own is of HTTP/1.1, whatever the client's is.
            cast("OtherOutgoing", self.cycle.transport).head_sent = True
        headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"transfer-encoding"]
        names = {name.lower() for name, _ in headers}
        if b"content-length" not in names and self.version == "1.0":
            has_body = self.cycle.scope["method"] != "HEAD" and message["status"] not in (204, 304)
            self.until_close = has_body
            self.cycle.chunked_encoding = False
            self.cycle.keep_alive = self.cycle.keep_alive and not has_body
        if self.cycle.keep_alive and b"connection" not in names:
            headers.append((b"connection", b"keep-alive"))
        return {**message, "headers": headers}


class Outgoing:
    """The transport as one cycle sees it: the version of its client, and a close that loses nothing."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self.transport, self.close, self.is_closing = transport, close, is_closing

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def as_transport(self) -> asyncio.Transport:
        """A cycle uses nothing else of its transport."""
        return cast("asyncio.Transport", self)


class OtherOutgoing(Outgoing):
    """For a client of another version: uvicorn makes its status lines beforehand, all of HTTP/1.1."""

    head_sent = False

    def __init__(self, outgoing: Outgoing, version: str) -> None:
        super().__init__(outgoing.transport, outgoing.close, outgoing.is_closing)
        self.version = version.encode("ascii")

    def write(self, data: bytes) -> None:
        # gunicorn's own `100 Continue` is of HTTP/1.1, whatever the client's is.
        if not self.head_sent and not data.startswith(b"HTTP/1.1 100 "):
            self.head_sent = True
            data = data.replace(b"HTTP/1.1 ", b"HTTP/%s " % self.version, 1)
        self.transport.write(data)


def stays_open(fields: list[Header], version: str) -> bool:
    """Whether the connection is kept: gunicorn reads the first Connection alone, and no list in it."""
    for name, value in fields:
        if name == b"connection":
            option = value.strip(b" \t").lower()
            if option in (b"close", b"keep-alive"):
                return option == b"keep-alive"
            break
    return version != "1.0"
