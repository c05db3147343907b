"""Argon2id on its own small executor: few hashes run at once, whatever the number of requests."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

# A hash at 19 MiB takes a core for about 36 ms; 40 at once at the library's defaults took 2.5 GB.
PARALLEL_HASHES = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was the right one; `rehash` is its new hash where the stored one has another cost."""

    matches: bool
    rehash: str | None = None


class Passwords:
    """Hashes and verifies passwords, at `time_cost` passes and `memory_kib` KiB a hash.

    Its threads start at the first hash.
    """

    def __init__(self, *, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._executor = ThreadPoolExecutor(PARALLEL_HASHES, thread_name_prefix="argon2")

    def hash(self, password: str) -> str:
        """The password's Argon2id hash; blocks the calling thread until one of the few places is free."""
        return self._executor.submit(self._hasher.hash, password).result()

    async def hash_async(self, password: str) -> str:
        """The same, awaited: waiting for a place holds no thread."""
        return await asyncio.wrap_future(self._executor.submit(self._hasher.hash, password))

    def hash_given(self, password: str | None) -> str | None:
        """The hash of a password where one is given."""
        return None if password is None else self.hash(password)

    async def hash_given_async(self, password: str | None) -> str | None:
        """The same, awaited."""
        return None if password is None else await self.hash_async(password)

    def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Whether this password has this hash; without a hash, the same work for nothing.

        So the time an answer takes does not tell who is registered. Blocks as hash() does.
        """
        return self._verification(password_hash, password).result()

    async def verify_async(self, password_hash: str | None, password: str) -> Verdict:
        """The same, awaited: waiting for a place holds no thread."""
        return await asyncio.wrap_future(self._verification(password_hash, password))

    def _verification(self, password_hash: str | None, password: str) -> Future[Verdict]:
        return self._executor.submit(self._verify, password_hash, password)

    def _verify(self, password_hash: str | None, password: str) -> Verdict:
        dummy = self._dummy
        try:
            self._hasher.verify(password_hash or dummy, password)
        except (VerificationError, InvalidHashError):
            return Verdict(matches=False)
        if not password_hash:
            return Verdict(matches=False)
        rehash = self._hasher.hash(password) if self._hasher.check_needs_rehash(password_hash) else None
        return Verdict(matches=True, rehash=rehash)

    @cached_property
    def _dummy(self) -> str:
        """A hash of the same cost that nobody has; made at the first verification, whoever is verified."""
        return self._hasher.hash(secrets.token_urlsafe())

    def close(self) -> None:
        # Not waited for: whoever closes may be on one of these threads, through the garbage collector.
        self._executor.shutdown(wait=False)
