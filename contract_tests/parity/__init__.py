"""The parity engine: sends the same requests to an original and its port, and reports every difference.

It knows no application, framework or test runner: targets arrive as arguments.
docs/architecture-engine.md shows the way from two targets to a verdict.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .compare import DEFAULT, Difference, Rules, compare
from .messages import Request, Response, Target

if TYPE_CHECKING:
    from .binding import Bindings, Inconclusive
    from .different import Different
    from .drivers import asgi, http, wsgi
    from .exchange import Exchange
    from .ledger import Ledger, LedgerError
    from .pair import Pair
    from .pair_adapter import PairAdapter
    from .pair_transport import PairTransport

__all__ = [
    "DEFAULT",
    "Bindings",
    "Difference",
    "Different",
    "Exchange",
    "Inconclusive",
    "Ledger",
    "LedgerError",
    "Pair",
    "PairAdapter",
    "PairTransport",
    "Request",
    "Response",
    "Rules",
    "Target",
    "asgi",
    "compare",
    "http",
    "wsgi",
]

# What needs drivers, httpx or requests is imported when it is first asked for: comparing alone stays cheap.
_HOMES = {
    "Bindings": "binding",
    "Inconclusive": "binding",
    "Different": "different",
    "Exchange": "exchange",
    "Ledger": "ledger",
    "LedgerError": "ledger",
    "Pair": "pair",
    "PairAdapter": "pair_adapter",
    "PairTransport": "pair_transport",
    "asgi": "drivers",
    "http": "drivers",
    "wsgi": "drivers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
