"""What is compared how is said here, once; whatever is not said here is compared exactly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How two outcomes are compared. Header names are in lower case.

    `uncompared` are hop-by-hop and server headers; `dates` need only be valid on each side; `moments` are dates of what
    each side made for itself, a request apart; `delays` are seconds from receipt, or since 1970 for what comes to be
    after receipt, which pass while the two requests are sent; `name_sets` and `method_sets` are compared as sets of
    tokens, the former without regard to case; `expires_window` is how far, in seconds, delays and the distances of
    moments and of a cookie's Expires from their receipt may lie apart.
    """

    uncompared: frozenset[str] = frozenset({"server", "connection", "keep-alive", "transfer-encoding"})
    dates: frozenset[str] = frozenset({"date"})
    moments: frozenset[str] = frozenset({"last-modified"})
    delays: frozenset[str] = frozenset({"retry-after", "x-ratelimit-reset"})
    name_sets: frozenset[str] = frozenset({"vary", "access-control-allow-headers", "access-control-expose-headers"})
    method_sets: frozenset[str] = frozenset({"allow", "access-control-allow-methods"})
    expires_window: float = 2.0


DEFAULT = Rules()
