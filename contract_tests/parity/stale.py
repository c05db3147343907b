"""What the port shows after a write as it was before: one cause, whatever members tell of it."""

from __future__ import annotations

import json
from typing import Any

from .difference import Difference
from .exchange import Exchange
from .keeping import member
from .reason import Reason
from .shapes import is_format, shape

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LARGEST = 100_000


def stale(operation: str) -> Reason:
    """The reason of what is shown as it was before it was changed."""
    return Reason("stale", (operation,), "the port shows what was there before the write")


class Told:
    """What both sides showed of each thing in the case at hand, and whether it was written to since."""

    def __init__(self) -> None:
        self._case = ""
        self._shown: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self._written: set[bytes] = set()

    def stale(self, exchange: Exchange, case: str) -> frozenset[Difference]:
        """The differences of an exchange in which the port shows what it showed before a write."""
        if case != self._case:
            self._case, self._shown, self._written = case, {}, set()
        target = exchange.request.target.partition(b"?")[0]
        if exchange.request.method not in _SAFE:
            # What is posted to is a collection: whatever comes to it moves its elements.
            changes = exchange.request.method in ("PUT", "PATCH")
            if changes and exchange.original.status < 400 and exchange.port.status < 400:
                self._written.add(target)
            return frozenset()
        found = frozenset(
            each
            for each in exchange.differences
            if target in self._written and _is_value(each) and self._was(target, each)
        )
        bodies = self._shown.setdefault(target, [])
        sides = exchange.original, exchange.port
        if all(each.status == 200 and len(each.body) < _LARGEST for each in sides):
            bodies.append((exchange.original.body, exchange.port.body))
        return found

    def _was(self, target: bytes, difference: Difference) -> bool:
        """Whether the port shows what it showed with another value of the original's: that has changed since."""
        return any(
            _same(member(port, difference.path), difference.port)
            and not _same(member(original, difference.path), difference.original)
            for original, port in self._shown.get(target, ())
        )


def _is_value(difference: Difference) -> bool:
    """Whether two values are two, rather than one that is written in two ways."""
    if difference.level != "json" or difference.kind != "value":
        return False
    return not is_format(shape(difference.original), shape(difference.port))


def _same(value: Any, text: str | None) -> bool:
    try:
        return text is not None and value is not None and bool(value == json.loads(text))
    except ValueError:
        return False
