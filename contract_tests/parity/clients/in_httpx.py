"""httpx's transports, and the one of Starlette's TestClient, ask an app in this process; so is the other app."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Request, Response

from .mirror import Mirror, Reached

_PORTS = {"http": 80, "https": 443}


def handled(handle: Callable[[Any, Any], Any], transport: Any, request: Any, mirror: Mirror) -> Any:
    """What a transport's `handle_request` gives, once the other app was asked, too, and the two were compared."""
    kept: list[Any] = []

    def ask(sent: Request) -> Response:
        response = handle(transport, _translated(request, sent))
        return _read(sent.method, response, b"".join(response.stream), kept)

    request.read()
    outcome = mirror.exchange(_request_of(request), ask, reached=_reached(request))
    return _given_back(outcome, kept[0], request, mirror)


async def handled_async(
    handle: Callable[[Any, Any], Awaitable[Any]], transport: Any, request: Any, mirror: Mirror
) -> Any:
    """The same for `handle_async_request`: the pair asks from a thread, the suite's own app stays on its loop."""
    kept: list[Any] = []
    loop = asyncio.get_running_loop()

    async def asked(sent: Request) -> Response:
        response = await handle(transport, _translated(request, sent))
        return _read(sent.method, response, b"".join([chunk async for chunk in response.stream]), kept)

    def ask(sent: Request) -> Response:
        return asyncio.run_coroutine_threadsafe(asked(sent), loop).result()

    await request.aread()
    outcome = await asyncio.to_thread(mirror.exchange, _request_of(request), ask, reached=_reached(request))
    return _given_back(outcome, kept[0], request, mirror)


def _read(method: str, response: Any, body: bytes, kept: list[Any]) -> Response:
    """The response as a value; it stays as if nobody had read it."""
    response.stream = _library(response).ByteStream(body)
    kept.append(response)
    seen = b"" if not framing.has_content(method, response.status_code) else body
    return Response(response.status_code, tuple(response.headers.raw), seen)


def _given_back(outcome: Response, own: Any, request: Any, mirror: Mirror) -> Any:
    """The suite's own response where its app is the original; else the original's, as this library's response."""
    if mirror.role == "original":
        return own
    if outcome.failure is not None:
        from contract_tests.parity.transport import httpx_response

        return httpx_response(outcome, request)
    library = _library(own)
    stream = library.ByteStream(outcome.body)
    return library.Response(outcome.status, headers=list(outcome.headers), stream=stream, request=request)


def _request_of(request: Any) -> Request:
    target = request.extensions.get("target", request.url.raw_path)
    return Request(request.method, target, tuple(request.headers.raw), request.content)


def _translated(request: Any, sent: Request) -> Any:
    """The request in the ids of the app that is asked; the same object where they are the same."""
    if sent == _request_of(request):
        return request
    url = request.url.copy_with(raw_path=sent.target)
    made = type(request)(sent.method, url, headers=list(sent.headers), content=sent.body)
    made.extensions = request.extensions
    return made


def _reached(request: Any) -> Reached:
    scheme = request.url.scheme
    return scheme, request.url.host, request.url.port or _PORTS.get(scheme, 80)


def _library(response: Any) -> Any:
    """httpx, or the fork of it that the response is of."""
    return sys.modules[type(response).__module__.partition(".")[0]]
