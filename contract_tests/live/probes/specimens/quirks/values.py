"""Values that Flask and FastAPI write as different JSON, by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID


@dataclass
class Point:
    """A dataclass, written as a dict."""

    y: int
    x: int
    at: Any = None


class Markup:
    """What can say itself in HTML."""

    def __html__(self) -> str:
        return "<b>\u00e9</b>"


class Color(Enum):
    """An enum whose members are no strings."""

    RED = "red"


class Level(IntEnum):
    """An enum whose members are numbers."""

    LOW = 1


def deep(depth: int) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> list[Any]:
    """A list in itself."""
    value: list[Any] = []
    value.append(value)
    return value


VALUES: dict[str, Callable[[], Any]] = {
    "order": lambda: {"b": 1, "a": {"d": 1, "c": [1, 2.0, True, None]}},
    "text": lambda: {"text": 'na\u00efve \u20ac \U0001f600 </script> \u2028 \x7f \x00 " \\ /'},
    "surrogate": lambda: ["\ud800"],
    "list": lambda: [1, "two", 3.5],
    "empty": dict,
    "empty-list": list,
    "nested": lambda: deep(100),
    "too-deep": lambda: deep(100_000),
    "endless": endless,
    "datetime": lambda: {"at": datetime(2026, 11, 22, 1, 2, 3, 456789)},
    "datetime-utc": lambda: {"at": datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)},
    "datetime-zone": lambda: {"at": datetime(2026, 11, 22, 1, 2, 3, tzinfo=timezone(timedelta(hours=5, minutes=30)))},
    "datetime-early": lambda: [datetime(1, 1, 1), datetime(999, 12, 31)],
    "date": lambda: {"on": date(2026, 2, 28)},
    "time": lambda: {"at": time(1, 2)},
    "timedelta": lambda: {"for": timedelta(seconds=90)},
    "decimal": lambda: {"price": Decimal("10.10"), "big": Decimal("1E+30"), "nan": Decimal("NaN")},
    "uuid": lambda: {"id": UUID(int=7)},
    "dataclass": lambda: Point(1, 2, Point(3, 4, date(2026, 1, 1))),
    "dataclass-class": lambda: {"kind": Point},
    "markup": lambda: {"html": Markup()},
    "nan": lambda: [float("nan"), float("inf"), float("-inf")],
    "floats": lambda: [1e16, 1e-7, 0.1 + 0.2, -0.0, 1e22, 5e-324],
    "big-int": lambda: [2**64, -(2**70)],
    "int-keys": lambda: {10: "a", 9: "b"},
    "float-keys": lambda: {1.5: "a", 1.0: "b"},
    "bool-keys": lambda: {True: "a", False: "b"},
    "none-key": lambda: {None: "a"},
    "mixed-keys": lambda: {"a": 1, 2: "b"},
    "tuple-key": lambda: {(1, 2): "a"},
    "sa-keys": lambda: {"_sa_instance_state": 1, "_sand": 2, "id": 3},
    "tuple": lambda: {"pair": (1, 2)},
    "set": lambda: {"members": {1}},
    "bytes": lambda: {"raw": b"abc"},
    "enum": lambda: {"color": Color.RED},
    "int-enum": lambda: {"level": Level.LOW},
    "ordered": lambda: OrderedDict(b=1, a=2),
    "object": lambda: {"it": object()},
    "scalar": lambda: 5,
    "string": lambda: "text",
    "null": lambda: None,
    "true": lambda: True,
}
