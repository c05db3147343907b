"""Where requests are counted: SQLite here, which `limits` does not know, Redis in redis_store.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from shared_core.rates.counting import NOWHERE, SCOPE, Count, Counter
from shared_core.sqlite_file import OwnThread, SqliteFile

# At most one in so many counts looks for what has expired.
COUNTS_BETWEEN_CLEANUPS = 1000

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, amount INTEGER NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_counts_expires ON counts (expires)",
)
# One statement, so that no two count the same; the first request after a window begins the next.
INCREMENT = """
    INSERT INTO counts VALUES (:key, :amount, :now + :seconds) ON CONFLICT (key) DO UPDATE SET
        amount = CASE WHEN expires > :now THEN amount ELSE 0 END + :amount,
        expires = CASE WHEN expires > :now THEN expires ELSE :now + :seconds END
    RETURNING amount
"""


class SqliteStorage(Storage):
    """Counts in a SQLite file, for the fixed window of `limits` and so of Flask-Limiter, too.

    `storage_from_string("sqlite://", file=..., clock=...)` makes one: the file is opened by whoever shares it.
    """

    STORAGE_SCHEME = ["sqlite"]  # noqa: RUF012 - `limits` declares it for instances, too

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        *,
        file: SqliteFile,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._file = file
        self._clock = clock
        self._counts = 0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error, OSError)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        values = {"key": key, "amount": amount, "now": now, "seconds": expiry}
        ((counted,),) = self._file.execute(INCREMENT, values)
        self._counts += 1
        if self._counts % COUNTS_BETWEEN_CLEANUPS == 0:
            self._file.execute("DELETE FROM counts WHERE expires <= ?", (now,))
        return int(counted)

    def get(self, key: str) -> int:
        rows = self._file.execute("SELECT amount FROM counts WHERE key = ? AND expires > ?", (key, self._clock()))
        return int(rows[0][0]) if rows else 0

    def get_expiry(self, key: str) -> float:
        now = self._clock()
        rows = self._file.execute("SELECT expires FROM counts WHERE key = ? AND expires > ?", (key, now))
        return float(rows[0][0]) if rows else now

    def check(self) -> bool:
        try:
            self._file.execute("SELECT 1 FROM counts LIMIT 1")
        except self.base_exceptions:
            return False
        return True

    def reset(self) -> int:
        return len(self._file.execute("DELETE FROM counts RETURNING key"))

    def clear(self, key: str) -> None:
        self._file.execute("DELETE FROM counts WHERE key = ?", (key,))


class RateStore(Protocol):
    """A store of counts, for either app. `uri` and `options` are what Flask-Limiter makes its storage of."""

    @property
    def uri(self) -> str: ...

    @property
    def options(self) -> dict[str, Any]: ...

    def counter(self, item: RateLimitItem) -> Counter: ...

    def clear(self) -> None:
        """Forget every count."""
        ...

    def close(self) -> None: ...


class SqliteRateStore:
    """Counts in a SQLite file, shared by every process of both apps; `:memory:` by whoever has this object."""

    uri = "sqlite://"

    def __init__(self, path: str, *, clock: Callable[[], float]) -> None:
        # A request is not worth waiting longer for: it passes uncounted.
        self._file = SqliteFile(path, schema=SCHEMA, timeout=1)
        self._clock = clock

    @property
    def options(self) -> dict[str, Any]:
        return {"file": self._file, "clock": self._clock}

    def counter(self, item: RateLimitItem) -> Counter:
        return ThreadedCounter(item, SqliteStorage(**self.options))

    def clear(self) -> None:
        SqliteStorage(**self.options).reset()

    def close(self) -> None:
        self._file.close()


class ThreadedCounter:
    """Counts in one hop to a thread of its own."""

    def __init__(self, item: RateLimitItem, storage: Storage) -> None:
        self._item = item
        self._limiter = FixedWindowRateLimiter(storage)
        self._thread = OwnThread("limits")

    async def count(self, address: str | None) -> Count:
        return await self._thread.run(self._count, address or NOWHERE)

    async def aclose(self) -> None:
        self._thread.close()

    def _count(self, address: str) -> Count:
        passes = self._limiter.hit(self._item, address, SCOPE)
        return Count.of(self._item, self._limiter.get_window_stats(self._item, address, SCOPE), exceeded=not passes)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """At most so many requests of one client, such as 600/minute; `limit` is empty where there is no limit."""

    limit: str
    store: RateStore

    def counter(self) -> Counter | None:
        """What counts for an app on an event loop."""
        return self.store.counter(parse(self.limit)) if self.limit else None
