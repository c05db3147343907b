"""Engine and transactions: a transaction opens and closes inside one call on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from shared_core import logs, tables
from shared_core.errors import NotMigrated, Unavailable
from shared_core.settings import Settings, SettingsError

BUSY = "The database cannot answer just now; try again soon."
BEHIND = "The database is not migrated to what this version needs."

_revision = sa.select(tables.revisions.c.version_num)

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
)


# Seconds until a PostgreSQL server counts as gone: that takes no connection, or (milliseconds) takes no bytes.
IMPATIENT = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 30}


class Database:
    """An engine and what the rules need of it. Making one opens no connection, so it may be made before a fork."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(writes=True)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, rolled back on an error.

        Raises Unavailable where no connection comes free in time, or the database does not answer or cannot write now,
        and NotMigrated where a statement fails because the database has another schema.
        """
        with self._transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def begin_write(self) -> Iterator[sa.Connection]:
        """The same for a transaction that reads before it writes: it is a writer from its first statement on.

        SQLite refuses at once, without waiting, to make a writer of a reader whose snapshot is no longer the newest
        (SQLITE_BUSY_SNAPSHOT): half of 200 sign-ins at once were 503.
        """
        with self._transaction(self._writing) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except (exc.TimeoutError, exc.DBAPIError) as error:
            if passes(error):
                raise busy(error) from error
            self._blame_schema(error)
            raise

    def _blame_schema(self, error: Exception) -> None:
        """Raises NotMigrated if that is why a statement failed. Its own connection is free again by now.

        Asked after a failure alone: it costs other requests nothing, and a migration needs no restart. While a newer
        version is rolled out, what still works with its schema goes on working.
        """
        try:
            self.check()
        except NotMigrated as reason:
            logs.logger.warning("the database is not migrated: %s", type(error).__qualname__)
            raise reason from error
        except Unavailable:
            return  # nobody knows; the error is told as it is

    def check(self) -> None:
        """Raises Unavailable unless the database answers, and NotMigrated unless it has the schema of this version."""
        try:
            with self.engine.begin() as connection:
                revision = connection.scalar(_revision)
        except (exc.TimeoutError, exc.DBAPIError) as error:
            if passes(error):
                raise busy(error) from error
            if isinstance(error, (exc.ProgrammingError, exc.OperationalError)):
                raise NotMigrated(BEHIND) from error  # it has no table of revisions
            raise
        if revision != tables.REVISION:
            raise NotMigrated(BEHIND)

    def close(self) -> None:
        self.engine.dispose()


# SQLite's primary result codes for what passes: BUSY, LOCKED, IOERR, FULL, CANTOPEN (sqlite.org/rescode.html).
PASSING_SQLITE = frozenset({5, 6, 10, 13, 14})
# PostgreSQL's classes: rolled back by the server, out of resources, operator's intervention, system error.
PASSING_POSTGRESQL = ("40", "53", "57", "58")


def passes(error: exc.TimeoutError | exc.DBAPIError) -> bool:
    """Whether an error lies with the database's state of this moment, and not with a statement of ours."""
    if isinstance(error, exc.TimeoutError) or error.connection_invalidated:
        return True
    # Without a statement it arose while connecting.
    if isinstance(error, exc.InterfaceError) or (isinstance(error, exc.OperationalError) and error.statement is None):
        return True
    code, state = getattr(error.orig, "sqlite_errorcode", 0), getattr(error.orig, "sqlstate", None) or ""
    return code & 0xFF in PASSING_SQLITE or state.startswith(PASSING_POSTGRESQL)


def busy(error: Exception) -> Unavailable:
    """What an error that passes is for the client, and one line in the log."""
    logs.logger.warning("the database cannot answer: %s", type(error).__qualname__)
    return Unavailable(BUSY)


def make_engine(settings: Settings) -> sa.Engine:
    """An engine on a bounded pool, with parameters left out of its errors. Raises SettingsError without a driver."""
    url = sa.make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "postgresql" and find_spec("psycopg") is None:
        raise SettingsError('DATABASE_URL: PostgreSQL needs a driver: pip install "psycopg[binary]"')
    engine = sa.create_engine(
        url,
        connect_args=IMPATIENT if url.get_backend_name() == "postgresql" else {},
        poolclass=sa.QueuePool,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        hide_parameters=True,
    )
    if url.get_backend_name() == "sqlite":
        prepare_sqlite(engine, SQLITE_PRAGMAS)
    return engine


def prepare_sqlite(engine: sa.Engine, pragmas: tuple[str, ...]) -> None:
    """Give each new SQLite connection its pragmas, and each transaction a BEGIN of its own.

    The driver's own transactions begin only at the first write, so two reads of one
    transaction could see two states (SQLAlchemy's documentation of pysqlite).
    """

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
