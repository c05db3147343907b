"""The smallest apps that a person would write by hand in each framework for the same database work.

The same engine, tables, SQL and hasher as the service's, ready responses, and nothing else: no sessions, no problems,
no limits, no cross-site check. What the service costs above these is the price of its own edge.
"""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from argon2 import PasswordHasher
from pydantic import BaseModel

from shared_core.database import make_engine
from shared_core.settings import Settings, load_settings
from shared_core.tables import users

COLUMNS = (users.c.id, users.c.name, users.c.email)
LIMIT = 20


class NewUser(BaseModel):
    name: str
    email: str
    password: str


class Rows:
    """The SQL of the four routes."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings)
        self.hasher = PasswordHasher(
            time_cost=settings.password_time_cost, memory_cost=settings.password_memory_kib, parallelism=1
        )

    def get(self, id: int) -> dict:
        with self.engine.begin() as db:
            row = db.execute(sa.select(*COLUMNS).where(users.c.id == id)).one()
        return {"name": row.name, "email": row.email}

    def list(self) -> dict:
        with self.engine.begin() as db:
            rows = db.execute(sa.select(*COLUMNS).where(users.c.id > 0).order_by(users.c.id).limit(LIMIT + 1)).all()
        items = [{"id": row.id, "name": row.name, "email": row.email} for row in rows[:LIMIT]]
        return {"items": items, "next": rows[LIMIT - 1].id if len(rows) > LIMIT else None}

    def create(self, user: NewUser) -> dict:
        values = {
            "name": user.name,
            "email": user.email,
            "email_key": user.email.casefold(),
            "password_hash": self.hasher.hash(user.password),
            "created_at": datetime.now(UTC),
        }
        with self.engine.begin() as db:
            id = db.execute(sa.insert(users).values(values).returning(users.c.id)).scalar_one()
        return {"message": "User created successfully", "id": id}


def make_flask(settings: Settings | None = None):
    from flask import Flask, request

    app = Flask(__name__, static_folder=None)
    rows = Rows(settings or load_settings())

    @app.get("/healthz")
    @app.get("/")
    def hello():
        return {"message": "Hello World"}

    @app.get("/user/<int:id>")
    def get_user(id):
        return rows.get(id)

    @app.get("/users")
    def list_users():
        return rows.list()

    @app.post("/user")
    def create_user():
        return rows.create(NewUser.model_validate_json(request.get_data())), 201

    return app


def make_fastapi(settings: Settings | None = None):
    from anyio.to_thread import current_default_thread_limiter
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse

    settings = settings or load_settings()
    rows = Rows(settings)

    @asynccontextmanager
    async def lifespan(_):
        current_default_thread_limiter().total_tokens = settings.threads
        yield

    quiet = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    app = FastAPI(lifespan=lifespan, telemetry=quiet)

    @app.get("/healthz")
    @app.get("/")
    async def hello():
        return JSONResponse({"message": "Hello World"})

    @app.get("/user/{id}")
    def get_user(id: int):
        return JSONResponse(rows.get(id))

    @app.get("/users")
    def list_users():
        return JSONResponse(rows.list())

    @app.post("/user")
    def create_user(user: NewUser):
        return JSONResponse(rows.create(user), 201)

    return app
