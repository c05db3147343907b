"""Builds the port; nothing is made at import."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.types import ASGIApp

from fastapi_app import docs, health, hello, openapi, users, wire
from fastapi_app.errors import register_error_handlers
from fastapi_app.inputs import place_services
from shared_core import logs
from shared_core.services import Services, services_from_environment

NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


class Port(FastAPI):
    """FastAPI with its outermost piece outside the error middleware, and one OpenAPI document for both apps."""

    def build_middleware_stack(self) -> ASGIApp:
        return wire.QuietErrors(super().build_middleware_stack(), logs.log_failure)

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
            if services is None:
                built.close()

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
    for module in (hello, users, health, docs):
        app.include_router(module.router)
    register_error_handlers(app)
    app.add_middleware(wire.BodyLimit, max_bytes=built.settings.max_body_bytes)
    wire.Routing.install(app)
    return app
