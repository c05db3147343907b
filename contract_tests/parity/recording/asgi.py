"""The ASGI piece: messages pass as they come, in both directions; lifespan and websockets pass untouched."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .captured import DISCONNECTED, RAISED, TRUNCATED, Body, Captured
from .recorder import Recorder

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_UNKNOWN = -1


class ASGIRecorder:
    """Records an ASGI app: `app = ASGIRecorder(app, "recordings/port", sample=0.1)`.

    Takes what Recorder takes, or a Recorder in the folder's place.
    """

    def __init__(self, app: App, folder: Path | str | Recorder, **options: Any) -> None:
        self.app = app
        self.recorder = folder if isinstance(folder, Recorder) else Recorder(folder, **options)

    def __getattr__(self, name: str) -> Any:
        # What is asked of the app by name (its state, its routes) is asked of the app itself.
        if name == "app":
            raise AttributeError(name)
        return getattr(self.app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, self._ending(send) if scope["type"] == "lifespan" else send)
            return
        recorder, headers = self.recorder, dict(scope["headers"])
        key = headers.get(b"x-request-id")
        if recorder.sample < 1 and not recorder.samples(key):
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, headers, key, recorder.body_bytes, receive, send)
        failure: str | None = TRUNCATED
        try:
            await self.app(scope, exchange.receive, exchange.send)
            failure = None
        finally:
            exchange.end(failure)
            recorder.put(exchange)

    def _ending(self, send: Send) -> Send:
        async def passed(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                # A server may end itself by a signal right after it: nothing else would be run.
                self.recorder.close()
            await send(message)

        return passed


class _Exchange(Captured):
    """One request's messages on their way."""

    __slots__ = ("_gone", "_receive", "_send", "_whole")

    def __init__(
        self, scope: Scope, headers: dict[bytes, bytes], key: bytes | None, limit: int, receive: Receive, send: Send
    ) -> None:
        super().__init__(key, scope["method"], _target(scope), scope["headers"], limit)
        self._receive, self._send = receive, send
        self._whole = self._gone = False
        length = headers.get(b"content-length", b"0")
        if length != b"0" or b"transfer-encoding" in headers:
            self.request_body = Body(limit)
            self.unread = int(length) if length.isdigit() and length != b"0" else _UNKNOWN

    async def receive(self) -> Message:
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            if self.request_body is not None:
                self.request_body.add(message.get("body", b""))
        elif kind == "http.disconnect" and not self._whole:
            self._gone = True
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self.status, self.headers = message["status"], tuple(message.get("headers", ()))
        elif kind == "http.response.body":
            self.answer.add(message.get("body", b""))
            if not message.get("more_body", False):
                self._whole = True
        elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
            self.seen, self._whole = False, not message.get("more_body", False)
        try:
            await self._send(message)
        except OSError:  # how a server says that the client is gone (ASGI 2.4)
            self._gone = True
            raise

    def end(self, failure: str | None) -> None:
        """Note how it ended, and let go of the server. An app that fails after its whole response has answered."""
        self.seconds = time.perf_counter() - self.began
        self._receive = self._send = _nowhere
        if self._gone:
            self.failure = DISCONNECTED
        elif not self._whole:
            self.failure = TRUNCATED if self.status or failure is None else RAISED


async def _nowhere(*_: Any) -> Any: ...


def _target(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"], safe="/!$&'()*+,;=:@~")
    query = scope.get("query_string")
    return f"{path}?{query.decode('latin-1')}" if query else path
