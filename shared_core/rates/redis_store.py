"""Counts in Redis, in the storages that `limits` has; imported only where RATE_LIMIT_STORE names one."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from limits import RateLimitItem
from limits.aio.storage import RedisStorage as AsyncRedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import RedisStorage
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared_core.rates.counting import NOWHERE, SCOPE, Count, Counter

# A request is not worth waiting longer for: it passes uncounted.
TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
# Tried once more, at once: a pooled connection may have been closed while it was idle.
LOST = (redis.ConnectionError,)


class RedisRateStore:
    """Counts in Redis, all under keys that begin with `prefix`. Making one opens no connection."""

    def __init__(self, url: str, *, prefix: str) -> None:
        self.uri = url
        self._prefix = prefix
        self._pool = redis.ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 1, LOST), **TIMEOUTS)

    @property
    def options(self) -> dict[str, Any]:
        return {"connection_pool": self._pool, "key_prefix": self._prefix}

    def counter(self, item: RateLimitItem) -> Counter:
        pool = redis.asyncio.ConnectionPool.from_url(self.uri, retry=AsyncRetry(NoBackoff(), 1, LOST), **TIMEOUTS)
        return RedisCounter(item, pool, self._prefix)

    def clear(self) -> None:
        RedisStorage(self.uri, **self.options).reset()

    def close(self) -> None:
        self._pool.disconnect()


class RedisCounter:
    """Counts in Redis, awaited."""

    def __init__(self, item: RateLimitItem, pool: redis.asyncio.ConnectionPool, prefix: str) -> None:
        self._item = item
        self._pool = pool
        storage: Any = AsyncRedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=prefix,
            connection_pool=pool,  # type: ignore[arg-type]  # its options are typed as numbers and text
        )
        self._limiter = FixedWindowRateLimiter(storage)

    async def count(self, address: str | None) -> Count:
        key = (address or NOWHERE, SCOPE)
        passes = await self._limiter.hit(self._item, *key)
        return Count.of(self._item, await self._limiter.get_window_stats(self._item, *key), exceeded=not passes)

    async def aclose(self) -> None:
        await self._pool.disconnect()
