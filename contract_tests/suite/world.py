"""A deterministic world for an app: an empty migrated database, a fixed clock, the cheapest hashes; rewound fast."""

from __future__ import annotations

import atexit
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from pydantic import SecretStr

from contract_tests.suite.provider import Provider
from shared_core import tables
from shared_core.database import Database, make_engine, prepare_sqlite
from shared_core.metrics import Metrics
from shared_core.migrations import migrate
from shared_core.passwords import Passwords
from shared_core.rates import RateLimits, RateStore, SqliteRateStore
from shared_core.services import (
    Services,
    build_services,
    make_rate_store,
    make_session_store,
    make_signin,
    session_policy,
)
from shared_core.sessions.stores import SqliteStore
from shared_core.settings import EMBEDDED_RATE_LIMIT_STORE, EMBEDDED_SESSION_STORE, Settings
from shared_core.uploads import Uploads

if TYPE_CHECKING:
    from shared_core.sessions.redis_stores import RedisStore

BASE_URL = "https://testserver"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# Whoever asks, in process and over sockets: tests stand behind a trusted proxy, and may name any client.
PEER = "127.0.0.1"

CHEAP_HASHES = {"password_time_cost": 1, "password_memory_kib": 8}
# An origin whose pages may use the service.
FRIEND = "https://app.example"
# No test is refused; each response that is counted still says where its client stands, and the pair compares it.
NEVER_REACHED = "1000000/hour"


@cache
def settings(**changes: Any) -> Settings:
    """Settings that no environment and no .env file touches; they never change, and the same are made once."""
    given = {name: field.default for name, field in Settings.model_fields.items()}
    given |= CHEAP_HASHES
    given |= {"threads": 8, "public_base_url": BASE_URL, "trusted_proxies": PEER}
    given |= {"cors_origins": FRIEND, "rate_limit": NEVER_REACHED}
    return Settings(_env_file=None, **{**given, **changes})  # type: ignore[call-arg]


def environment(chosen: Settings) -> dict[str, str]:
    """Settings as a server's environment: every one, so that none is left to the shell that started us."""
    told = {name: getattr(chosen, name) for name in Settings.model_fields}
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in told.items()
    }


class Tokens:
    """Tokens that are the same in each world, in their order; nobody has to guess them here."""

    def __init__(self, name: str = "token") -> None:
        self._name = name
        self._made = count(1)

    def __call__(self) -> str:
        return f"{self._name}-{next(self._made)}"

    def reset(self) -> None:
        self._made = count(1)


class SignInProvider(Protocol):
    """An OpenID provider that worlds may sign in at."""

    def settings(self) -> dict[str, str]:
        """The settings of a service that signs in there."""
        ...

    def answer(self, url: str, *, account: str | None = "ada") -> str:
        """Where it sends a browser that asked for `url` once `account` signs in; None declines."""
        ...


@cache
def provider() -> Provider:
    """The provider that our own worlds sign in at; one a process, ended with it."""
    started = Provider(f"{BASE_URL}/signin/callback")
    started.start()
    atexit.register(started.stop)
    return started


@dataclass(frozen=True, slots=True)
class World:
    """Services over a database and a session store in memory."""

    services: Services

    def reset(self) -> None:
        """Rewind everything: rows, ids, sessions, counts, tokens and clock."""
        self._forget_sessions()
        self.services.rate_limits.store.clear()
        shutil.rmtree(self.services.uploads.folder, ignore_errors=True)
        for tokens in (self.services.new_token, self.services.new_request_id):
            if isinstance(tokens, Tokens):
                tokens.reset()
        engine = self.services.database.engine
        if engine.url.get_backend_name() != "sqlite":
            empty(engine)
            return
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.deserialize(template())

    def close(self) -> None:
        self._forget_sessions()
        shutil.rmtree(self.services.uploads.folder, ignore_errors=True)
        self.services.rate_limits.store.clear()
        self.services.close()

    def _forget_sessions(self) -> None:
        self.services.session_store.clear(self.services.session_policy.key_prefix)


def make_world(**changes: Any) -> World:
    """A fresh world; `changes` are settings."""
    chosen = settings(**changes)
    passwords = Passwords(time_cost=chosen.password_time_cost, memory_kib=chosen.password_memory_kib)
    session_store = _session_store(chosen)
    services = Services(
        settings=chosen,
        database=Database(_engine(chosen.pool_timeout)),
        passwords=passwords,
        session_policy=session_policy(chosen),
        session_store=session_store,
        signin=make_signin(chosen, session_store),
        uploads=_uploads(chosen),
        rate_limits=_rate_limits(chosen),
        clock=lambda: NOW,
        new_token=Tokens(),
        new_request_id=Tokens("request"),
        metrics=Metrics(),
    )
    world = World(services)
    world.reset()
    return world


@contextmanager
def own_world(**changes: Any) -> Iterator[World]:
    """A fresh world, closed at the end."""
    world = make_world(**changes)
    try:
        yield world
    finally:
        world.close()


@contextmanager
def on_postgresql(server: str, **changes: Any) -> Iterator[World]:
    """A world in a database of its own on a PostgreSQL server, dropped at the end."""
    name = f"contract_{secrets.token_hex(6)}"
    admin = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    chosen = settings(database_url=url, pool_size=8, **changes)
    engine = make_engine(chosen)
    try:
        migrate(engine)
        services = build_services(chosen)
        engine.dispose()
        store = _session_store(chosen)
        ours = replace(
            services,
            session_store=store,
            signin=make_signin(chosen, store),
            uploads=_uploads(chosen),
            rate_limits=_rate_limits(chosen),
        )
        yield World(replace(ours, clock=lambda: NOW, new_token=Tokens(), new_request_id=Tokens("request")))
        services.close()
        store.close()
        ours.rate_limits.store.close()
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def _session_store(chosen: Settings) -> SqliteStore | RedisStore:
    """In memory, where none is chosen."""
    if chosen.session_store.get_secret_value() == EMBEDDED_SESSION_STORE:
        return SqliteStore(":memory:", clock=time.time)
    return make_session_store(chosen)


def _uploads(chosen: Settings) -> Uploads:
    """A folder of its own, which is made by the first upload."""
    folder = Path(tempfile.gettempdir()) / f"contract-uploads-{secrets.token_hex(8)}"
    return Uploads(folder, chosen.max_upload_bytes, new_key=secrets.token_urlsafe)


def _rate_limits(chosen: Settings) -> RateLimits:
    """In memory, where no store is chosen."""
    store: RateStore = SqliteRateStore(":memory:", clock=time.time)
    if chosen.rate_limit_store.get_secret_value() != EMBEDDED_RATE_LIMIT_STORE:
        store = make_rate_store(chosen)
    return RateLimits(chosen.rate_limit, store)


def on_store(url: str | None) -> dict[str, str]:
    """The settings of a world whose sessions are in a store that others may use, too."""
    return {"session_store": url, "session_key_prefix": f"contract-{secrets.token_hex(6)}:"} if url else {}


def empty(engine: sa.Engine) -> None:
    """Empty the tables of a database that a server is using, and begin its ids anew."""
    on_postgresql = engine.url.get_backend_name() == "postgresql"
    with engine.begin() as connection:
        if on_postgresql:
            # Nobody minds what a test's rewinding loses in a crash; TRUNCATE would take ten times as long.
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(sa.delete(table))
        connection.exec_driver_sql(
            "ALTER SEQUENCE users_id_seq RESTART" if on_postgresql else "DELETE FROM sqlite_sequence"
        )


@cache
def template() -> bytes:
    """A migrated, empty SQLite database, as bytes; made once a process."""
    engine = _engine(pool_timeout=5)
    migrate(engine)
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        content: bytes = raw.serialize()
    engine.dispose()
    return content


def _engine(pool_timeout: float) -> sa.Engine:
    """One connection, waited for: a StaticPool would let two threads into it and crash the interpreter."""
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(":memory:", check_same_thread=False),
        poolclass=sa.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=pool_timeout,
        hide_parameters=True,
    )
    prepare_sqlite(engine, ("PRAGMA foreign_keys = ON",))
    return engine
