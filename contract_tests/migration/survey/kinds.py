"""The values that names stand for, as tuples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Value = tuple[Any, ...]
Values = tuple[Value, ...]
Sink = Callable[[Value], None]

# Of all that a name may stand for, so many are followed.
_MOST = 24
RETURNED = ("returned",)
# An object of its own, made with the help of a proxy.
WRAPPED = ("wrapped",)


def bare(value: Value) -> tuple[Any, ...]:
    return (*value[3], *(step for step in value[2] if step not in (RETURNED, WRAPPED)))


def some(values: Iterable[Value]) -> Values:
    found: list[Value] = []
    for value in values:
        if not found or value not in found:
            found.append(value)
            if len(found) == _MOST:
                break
    return tuple(found)


def step_of(owner: Value, step: tuple[Any, ...]) -> Value:
    """A proxy, and one thing more that is taken of it."""
    return ("P", owner[1], (*owner[2], step), owner[3]) if len(owner[2]) < 12 else owner
