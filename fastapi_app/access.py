"""Who asks, under which id, and what came of it: the port's outermost pieces, as pure ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app import wire
from shared_core import logs
from shared_core.access import AccessLog
from shared_core.http.forwarded import UNKNOWN, Client, Proxies
from shared_core.http.request_ids import HEADER, choose_request_id

CLIENT, REQUEST_ID, EXCHANGE = "service.client", "service.request_id", "service.exchange"


async def get_client(request: Request) -> Client:
    """Who sends the request that is being answered."""
    client: Client = request.scope[CLIENT]
    return client


def note_route(request: Request, route: str) -> None:
    """Note whose handler is about to be asked, by its path's template."""
    request.scope[EXCHANGE].route = route


Asker = Annotated[Client, Depends(get_client)]


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
    """Gives each request an id, its answer the same one, and each log line that is written for it."""

    def __init__(self, app: ASGIApp, make: Callable[[], str]) -> None:
        self.app = app
        self.make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        id = scope[REQUEST_ID] = choose_request_id(wire.field(scope, b"x-request-id"), make=self.make)
        header = (HEADER.lower().encode(), id.encode())

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        # A server may answer several requests of a connection in one context.
        before = logs.request_id.set(id)
        try:
            await self.app(scope, receive, send_named)
        finally:
            logs.request_id.reset(before)


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
