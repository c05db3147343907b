"""The whole naive port: FastAPI's and Starlette's own pieces, each put where their documentation puts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.middleware.sessions import SessionMiddleware

from contract_tests.live.probes.specimens.naive import files, public, session, signin, users
from contract_tests.live.probes.specimens.naive.security import Secure
from shared_core import problems, rates
from shared_core.errors import ServiceError
from shared_core.rates import Counter
from shared_core.services import Services

ROUTERS = (public.router, users.router, session.router, signin.router, files.router)

CallNext = Callable[[Request], Awaitable[Response]]


def make_app(services: Services) -> FastAPI:
    counter = services.rate_limits.counter()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if counter is not None:
            await counter.aclose()

    app = FastAPI(title="Service", lifespan=lifespan)
    app.state.services = services
    add_error_handler(app)
    add_sessions(app, services)
    if counter is not None:
        add_rate_limit(app, counter)
    add_request_ids(app, services)
    add_cors(app, services)
    app.add_middleware(Secure, services=services)
    for router in ROUTERS:
        app.include_router(router)
    return app


def add_error_handler(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    async def refuse(request: Request, error: ServiceError) -> Response:
        status = problems.of_error(error).status
        return await http_exception_handler(request, HTTPException(status, detail=error.detail))


def add_sessions(app: FastAPI, services: Services) -> None:
    app.add_middleware(SessionMiddleware, secret_key="change me", session_cookie=services.session_policy.cookie_name)


def add_rate_limit(app: FastAPI, counter: Counter) -> None:
    @app.middleware("http")
    async def limit_rate(request: Request, call_next: CallNext) -> Response:
        if request.url.path in rates.EXEMPT:
            return await call_next(request)
        count = await counter.count(request.client.host if request.client else None)
        if count.exceeded:
            return JSONResponse({"detail": "Too many requests"}, status_code=429)
        response = await call_next(request)
        response.headers.update(dict(count.headers))
        return response


def add_request_ids(app: FastAPI, services: Services) -> None:
    @app.middleware("http")
    async def name_request(request: Request, call_next: CallNext) -> Response:
        request_id = request.headers.get("X-Request-ID") or services.new_request_id()
        response = await call_next(request)
        response.headers["X-Request-ID"] = request_id
        return response


def add_cors(app: FastAPI, services: Services) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=services.settings.allowed_origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
