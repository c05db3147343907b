"""Builds the port; nothing is made at import."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.types import ASGIApp

from fastapi_app import docs, files, health, hello, metrics, openapi, session, signin, users, wire
from fastapi_app.access import APP, LogAccess, NameRequests, TrustProxies, as_field
from fastapi_app.errors import answer_to, register_error_handlers
from fastapi_app.inputs import place_services
from fastapi_app.middleware import Cors, LimitRate, RefuseCrossSite
from fastapi_app.sessions import RefuseWithoutSession, Sessions
from shared_core import logs
from shared_core.access import AccessLog
from shared_core.http.security import SecurityHeaders
from shared_core.rates import Counter
from shared_core.services import Services, services_from_environment, utc_now
from shared_core.sessions import AsyncStore

# What answers even where the session store does not.
WITHOUT_STORE = frozenset({"/healthz"})

NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


class Port(FastAPI):
    """FastAPI with its outermost pieces outside the error middleware, and one OpenAPI document for both apps."""

    session_store: AsyncStore
    rate_counter: Counter | None

    def build_middleware_stack(self) -> ASGIApp:
        services: Services = self.state.services
        log = AccessLog(APP, metrics=services.metrics, clock=services.clock, lines=services.settings.access_log)
        # From the inside to the outermost.
        app: ASGIApp = Sessions(
            super().build_middleware_stack(),
            policy=services.session_policy,
            store=self.session_store,
            clock=utc_now,
            failed=answer_to,
        )
        if self.rate_counter is not None:
            app = LimitRate(app, self.rate_counter, utc_now)
        if origins := services.settings.allowed_origins:
            app = Cors(app, origins)
        app = wire.DrainBody(wire.QuietErrors(app, logs.log_failure))
        app = LogAccess(app, log=log)
        security = SecurityHeaders(hsts_seconds=services.settings.hsts_seconds, write=as_field)
        app = NameRequests(app, make=services.new_request_id, security=security)
        return wire.RefuseHeads(TrustProxies(app, proxies=services.settings.proxies))

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self)
        return self.openapi_schema


def create_app(services: Services | None = None) -> FastAPI:
    """The app over the given Services, or over Services built from the environment."""
    built = services or services_from_environment()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = built.settings.threads
        # Its lines hold raw paths and queries.
        logging.getLogger("uvicorn.access").handlers.clear()
        logging.getLogger("uvicorn.access").propagate = False
        try:
            yield
        finally:
            app.state.threads.close()  # nothing is answered any more
            await app.session_store.aclose()
            if app.rate_counter is not None:
                await app.rate_counter.aclose()
            if services is None:
                built.close()  # blocks: at the end, when nothing is answered any more

    app = Port(
        title=openapi.TITLE,
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        openapi_url=None,
        telemetry=NO_TELEMETRY,  # type: ignore[arg-type]
    )
    place_services(app, built)
    app.state.threads = wire.Threads(built.settings.threads)
    app.session_store = built.session_store.awaitable()
    app.rate_counter = built.rate_limits.counter()
    for module in (hello, users, session, signin, files, health, metrics, docs):
        app.include_router(module.router)
    register_error_handlers(app)
    # The last one added is the first one asked.
    app.add_middleware(wire.BodyLimit, max_bytes=built.settings.max_body_bytes)
    app.add_middleware(RefuseWithoutSession, failed=answer_to, without_session=WITHOUT_STORE)
    app.add_middleware(RefuseCrossSite, home=built.settings.public_base_url, friends=built.settings.allowed_origins)
    wire.Routing.install(app)
    return app
