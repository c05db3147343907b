"""The smallest apps with the packages that a user would pick for the service's jobs, set up as their own docs say.

The routes' database work is that of the smallest apps. Around it: server-side sessions in Redis (starsessions,
Flask-Session), a limit in Redis (slowapi, Flask-Limiter), Prometheus metrics, request ids, CORS, and in Flask the
security headers of Flask-Talisman. Less than the service does: nobody's sign-in is counted, ended or revoked here.
"""

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import BaseModel

from contract_tests.live.bench.specimens.smallest import COLUMNS, NewUser, Rows
from shared_core.settings import Settings, load_settings
from shared_core.tables import users

SESSION_PREFIX = "usual:"


class Login(BaseModel):
    email: str
    password: str


class Kept(BaseModel):
    value: int | str | None


class People(Rows):
    """The rows of the smallest apps, and who signs in."""

    hasher: PasswordHasher

    def sign_in(self, login: Login) -> dict | None:
        with self.engine.begin() as db:
            found = sa.select(*COLUMNS, users.c.password_hash).where(users.c.email_key == login.email.casefold())
            row = db.execute(found).one_or_none()
        try:
            self.hasher.verify(row.password_hash if row else "", login.password)
        except VerifyMismatchError:
            return None
        return {"id": row.id, "name": row.name, "email": row.email}

    def signed_in(self, id: int) -> dict:
        with self.engine.begin() as db:
            row = db.execute(sa.select(*COLUMNS).where(users.c.id == id)).one()
        return {"id": row.id, "name": row.name, "email": row.email}


def make_fastapi(settings: Settings | None = None):
    from anyio.to_thread import current_default_thread_limiter
    from asgi_correlation_id import CorrelationIdMiddleware
    from fastapi import Depends, FastAPI, HTTPException, Request
    from fastapi.middleware.cors import CORSMiddleware
    from fastapi.responses import JSONResponse
    from redis.asyncio import Redis
    from slowapi import Limiter, _rate_limit_exceeded_handler
    from slowapi.errors import RateLimitExceeded
    from slowapi.middleware import SlowAPIASGIMiddleware
    from slowapi.util import get_remote_address
    from starlette_exporter import PrometheusMiddleware, handle_metrics
    from starsessions import SessionMiddleware, load_session
    from starsessions.session import regenerate_session_id
    from starsessions.stores.redis import RedisStore

    settings = settings or load_settings()
    people = People(settings)
    redis = Redis.from_url(settings.session_store.get_secret_value())

    @asynccontextmanager
    async def lifespan(_):
        current_default_thread_limiter().total_tokens = settings.threads
        yield
        await redis.aclose()

    quiet = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    app = FastAPI(lifespan=lifespan, telemetry=quiet)
    app.state.limiter = Limiter(
        key_func=get_remote_address,
        default_limits=[settings.rate_limit],
        storage_uri=settings.rate_limit_store.get_secret_value(),
        key_prefix=settings.rate_limit_key_prefix,
        headers_enabled=True,
    )
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
    app.add_middleware(
        SessionMiddleware,
        store=RedisStore(connection=redis, prefix=settings.session_key_prefix + SESSION_PREFIX),
        lifetime=timedelta(seconds=settings.session_seconds),
    )
    app.add_middleware(SlowAPIASGIMiddleware)
    app.add_middleware(
        CORSMiddleware, allow_origins=settings.allowed_origins, allow_credentials=True, allow_methods=["*"]
    )
    app.add_middleware(PrometheusMiddleware)
    app.add_middleware(CorrelationIdMiddleware)
    app.add_route("/metrics", handle_metrics)

    async def session(request: Request):
        await load_session(request)
        return request.session

    Session = Annotated[dict, Depends(session)]

    @app.get("/healthz")
    @app.get("/")
    async def hello():
        return JSONResponse({"message": "Hello World"})

    @app.get("/user/{id}")
    def get_user(id: int):
        return JSONResponse(people.get(id))

    @app.get("/users")
    def list_users():
        return JSONResponse(people.list())

    @app.post("/user")
    def create_user(user: NewUser):
        return JSONResponse(people.create(user), 201)

    @app.post("/session")
    def create_session(request: Request, login: Login, session: Session):
        user = people.sign_in(login)
        if user is None:
            raise HTTPException(401)
        session["user_id"] = user["id"]
        regenerate_session_id(request)
        return JSONResponse(user)

    @app.get("/whoami")
    def whoami(session: Session):
        if "user_id" not in session:
            raise HTTPException(401)
        return JSONResponse(people.signed_in(session["user_id"]))

    @app.get("/session/data/{key}")
    async def get_value(key: str, session: Session):
        return JSONResponse({"value": session[f"data:{key}"]})

    @app.put("/session/data/{key}")
    async def put_value(key: str, kept: Kept, session: Session):
        session[f"data:{key}"] = kept.value
        return JSONResponse({"value": kept.value})

    return app


def make_flask(settings: Settings | None = None):
    from flask import Flask, abort, request, session
    from flask_cors import CORS
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    from flask_log_request_id import RequestID, current_request_id
    from flask_session import Session
    from flask_talisman import Talisman
    from prometheus_flask_exporter import PrometheusMetrics
    from redis import Redis

    settings = settings or load_settings()
    people = People(settings)
    app = Flask(__name__, static_folder=None)
    app.config |= {
        "SESSION_TYPE": "redis",
        "SESSION_REDIS": Redis.from_url(settings.session_store.get_secret_value()),
        "SESSION_KEY_PREFIX": settings.session_key_prefix + SESSION_PREFIX,
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=settings.session_seconds),
        "RATELIMIT_HEADERS_ENABLED": True,
        "RATELIMIT_KEY_PREFIX": settings.rate_limit_key_prefix,
    }
    RequestID(app)
    PrometheusMetrics(app)
    CORS(app, origins=list(settings.allowed_origins), supports_credentials=True)
    Talisman(app, force_https=False)
    Session(app)
    Limiter(
        get_remote_address,
        app=app,
        default_limits=[settings.rate_limit],
        storage_uri=settings.rate_limit_store.get_secret_value(),
    )

    @app.after_request
    def tell_request_id(response):
        response.headers["X-Request-ID"] = current_request_id()
        return response

    @app.get("/healthz")
    @app.get("/")
    def hello():
        return {"message": "Hello World"}

    @app.get("/user/<int:id>")
    def get_user(id):
        return people.get(id)

    @app.get("/users")
    def list_users():
        return people.list()

    @app.post("/user")
    def create_user():
        return people.create(NewUser.model_validate_json(request.get_data())), 201

    @app.post("/session")
    def create_session():
        user = people.sign_in(Login.model_validate_json(request.get_data()))
        if user is None:
            abort(401)
        session["user_id"] = user["id"]
        app.session_interface.regenerate(session)
        return user

    @app.get("/whoami")
    def whoami():
        if "user_id" not in session:
            abort(401)
        return people.signed_in(session["user_id"])

    @app.get("/session/data/<key>")
    def get_value(key):
        return {"value": session[f"data:{key}"]}

    @app.put("/session/data/<key>")
    def put_value(key):
        kept = Kept.model_validate_json(request.get_data())
        session[f"data:{key}"] = kept.value
        return {"value": kept.value}

    return app
