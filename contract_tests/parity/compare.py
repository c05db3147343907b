"""Two outcomes are alike when every level finds nothing: all levels, always (docs/parity.md#what-is-compared)."""

from __future__ import annotations

from collections.abc import Iterator

from . import bodies, header_fields
from .difference import KINDS, LEVELS, Difference
from .http_dates import instant
from .messages import Response
from .rules import DEFAULT, Rules

__all__ = ["DEFAULT", "KINDS", "LEVELS", "Difference", "Rules", "compare"]


def compare(
    original: Response, port: Response, *, rules: Rules = DEFAULT, received: tuple[float, float] | None = None
) -> tuple[Difference, ...]:
    """Every difference between two outcomes of one request, in the order of levels and paths.

    `received` are the moments at which the two were received, in seconds since the epoch; without
    it they are taken from the Date headers. Equal outcomes give an empty tuple.
    """
    moments = received or (_sent(original), _sent(port))
    if 0.0 in moments:
        moments = (0.0, 0.0)
    return tuple(sorted({*_transport(original, port), *_head(original, port, rules, moments), *_body(original, port)}))


def _sent(response: Response) -> float:
    return instant((response.header("Date") or b"").decode("latin-1")) or 0.0


def _transport(original: Response, port: Response) -> Iterator[Difference]:
    if original.failure != port.failure:
        kind = "missing" if port.failure is None else "extra" if original.failure is None else "value"
        yield Difference("transport", "failure", kind, original.failure, port.failure)
    if original.connection != port.connection:
        yield Difference("transport", "connection", "value", original.connection, port.connection)


def _head(original: Response, port: Response, rules: Rules, moments: tuple[float, float]) -> Iterator[Difference]:
    # A failure before any head has no status or headers: that it failed is already told.
    if original.failure != port.failure and 0 in (original.status, port.status):
        return
    if original.status != port.status:
        yield Difference("status", "status", "value", str(original.status), str(port.status))
    yield from header_fields.differences(original, port, rules, moments)


def _body(original: Response, port: Response) -> Iterator[Difference]:
    # How much of a body arrives before a reset or a timeout is chance; before a truncation it is the app's doing.
    if original.failure == port.failure and original.failure in (None, "truncated"):
        yield from bodies.differences(original, port)
