"""Who asks, under which id, and what came of it: the port's outermost pieces, as pure ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app import wire
from shared_core import logs
from shared_core.access import AccessLog
from shared_core.http.forwarded import UNKNOWN, Client, Proxies
from shared_core.http.request_ids import HEADER, choose_request_id
from shared_core.http.security import SecurityHeaders, must_not_be_stored

# This app's name in the metrics.
APP = "port"
CLIENT, REQUEST_ID, EXCHANGE = "service.client", "service.request_id", "service.exchange"


async def get_client(request: Request) -> Client:
    """Who sends the request that is being answered."""
    client: Client = request.scope[CLIENT]
    return client


def note_route(request: Request, route: str) -> None:
    """Note whose handler is about to be asked, by its path's template."""
    request.scope[EXCHANGE].route = route


HeaderField = tuple[bytes, bytes]

Asker = Annotated[Client, Depends(get_client)]


def as_field(name: str, value: str) -> HeaderField:
    """A header as ASGI takes it."""
    return name.lower().encode("ascii"), value.encode("ascii")


class TrustProxies:
    """Gives everything inside the client's own address and scheme."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self.app = app
        self.proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer, port = scope.get("client") or (UNKNOWN, 0)
            client = scope[CLIENT] = self.proxies.client(
                peer,
                scope.get("scheme", "http"),
                forwarded_for=wire.field(scope, b"x-forwarded-for"),
                forwarded_proto=wire.field(scope, b"x-forwarded-proto"),
            )
            scope["client"], scope["scheme"] = (client.address, port), client.scheme
        await self.app(scope, receive, send)


class NameRequests:
    """Gives each request an id, its answer the same one and the security headers, and each log line of it the id.

    One pass over an answer's start adds them, outside all that answers: an error has them, too.
    """

    def __init__(self, app: ASGIApp, make: Callable[[], str], security: SecurityHeaders[HeaderField]) -> None:
        self.app = app
        self.make = make
        self.security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        id = scope[REQUEST_ID] = choose_request_id(wire.field(scope, b"x-request-id"), make=self.make)
        header = (HEADER.lower().encode(), id.encode())
        path, scheme = scope["path"], scope["scheme"]

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                security = self.security.fields(
                    path, scheme=scheme, unstored=is_unstored(path, message["status"], headers)
                )
                message = {**message, "headers": [*headers, header, *security]}
            await send(message)

        # A server may answer several requests of a connection in one context.
        before = logs.request_id.set(id)
        try:
            await self.app(scope, receive, send_named)
        finally:
            logs.request_id.reset(before)


def is_unstored(path: str, status: int, headers: Iterable[HeaderField]) -> bool:
    """Whether no cache may keep an answer."""
    told = dict(headers)
    return must_not_be_stored(
        path, status, says_itself=b"cache-control" in told, vary=told.get(b"vary", b"").decode("latin-1")
    )


class LogAccess:
    """Writes and counts what came of each request, at its end."""

    def __init__(self, app: ASGIApp, log: AccessLog) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = self.log.begin(request_id=scope[REQUEST_ID], client=scope[CLIENT], method=scope["method"])
        scope[EXCHANGE] = exchange

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.start(message["status"])
            else:
                exchange.send(len(message.get("body", b"")))
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                # Here and not below: what an app still does after its answer is no part of it.
                exchange.end(broken=False)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            exchange.end(broken=True)
