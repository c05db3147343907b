"""What one request's count says, as headers and as a refusal: the same in both apps."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from limits import RateLimitItem, WindowStats

from shared_core import logs
from shared_core.errors import TooMany

# Whoever watches the service is never refused.
EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})
# Flask-Limiter's words in its keys: for a limit of the whole application, for a client whose address no server tells.
SCOPE, NOWHERE = "global", "127.0.0.1"
REFUSED = "Asked too often; try again later."


class Count(NamedTuple):
    """Where a client stands: how many requests remain of `limit` until `reset_at`, in seconds since 1970."""

    limit: int
    remaining: int
    reset_at: int
    exceeded: bool

    @classmethod
    def of(cls, item: RateLimitItem, window: WindowStats, *, exceeded: bool) -> Count:
        """Flask-Limiter gives the first whole second after a window, too."""
        return cls(item.amount, window.remaining, int(window.reset_time + 1), exceeded)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """For every response that was counted."""
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset_at)),
        )

    def refusal(self, *, now: float) -> TooMany:
        """The error for a request too many; whoever waits so long is in the next window."""
        return TooMany(REFUSED, retry_after=max(1, math.ceil(self.reset_at - now)))


class Counter(Protocol):
    """What an app on an event loop needs: no method holds up the loop."""

    async def count(self, address: str | None) -> Count:
        """Count a request of a client. Raises whatever a store raises that cannot answer."""
        ...

    async def aclose(self) -> None: ...


def note_outage(error: BaseException | None) -> None:
    """Log that a request passed uncounted; the error's text stays out of the log, for it may quote a key."""
    logs.logger.warning("the limit store cannot answer: %s", type(error).__qualname__)
