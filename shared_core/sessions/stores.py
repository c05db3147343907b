"""Where sessions are kept: bytes under a key until they expire. SQLite here, Redis in redis_stores.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Protocol

from shared_core import logs
from shared_core.errors import Unavailable
from shared_core.sqlite_file import OwnThread, SqliteFile

BUSY = "The session store cannot answer just now; try again soon."

# At most one in so many writes looks for what has expired.
WRITES_BETWEEN_CLEANUPS = 100

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_sessions_expires ON sessions (expires)",
)
# One row where it was added: what has expired is nobody's any more.
ADD = (
    "INSERT INTO sessions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
    " SET value = excluded.value, expires = excluded.expires WHERE expires <= ? RETURNING 1"
)


class Store(Protocol):
    """What an app with threads needs of a store. Each method may raise Unavailable."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, *, seconds: int) -> None: ...

    def add(self, key: str, value: bytes, *, seconds: int) -> bool:
        """Set it unless there is one already, in one step; whether it was set."""
        ...

    def delete(self, key: str) -> None: ...

    def close(self) -> None: ...

    def awaitable(self) -> AsyncStore:
        """The same store for an app on an event loop."""
        ...


class AsyncStore(Protocol):
    """The same, awaited: no method holds up the loop."""

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, *, seconds: int) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def aclose(self) -> None: ...


def unavailable(error: Exception) -> Unavailable:
    """What a failure of a store becomes; its text stays out of the log, for it may quote a key."""
    logs.logger.warning("the session store cannot answer: %s", type(error).__qualname__)
    return Unavailable(BUSY)


class SqliteStore:
    """Sessions in a SQLite file, shared by every process of both apps. `clock` gives seconds since 1970."""

    def __init__(self, path: str, *, clock: Callable[[], float]) -> None:
        self._file = SqliteFile(path, schema=SCHEMA)
        self._clock = clock
        self._writes = 0

    def get(self, key: str) -> bytes | None:
        query = "SELECT value FROM sessions WHERE key = ? AND expires > ?"
        rows = self._execute(query, (key, self._clock()))
        return bytes(rows[0][0]) if rows else None

    def set(self, key: str, value: bytes, *, seconds: int) -> None:
        now = self._clock()
        self._execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", (key, value, now + seconds))
        self._writes += 1
        if self._writes % WRITES_BETWEEN_CLEANUPS == 0:
            self._execute("DELETE FROM sessions WHERE expires <= ?", (now,))

    def add(self, key: str, value: bytes, *, seconds: int) -> bool:
        now = self._clock()
        return bool(self._execute(ADD, (key, value, now + seconds, now)))

    def delete(self, key: str) -> None:
        self._execute("DELETE FROM sessions WHERE key = ?", (key,))

    def clear(self, prefix: str) -> None:
        """Forget every session whose key begins so."""
        self._execute("DELETE FROM sessions WHERE substr(key, 1, ?) = ?", (len(prefix), prefix))

    def close(self) -> None:
        self._file.close()

    def awaitable(self) -> ThreadedStore:
        return ThreadedStore(self)

    def _execute(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        try:
            return self._file.execute(statement, values)
        except (sqlite3.Error, OSError) as error:
            raise unavailable(error) from error


class ThreadedStore:
    """A store on a thread of its own: waiting for it holds neither the loop nor a thread that handlers share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = OwnThread("sessions")

    async def get(self, key: str) -> bytes | None:
        return await self._thread.run(self._store.get, key)

    async def set(self, key: str, value: bytes, *, seconds: int) -> None:
        await self._thread.run(lambda: self._store.set(key, value, seconds=seconds))

    async def delete(self, key: str) -> None:
        await self._thread.run(self._store.delete, key)

    async def aclose(self) -> None:
        self._thread.close()
