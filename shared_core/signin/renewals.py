"""Of one set of tokens there is one renewal, whichever thread, process or app asks for it first.

A provider that gives a new refresh token at each renewal refuses the old one, and may take a second use of it for a
theft that ends the whole sign-in (RFC 9700 section 4.14.2). So two requests of one session must not both renew. What
became of a set of tokens is kept beside the sessions, under the digest of that set: whoever comes with the old one,
now or because a slow request wrote its old session back, is given the new one (decision 0027).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from shared_core.errors import Unavailable

BUSY = "The sign-in at the provider is being renewed; try again soon."

# Seconds that a renewal may take, from one that was killed until another may try.
LEASE_SECONDS = 30
# Seconds that another request waits for it, and between two looks.
WAIT_SECONDS = 5.0
PAUSE = 0.02
# Seconds that what it gave is kept: it holds tokens, so no longer than an access token usually lasts.
KEPT_SECONDS = 3600

# No session decodes from this, nor from a JSON array, should a cookie ever name such a key.
_UNDER_WAY = b""


class Store(Protocol):
    """What is asked of a store that all processes of both apps share. Each method may raise Unavailable."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, *, seconds: int) -> None: ...

    def add(self, key: str, value: bytes, *, seconds: int) -> bool:
        """Set it unless there is one already, in one step; whether it was set."""
        ...

    def delete(self, key: str) -> None: ...


class Renewals:
    """Renewals of all sessions in one store, whose keys begin with `prefix`."""

    def __init__(self, store: Store, *, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def newest(self, tokens: str, *, is_fresh: Callable[[str], bool], renew: Callable[[str], str]) -> str:
        """What `tokens` became, by `renew` if by nobody else; raises what it raises.

        Raises Unavailable where another's renewal takes too long, or the store does not answer.
        """
        until = time.monotonic() + WAIT_SECONDS
        while not self._store.add(key := self._key(tokens), _UNDER_WAY, seconds=LEASE_SECONDS):
            if found := self._store.get(key):
                (tokens,) = msgspec.json.decode(found, type=tuple[str])
                if is_fresh(tokens):
                    return tokens
            elif time.monotonic() > until:
                raise Unavailable(BUSY)
            else:
                time.sleep(PAUSE)
        return self._renewed(key, tokens, renew)

    def _renewed(self, key: str, tokens: str, renew: Callable[[str], str]) -> str:
        try:
            renewed = renew(tokens)
        except BaseException:
            with suppress(Unavailable):
                self._store.delete(key)  # the next one may have more luck
            raise
        # A store that fails now is no reason to lose them: the session still gets them.
        with suppress(Unavailable):
            if renewed == tokens:
                self._store.delete(key)
            else:
                self._store.set(key, msgspec.json.encode([renewed]), seconds=KEPT_SECONDS)
        return renewed

    def _key(self, tokens: str) -> str:
        return f"{self._prefix}renewal:{hashlib.sha256(tokens.encode()).hexdigest()}"


class Unshared:
    """Stands for a store where nobody else renews: nothing is kept, and everybody comes first."""

    def get(self, _: str) -> None:
        return None

    def set(self, _: str, __: bytes, *, seconds: int) -> None:
        pass

    def add(self, _: str, __: bytes, *, seconds: int) -> bool:  # noqa: ARG002 -- a store's signature
        return True

    def delete(self, _: str) -> None:
        pass
