"""A small service that writes as told into a database of its own, and the databases for two of them."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy
from argon2 import PasswordHasher
from sqlalchemy import text

from contract_tests.live.servers import POSTGRESQL, START_POSTGRESQL, has_postgresql

SCHEMA = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80), password_hash VARCHAR(200), token VARCHAR(80),"
    " created_at TIMESTAMP, expires VARCHAR(40), prefs VARCHAR(200), active BOOLEAN)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), total FLOAT,"
    " state VARCHAR(20))",
    "CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), sku VARCHAR(20), n INTEGER,"
    " PRIMARY KEY (order_id, sku))",
    "CREATE TABLE files (id VARCHAR(40) PRIMARY KEY, user_id INTEGER, size INTEGER)",
    "CREATE TABLE audit (what VARCHAR(40), at FLOAT)",
)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Service:
    """A small service that writes as told: each fault is something the port may do otherwise."""

    def __init__(self, url, *, first=1, fault="", hasher=CHEAP.hash):
        self.engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
        if url.startswith("sqlite"):
            # What is written need not outlive a power cut.
            sqlalchemy.event.listen(self.engine, "connect", lambda db, _: db.execute("PRAGMA synchronous = OFF"))
        self.first, self.fault, self.hasher = first, fault, hasher
        self.draw = lambda _email: uuid.uuid4().hex
        with self.engine.begin() as db:
            for statement in SCHEMA:
                db.execute(text(statement))

    def next(self, db, table):
        return max(self.first, (db.scalar(text(f"SELECT max(id) FROM {table}")) or 0) + 1)

    def insert(self, db, table, **values):
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        db.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)

    def sign_up(self, *emails):
        with self.engine.begin() as db:
            for email in emails:
                now = datetime.now(UTC).replace(tzinfo=None)
                values = {
                    "id": self.next(db, "users"),
                    "email": email,
                    "password_hash": self.hasher("hunter2"),
                    "token": self.draw(email),
                    "created_at": now,
                    "expires": (now + timedelta(days=30)).isoformat(),
                    "prefs": '{"theme": "dark", "at": "' + now.isoformat() + '"}',
                    "active": True,
                }
                changed = {
                    "email case": {"email": email.upper()},
                    "no hash": {"password_hash": "hunter2"},
                    "another cost": {
                        "password_hash": PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("x")
                    },
                    "short token": {"token": uuid.uuid4().hex[:16]},
                    "token of uuid": {"token": str(uuid.uuid4())},
                    "expires later": {"expires": (now + timedelta(days=31)).isoformat()},
                    "time with zone": {"expires": (now + timedelta(days=30)).isoformat() + "+00:00"},
                    "old time": {"created_at": now - timedelta(hours=1)},
                    "other prefs": {"prefs": values["prefs"].replace("dark", "light")},
                    "null": {"active": None},
                    "not active": {"active": False},
                }.get(self.fault, {})
                self.insert(db, "users", **values | changed)
                at = datetime.now(UTC).timestamp() + (3600 if self.fault == "audit clock" else 0)
                self.insert(db, "audit", what="signed up", at=at)
                if self.fault == "audit twice":
                    self.insert(db, "audit", what="signed up", at=at)
            if self.fault == "row twice":
                self.insert(db, "users", id=self.next(db, "users"), email=emails[-1])

    def order(self, user_offset=0):
        with self.engine.begin() as db:
            id, user = self.next(db, "orders"), self.first + user_offset
            user += self.fault == "wrong user"
            total = {"rounded": 5.0, "float": 5.25}.get(self.fault, 5.5)
            if self.fault != "lost order":
                self.insert(db, "orders", id=id, user_id=user, total=total, state="new")
                self.insert(db, "lines", order_id=id, sku="tea", n=2 + (self.fault == "lines"))
            if self.fault != "no file":
                owner = user + (self.fault == "file of another")
                self.insert(db, "files", id=str(uuid.uuid4()), user_id=owner, size=7)

    def pay(self):
        with self.engine.begin() as db:
            if self.fault != "lost update":
                state = "payed" if self.fault == "state" else "paid"
                db.execute(text("UPDATE orders SET state = :state WHERE id = :id"), {"state": state, "id": self.first})

    def cancel(self):
        with self.engine.begin() as db:
            db.execute(text("DELETE FROM lines WHERE order_id = :id"), {"id": self.first})
            if self.fault != "kept":
                db.execute(text("DELETE FROM orders WHERE id = :id"), {"id": self.first})


def sqlite_urls(folder):
    return [f"sqlite:///{folder}/{side}.sqlite3" for side in ("original", "port")]


@contextmanager
def postgresql_databases():
    """The URLs of two databases, which are dropped. Required in CI, skipped elsewhere where no server answers."""
    if not has_postgresql(POSTGRESQL):
        pytest.fail(START_POSTGRESQL) if os.environ.get("CI") == "true" else pytest.skip(START_POSTGRESQL)
    names = [f"effects_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    with psycopg.connect(POSTGRESQL, autocommit=True) as admin:
        try:
            for name in names:
                admin.execute(f"CREATE DATABASE {name}")
            yield [f"postgresql+psycopg://postgres@127.0.0.1:5432/{name}" for name in names]
        finally:
            for name in names:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def emptied(urls):
    """The same databases, without a table."""
    for url in urls:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")
    return urls
