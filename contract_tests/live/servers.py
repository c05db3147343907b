"""An app on a real server over a migrated database of its own, told its settings by the environment."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contract_tests.parity.servers import Server
from contract_tests.suite.world import environment, settings
from shared_core.database import make_engine
from shared_core.migrations import migrate

THREADS = 16
POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
START_POSTGRESQL = (
    "no PostgreSQL with a user postgres and no password on 127.0.0.1:5432; to start one:"
    " docker run --rm -p 127.0.0.1:5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres"
)

APPS = {"original": "flask_app:create_app()", "port": "fastapi_app:create_app"}


def gunicorn(app: str, *, threads: int = THREADS, workers: int = 1) -> str:
    """The command that serves a WSGI app, `module:factory()`, as `make flask` does."""
    return (
        f"gunicorn {app} --worker-class gthread --threads {threads} --workers {workers} --no-control-socket"
        " --forwarded-allow-ips= --bind 127.0.0.1:{port}"
    )


def uvicorn(app: str, *, protocol: str = "fastapi_app.wire.protocol:GunicornHttp") -> str:
    """The command that serves an ASGI app, `module:factory`, as `make fastapi` does, or by another protocol."""
    return (
        f"uvicorn {app} --factory --http {protocol} --no-proxy-headers --no-access-log --host 127.0.0.1 --port {{port}}"
    )


def command_of(role: str, *, threads: int = THREADS, workers: int = 1) -> str:
    """The command of one of our own two apps."""
    return uvicorn(APPS[role]) if role == "port" else gunicorn(APPS[role], threads=threads, workers=workers)


# Each app's own server, by its role.
SERVERS = {role: command_of(role) for role in APPS}


def serve(
    command: str,
    folder: Path,
    *,
    database_url: str,
    port: int = 0,
    grace: float = 5.0,
    checkout: Path | None = None,
    **changes: Any,
) -> Server:
    """A server, not started yet, that runs in `folder` with these settings and keeps its sessions there.

    `checkout` is another checkout of this project, whose code runs on its own `.venv`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sessions = f"sqlite:///{folder / 'sessions.sqlite3'}"
    chosen = settings(**{"database_url": database_url, "session_store": sessions, "threads": THREADS, **changes})
    python, path = (
        (str(checkout / ".venv/bin/python"), {"PYTHONPATH": str(checkout)}) if checkout else (sys.executable, {})
    )
    return Server(
        [python, "-m", *command.split()],
        env=environment(chosen) | path,
        cwd=folder,
        ready="/healthz",
        port=port,
        grace=grace,
    )


def sqlite_database(folder: Path) -> str:
    """The URL of a new migrated database in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / 'service.sqlite3'}"
    _migrate(url)
    return url


@contextmanager
def postgresql_database(server: str = POSTGRESQL) -> Iterator[str]:
    """The URL of a new migrated database on a PostgreSQL server, dropped at the end."""
    name = f"contract_{secrets.token_hex(6)}"
    admin = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        url = admin.url.set(database=name).render_as_string(hide_password=False)
        _migrate(url)
        yield url
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def has_postgresql(server: str = POSTGRESQL) -> bool:
    """Whether a PostgreSQL server answers."""
    import psycopg

    try:
        psycopg.connect(server, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def connected(database_url: str) -> Iterator[sa.Connection]:
    """A transaction of our own in a server's database."""
    engine = make_engine(settings(database_url=database_url, pool_size=1))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _migrate(url: str) -> None:
    engine = make_engine(settings(database_url=url, pool_size=1))
    migrate(engine)
    engine.dispose()
