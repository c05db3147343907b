"""Argon2id on its own small executor: few hashes run at once, whatever the number of requests."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.low_level import Type

# A hash at 19 MiB takes a core for about 36 ms; 40 at once at the library's defaults took 2.5 GB.
PARALLEL_HASHES = 2


class Passwords:
    """Hashes passwords, at `time_cost` passes and `memory_kib` KiB a hash. Its threads start at the first hash."""

    def __init__(self, *, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._executor = ThreadPoolExecutor(PARALLEL_HASHES, thread_name_prefix="argon2")

    def hash(self, password: str) -> str:
        """The password's Argon2id hash; blocks the calling thread until one of the few places is free."""
        return self._executor.submit(self._hasher.hash, password).result()

    async def hash_async(self, password: str) -> str:
        """The same, awaited: waiting for a place holds no thread."""
        return await asyncio.wrap_future(self._executor.submit(self._hasher.hash, password))

    def close(self) -> None:
        # Not waited for: whoever closes may be on one of these threads, through the garbage collector.
        self._executor.shutdown(wait=False)
