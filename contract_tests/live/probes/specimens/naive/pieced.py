"""The naive port with some of the real port's pieces in it, each in place of what it replaces.

`Route` lets the naive handlers read strict shapes; `outputs` and `files` replace handlers by the port's own, which read
so too. Measured in the order of STEPS each piece closes what is its own.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from contract_tests.live.probes.specimens.naive import app as naive
from contract_tests.live.probes.specimens.naive import inputs
from contract_tests.live.probes.specimens.naive.reading import StrictRoute, read_strictly
from contract_tests.live.probes.specimens.naive.security import Secure
from contract_tests.suite.targets import fastapi_app as port
from shared_core import logs
from shared_core.access import AccessLog
from shared_core.http.forwarded import Proxies
from shared_core.http.security import SecurityHeaders
from shared_core.rates import Counter
from shared_core.services import Services, utc_now
from shared_core.sessions import AsyncStore

Wrap = Callable[[ASGIApp], ASGIApp]
Pieces = frozenset[str]

# The port's handlers have the names of the naive ones.
TAKEN = {
    "outputs": (port.hello, port.users, port.session, port.signin, port.health, port.metrics),
    "files": (port.files,),
}


class Pieced(FastAPI):
    """FastAPI with pieces around its error middleware, from the inside to the outermost."""

    outer: tuple[Wrap, ...] = ()

    def build_middleware_stack(self) -> ASGIApp:
        app = super().build_middleware_stack()
        for wrap in self.outer:
            app = wrap(app)
        return app


def make_app(services: Services, pieces: Pieces) -> FastAPI:
    store, counter = services.session_store.awaitable(), services.rate_limits.counter()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await store.aclose()
        if counter is not None:
            await counter.aclose()

    app = Pieced(title="Service", lifespan=lifespan, openapi_url=None if "docs" in pieces else "/openapi.json")
    port.inputs.place_services(app, services)
    app.outer = tuple(outer(services, pieces, store, counter))
    add_error_handlers(app, pieces)
    add_pieces(app, services, pieces)
    add_naive(app, services, pieces, counter)
    add_routes(app, pieces)
    if "Routing" in pieces:
        port.wire.Routing.install(app)
    return app


def outer(services: Services, pieces: Pieces, store: AsyncStore, counter: Counter | None) -> Iterator[Wrap]:
    """What stands outside the error middleware, as in the port."""
    settings = services.settings
    if "sessions" in pieces:
        policy, failed = services.session_policy, port.errors.answer_to
        yield lambda app: port.sessions.Sessions(app, policy=policy, store=store, clock=utc_now, failed=failed)
    if "rate limit" in pieces and counter is not None:
        yield lambda app: port.middleware.LimitRate(app, counter, utc_now)
    if "cors" in pieces and settings.allowed_origins:
        yield lambda app: port.middleware.Cors(app, settings.allowed_origins)
    if "error problems" in pieces:
        yield lambda app: port.wire.QuietErrors(app, logs.log_failure)
    if "DrainBody" in pieces:
        yield port.wire.DrainBody
    if "request ids and access log" in pieces:
        log = AccessLog(port.access.APP, metrics=services.metrics, clock=services.clock, lines=settings.access_log)
        yield lambda app: port.access.LogAccess(app, log=log)
        security = SecurityHeaders(hsts_seconds=settings.hsts_seconds, write=port.access.as_field)
        yield lambda app: port.access.NameRequests(app, make=services.new_request_id, security=security)
    else:
        yield lambda app: Secure(app, services)
    # Always there: other pieces ask who the client is. Who trusts no proxy is told of the peer.
    yield lambda app: port.access.TrustProxies(app, settings.proxies if "proxies" in pieces else Proxies())
    if "RefuseHeads" in pieces:
        yield port.wire.RefuseHeads


def add_error_handlers(app: FastAPI, pieces: Pieces) -> None:
    if "error problems" in pieces:
        port.errors.register_error_handlers(app)
    else:
        naive.add_error_handler(app)


def add_pieces(app: FastAPI, services: Services, pieces: Pieces) -> None:
    settings = services.settings
    # Always there: the port's upload raises the limit.
    limit = settings.max_body_bytes if "BodyLimit" in pieces else sys.maxsize
    app.add_middleware(port.wire.BodyLimit, max_bytes=limit)
    if "sessions" in pieces:
        app.dependency_overrides[inputs.get_visit] = port.inputs.get_visit
        without_store = port.app.WITHOUT_STORE
        app.add_middleware(
            port.sessions.RefuseWithoutSession, failed=port.errors.answer_to, without_session=without_store
        )
    else:
        app.dependency_overrides[port.inputs.get_visit] = inputs.get_visit
    if "cross-site" in pieces:
        app.add_middleware(
            port.middleware.RefuseCrossSite, home=settings.public_base_url, friends=settings.allowed_origins
        )


def add_naive(app: FastAPI, services: Services, pieces: Pieces, counter: Counter | None) -> None:
    """What is not replaced, in the naive port's own order."""
    if "sessions" not in pieces:
        naive.add_sessions(app, services)
    if "rate limit" not in pieces and counter is not None:
        naive.add_rate_limit(app, counter)
    if "request ids and access log" not in pieces:
        naive.add_request_ids(app, services)
    if "cors" not in pieces:
        naive.add_cors(app, services)


def add_routes(app: FastAPI, pieces: Pieces) -> None:
    router = APIRouter(route_class=route_class(pieces))
    taken = {
        route.name: route
        for piece in pieces & TAKEN.keys()
        for module in TAKEN[piece]
        for route in module.router.routes
    }
    for each in naive.ROUTERS:
        for route in each.routes:
            add_route(router, route, taken.get(route.name), pieces)
    if "docs" in pieces:
        for route in port.docs.router.routes:
            add_route(router, route, route, pieces)
    app.include_router(router)


def add_route(router: APIRouter, own: APIRoute, taken: APIRoute | None, pieces: Pieces) -> None:
    """Declare a naive route with its handler, with that of the port, or with its own that reads strictly."""
    path, route, endpoint = own.path, taken or own, (taken or own).endpoint
    if "convertors" in pieces:
        path = path.replace("{id}", "{id:id}").replace("{key}", "{key:key}")
    if taken is None and "Route" in pieces:
        endpoint = read_strictly(endpoint)
    router.add_api_route(
        path,
        endpoint,
        methods=sorted(own.methods),
        status_code=route.status_code,
        response_model=route.response_model,
        name=own.name,
    )


def route_class(pieces: Pieces) -> type[APIRoute]:
    if "Route" not in pieces:
        return APIRoute
    # The port's own notes the route for the access log.
    return port.inputs.Route if "request ids and access log" in pieces else StrictRoute
