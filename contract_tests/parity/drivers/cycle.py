"""One request and response of an ASGI application, with the events that uvicorn gives and the rules that it sets."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Header, Headers, Request, Response

if TYPE_CHECKING:
    from contract_tests.parity.drivers.interface import ASGIApp

CHUNK = 64 * 1024

# Turns of the loop that a complete response waits for the application to return: an error middleware sends
# its 500 first and raises afterwards, and the exception would be missed.
_TURNS = 8

_NAME = re.compile(rb'[^\x00-\x1f\x7f()<>@,;:\[\]={} \t\\"]+')
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")

_DISCONNECT = {"type": "http.disconnect"}

logger = logging.getLogger(__name__)


def scope_of(request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """The HTTP connection scope of one request (ASGI HTTP 2.3); its target must be a valid one."""
    path, query = framing.split_target(request.target) or ("", "")
    scheme, host, port = framing.reached()
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in framing.received(request)],
        "client": framing.CLIENT,
        "server": (host, port),
        "state": state,
        "extensions": {},
    }


class Cycle:
    """One call of the application; `outcome` is settled once the response is complete or the application has ended."""

    def __init__(self, app: ASGIApp, request: Request, state: dict[str, Any]) -> None:
        self.outcome: Future[Response] = Future()
        self.cancel: Callable[[], object] = lambda: None
        self._app = app
        self._method = request.method
        self._scope = scope_of(request, state)
        self._events = _body_events(framing.received_body(request))
        self._started = False
        self._status: int | None = None
        self._headers: Headers = ()
        self._body = bytearray()
        self._complete = asyncio.Event()
        self._exception: BaseException | None = None

    async def run(self) -> None:
        """Call the application and settle the outcome; never raises for what the application does."""
        try:
            await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError as error:
            self._exception = error
            raise
        except BaseException as error:
            self._exception = error
            if self.outcome.done():
                logger.error("the application failed after its response", exc_info=error)
        finally:
            self._settle()

    async def _receive(self) -> dict[str, Any]:
        if not self._complete.is_set():
            event = next(self._events, None)
            if event is not None:
                return event
            await self._complete.wait()
        return _DISCONNECT.copy()

    async def _send(self, message: dict[str, Any]) -> None:
        if self._complete.is_set():
            raise RuntimeError(f"{message['type']!r} was sent after the response was complete")
        expected = "http.response.body" if self._started else "http.response.start"
        if message["type"] != expected:
            raise RuntimeError(f"expected {expected!r}, but {message['type']!r} was sent")
        if self._started:
            self._take(message.get("body", b""), ended=not message.get("more_body", False))
        else:
            # Set before the checks: a head that fails them is not followed by another (uvicorn drops the connection).
            self._started = True
            self._headers = tuple(_checked(name, value) for name, value in message.get("headers", ()))
            self._status = _checked_status(message["status"])

    def _take(self, data: bytes, *, ended: bool) -> None:
        if framing.has_content(self._method, self._status or 0):
            self._fit(data, ended=ended)
        if ended:
            self._complete.set()
            self._settle_soon(_TURNS)

    def _fit(self, data: bytes, *, ended: bool) -> None:
        """Add to the body what Content-Length has room for, as uvicorn does: too much is not sent, too little is."""
        length = framing.declared_length(self._headers)
        if length is not None and len(self._body) + len(data) > length:
            raise RuntimeError("the body is longer than its Content-Length")
        self._body += data
        if length is not None and ended and len(self._body) < length:
            raise RuntimeError("the body is shorter than its Content-Length")

    def _settle_soon(self, turns: int) -> None:
        if self.outcome.done():
            return
        if turns:
            asyncio.get_running_loop().call_soon(self._settle_soon, turns - 1)
        else:
            self._settle()

    def _settle(self) -> None:
        if not self.outcome.done():
            self.outcome.set_result(self._response())

    def _response(self) -> Response:
        exception = self._exception or self._scope.get("wire.exception")
        if not self._started:
            return framing.server_error(
                self._method, exception or RuntimeError("the application ended without starting a response")
            )
        if self._status is None:
            return Response(0, failure="truncated", exception=exception)
        ended, body = self._complete.is_set(), bytes(self._body)
        return framing.delivered(self._method, self._status, self._headers, body, ended=ended, exception=exception)


def _body_events(body: bytes) -> Iterator[dict[str, Any]]:
    """The events that deliver a body; one without a byte is one event too."""
    for start in range(0, len(body) or 1, CHUNK):
        end = start + CHUNK
        yield {"type": "http.request", "body": body[start:end], "more_body": end < len(body)}


def _checked_status(status: int) -> int:
    if status not in range(100, 600):
        raise ValueError(f"invalid status {status!r}")
    return int(status)


def _checked(name: bytes, value: bytes) -> Header:
    # The value may be a secret and stays out of the message.
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise RuntimeError(f"invalid header {name!r}")
    if name.lower() == b"content-length" and not value.isdigit():
        raise ValueError(f"invalid Content-Length {value!r}")
    return bytes(name).lower(), bytes(value).strip(b" \t")
