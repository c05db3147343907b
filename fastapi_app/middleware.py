"""What the port needs around its routes, as pure ASGI."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app import outputs, wire
from shared_core import problems, rates
from shared_core.errors import NotAllowed
from shared_core.http.cors import cors_headers
from shared_core.http.origin import CROSS_SITE, is_cross_site
from shared_core.rates import Count, Counter


class Cors:
    """Tells browsers which pages of other origins may use the service, on every answer and as Flask-CORS does.

    Starlette's CORSMiddleware answers a preflight itself, before any other check and for paths that are not there, and
    with 400 where it refuses. Here the app answers, and a browser finds in the headers what it may do. Wrap the
    finished app: the answer to an unhandled error needs them, too.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = cors_headers(
            scope["method"],
            origins=self.origins,
            origin=wire.field(scope, b"origin"),
            asked_method=wire.field(scope, b"access-control-request-method"),
            asked_headers=wire.field(scope, b"access-control-request-headers"),
            asked_network=wire.field(scope, b"access-control-request-private-network"),
        )

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(raw=message.setdefault("headers", []))
                # Where it grants nothing, too: else a cache hands one origin's answer to another.
                fields.add_vary_header("Origin")
                fields.update(dict(headers))
            await send(message)

        await self.app(scope, receive, send_told)


class LimitRate:
    """Counts each request by its client's address, and answers 429 to one too many; every answer tells the count.

    Wrap the finished app, for the answer to an unhandled error tells it, too. Where the store does not answer, requests
    pass uncounted.
    """

    def __init__(self, app: ASGIApp, counter: Counter, clock: Callable[[], datetime]) -> None:
        self.app = app
        self.counter = counter
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = scope["type"] == "http" and "/" + scope["path"].lstrip("/") not in rates.EXEMPT
        count = await self._count(scope) if counted else None
        if count is None:
            await self.app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message.setdefault("headers", [])).update(dict(count.headers))
            await send(message)

        app = self.app
        if count.exceeded:
            app = outputs.problem(problems.of_error(count.refusal(now=self.clock().timestamp())))
        await app(scope, receive, send_counted)

    async def _count(self, scope: Scope) -> Count | None:
        try:
            return await self.counter.count((scope.get("client") or (None,))[0])
        except Exception as error:  # each store has its own kinds
            rates.note_outage(error)
            return None


class RefuseCrossSite:
    """Answers 403 to what a page of another site makes a visitor's browser send.

    `home` is the service's own origin, `friends` are those whose pages may use it.
    """

    def __init__(self, app: ASGIApp, home: str, friends: Collection[str] = ()) -> None:
        self.app = app
        self.home = home
        self.friends = friends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            site, origin = wire.field(scope, b"sec-fetch-site"), wire.field(scope, b"origin")
            if is_cross_site(scope["method"], sec_fetch_site=site, origin=origin, home=self.home, friends=self.friends):
                app = outputs.problem(problems.of_error(NotAllowed(CROSS_SITE)))
        await app(scope, receive, send)
