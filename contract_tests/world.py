"""A deterministic world for an app: an empty migrated database, a fixed clock, the cheapest hashes; rewound fast."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from shared_core import tables
from shared_core.database import Database, prepare_sqlite
from shared_core.migrations import migrate
from shared_core.passwords import Passwords
from shared_core.services import Services
from shared_core.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

CHEAP_HASHES = {"password_time_cost": 1, "password_memory_kib": 8}


def settings(**changes: Any) -> Settings:
    """Settings that no environment and no .env file touches."""
    given = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(_env_file=None, **{**given, **CHEAP_HASHES, "threads": 8, **changes})  # type: ignore[call-arg]


@dataclass(frozen=True, slots=True)
class World:
    """Services over a database in memory."""

    services: Services

    def reset(self) -> None:
        """Rewind everything: rows, ids and clock."""
        with self.services.database.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.deserialize(template())

    def close(self) -> None:
        self.services.close()


def make_world(**changes: Any) -> World:
    """A fresh world; `changes` are settings."""
    chosen = settings(**changes)
    passwords = Passwords(time_cost=chosen.password_time_cost, memory_kib=chosen.password_memory_kib)
    world = World(Services(chosen, Database(_engine(chosen.pool_timeout)), passwords, clock=lambda: NOW))
    world.reset()
    return world


def empty(engine: sa.Engine) -> None:
    """Empty the tables of a database that a server is using, and begin its ids anew."""
    with engine.begin() as connection:
        if engine.url.get_backend_name() == "postgresql":
            names = ", ".join(table.name for table in tables.metadata.sorted_tables)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
            return
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(sa.delete(table))
        connection.exec_driver_sql("DELETE FROM sqlite_sequence")


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
