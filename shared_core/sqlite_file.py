"""A SQLite file for what is kept beside the database, and the thread on which an event loop asks it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

# Seconds between two tries at a file that another process is preparing.
PAUSE = 0.01


class SqliteFile:
    """A file (WAL) that every process of both apps may open; `:memory:` is this object's alone.

    One connection, opened at the first use and so never taken along by a fork; a lock lets one thread in at a time.
    `timeout` is how many seconds to wait for another process.
    """

    def __init__(self, path: str, *, schema: Iterable[str], timeout: float = 5) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def execute(self, statement: str, values: tuple[object, ...] | dict[str, object] = ()) -> list[Any]:
        """The rows of a statement, which is a transaction of its own. Raises sqlite3.Error or OSError."""
        with self._lock:
            connection = self._connection = self._connection or self._connect()
            return connection.execute(statement, values).fetchall()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            file = Path(self._path)
            file.parent.mkdir(parents=True, exist_ok=True)
            # Whoever reads it is whoever is signed in, or knows who was here.
            file.touch(mode=0o600)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=self._timeout)
        try:
            self._switch_to_wal(connection)
            for statement in ("PRAGMA synchronous = NORMAL", *self._schema):
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _switch_to_wal(self, connection: sqlite3.Connection) -> None:
        """Two processes that open a new file at once both switch it, and SQLite lets neither wait for the other."""
        until = time.monotonic() + self._timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE)


class OwnThread:
    """A thread for one thing: waiting for it holds neither the loop nor a thread that handlers share."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, call: Callable[..., Result], *arguments: object) -> Result:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        # In the request's own context: what is logged there names the request.
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._executor, context.run, call, *arguments)

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)
