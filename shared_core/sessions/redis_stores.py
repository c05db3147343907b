"""Sessions in Redis; imported only where SESSION_STORE names one."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared_core.sessions.stores import unavailable

# A store that does not answer must not hold a request for longer: it gets its 503 instead.
TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 1.0, "socket_timeout": 2.0}
# Tried once more, at once: a pooled connection may have been closed while it was idle. Silence is not waited for twice.
LOST = (redis.ConnectionError,)


class Client(redis.Redis):
    """A Redis client whose failures are Unavailable; Flask-Session takes it as SESSION_REDIS."""

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            raise unavailable(error) from error


class AsyncClient(redis.asyncio.Redis):
    """The same on an event loop."""

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            raise unavailable(error) from error


class RedisStore:
    """Sessions in Redis. Making one opens no connection."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def client(self) -> Client:
        return cast("Client", Client.from_url(self._url, retry=Retry(NoBackoff(), 1, LOST), **TIMEOUTS))

    def get(self, key: str) -> bytes | None:
        return cast("bytes | None", self.client.get(key))

    def set(self, key: str, value: bytes, *, seconds: int) -> None:
        self.client.set(key, value, ex=seconds)

    def add(self, key: str, value: bytes, *, seconds: int) -> bool:
        return bool(self.client.set(key, value, ex=seconds, nx=True))

    def delete(self, key: str) -> None:
        self.client.delete(key)

    def clear(self, prefix: str) -> None:
        """Forget every session whose key begins so."""
        for key in self.client.scan_iter(f"{prefix}*"):
            self.client.delete(key)

    def close(self) -> None:
        if "client" in vars(self):
            self.client.close()

    def awaitable(self) -> AsyncRedisStore:
        client = AsyncClient.from_url(self._url, retry=AsyncRetry(NoBackoff(), 1, LOST), **TIMEOUTS)
        return AsyncRedisStore(cast("AsyncClient", client))


class AsyncRedisStore:
    """Sessions in Redis, awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def get(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._client.get(key))

    async def set(self, key: str, value: bytes, *, seconds: int) -> None:
        await self._client.set(key, value, ex=seconds)

    async def delete(self, key: str) -> None:
        await self._client.delete(key)

    async def aclose(self) -> None:
        await self._client.aclose()
