"""A team's own suite keeps its client: each request also goes to the other app, and the original's answer comes back.

Only here does the engine know a framework's test client; nothing else in the engine imports from here, and what a
suite does not use is not imported (docs/contract.md#a-suite-written-with-flask-s-test-client).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .in_werkzeug import SessionNotShared, flask_client
    from .pair_test_client import PairTestClient

__all__ = ["PairTestClient", "SessionNotShared", "flask_client"]

_HOMES = {"flask_client": "in_werkzeug", "SessionNotShared": "in_werkzeug", "PairTestClient": "pair_test_client"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
