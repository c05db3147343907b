"""Any suite written with httpx becomes a parity suite by its transport (docs/parity.md#what-is-compared)."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import httpx

from .binding import Bindings
from .exchange import Exchange
from .ledger import Ledger
from .messages import Request, Target
from .pair import Judge, Pair
from .rules import DEFAULT, Rules
from .transport import httpx_response, request_of


class PairTransport(httpx.BaseTransport):
    """Sends each request to the original and the port, compares the outcomes and gives back the original's.

    A difference that is not accepted raises Different; with `collect` it is recorded, and `finish()`
    (or closing) raises one Different with all of them. Failures that are alike are raised as httpx's
    errors. `on_exchange` is called with every Exchange; `accepted`, `bindings`, `operation` and `rules` are
    Pair's. `pair` is there for what outlives the client.
    The targets belong to the caller, who closes them.
    """

    def __init__(
        self,
        original: Target,
        port: Target,
        *,
        accepted: Ledger | None = None,
        collect: bool = False,
        bindings: Bindings | None = None,
        operation: Callable[[Request], str] | None = None,
        rules: Rules = DEFAULT,
        on_exchange: Callable[[Exchange], object] | None = None,
    ) -> None:
        self.pair = Pair(original, port, accepted=accepted, bindings=bindings, operation=operation, rules=rules)
        self._judge = Judge(self.pair, collect=collect, on_exchange=on_exchange)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The original's response. Raises Different, Inconclusive, or httpx's error for a failure of both."""
        exchange = self._judge.exchange(request_of(request), origin=_origin(request.url))
        return httpx_response(exchange.original, request)

    def finish(self) -> None:
        """Raise one Different with all that was collected, if anything was."""
        self._judge.finish()

    def close(self) -> None:
        """The same as `finish()`: a client that is closed has nothing more to collect."""
        self.finish()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        # A test that has failed already must not have its own message replaced.
        if exc_type is None:
            self.close()


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
