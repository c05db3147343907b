r"""Werkzeug's convertors for FastAPI's paths: what a placeholder takes, and what a view gets.

| in a path | FastAPI alone | Flask, and here |
|---|---|---|
| `{id}` with `id: int`, for `-5`, `1_000`, ` 7` | -5, 1000, 7 | 404 |
| the same, for `abc` | 422 | 404 |
| `{id:int}`, for digits that are not ASCII | 404 | the number |
| `{id:int}`, for 5000 digits | 500 | 404 |
| `{x:float}`, for `5` | 5.0 | 404 |
| `{u:uuid}`, without hyphens | the UUID | 404 |
| `{p:path}`, for nothing or for a slash in front | taken | 404, or 308 to the merged path |

`register()` names those without arguments: `{id:flask_int}`, `flask_float`, `flask_uuid`, `flask_string`, `flask_path`.
Where Flask has arguments, give what results a name: `register(year=Int(fixed_digits=4), page=AnyOf("a", "b"))`, and
`{year:year}`. Parameters stay typed, and OpenAPI shows the path without them. Starlette's own names stay what they are.

Keep them after the cutover, or take Starlette's `int` once clients may see 422 and no two routes differ by them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.exceptions import HTTPException

T = TypeVar("T", bound=float)


class Number(Convertor[T]):
    """What both numbers share: digits of any script, a `-` where they are `signed`, and bounds, which are taken."""

    weight: ClassVar[int] = 50
    # Of the class in Starlette; here the arguments decide.
    regex: str  # type: ignore[misc]

    def __init__(
        self, make: Callable[[str], T], digits: str, lowest: T | None, highest: T | None, *, signed: bool
    ) -> None:
        self.regex = f"-?{digits}" if signed else digits
        self.lowest = lowest
        self.highest = highest
        self._make = make

    def convert(self, value: str) -> T:
        """The number. Raises HTTPException: Werkzeug tries no other rule where a value does not convert."""
        try:
            number = self._make(value)
        except ValueError:
            raise HTTPException(404) from None
        if (self.lowest is not None and number < self.lowest) or (self.highest is not None and number > self.highest):
            raise HTTPException(404)
        return number

    def to_string(self, value: T) -> str:
        return str(self._make(str(value)))


class Int(Number[int]):
    """`<int:...>`; `fixed_digits` is a number of characters, the sign among them."""

    def __init__(
        self, *, fixed_digits: int = 0, min: int | None = None, max: int | None = None, signed: bool = False
    ) -> None:
        super().__init__(int, r"\d+", min, max, signed=signed)
        self.fixed_digits = fixed_digits

    def convert(self, value: str) -> int:
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise HTTPException(404)
        return super().convert(value)

    def to_string(self, value: int) -> str:
        return str(int(value)).zfill(self.fixed_digits)


class Float(Number[float]):
    r"""`<float:...>`, which needs a point with digits on both sides."""

    def __init__(self, *, min: float | None = None, max: float | None = None, signed: bool = False) -> None:
        super().__init__(float, r"\d+\.\d+", min, max, signed=signed)


class Uuid(Convertor[uuid.UUID]):
    """`<uuid:...>`, which needs its hyphens."""

    regex = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"

    def convert(self, value: str) -> uuid.UUID:
        return uuid.UUID(value)

    def to_string(self, value: uuid.UUID) -> str:
        return str(value)


class Text(Convertor[str]):
    """`<string:...>`: any text without a slash, of a length."""

    regex: str  # type: ignore[misc]
    part_isolating: ClassVar[bool] = True

    def __init__(self, *, minlength: int = 1, maxlength: int | None = None, length: int | None = None) -> None:
        bounds = f"{minlength},{'' if maxlength is None else maxlength}" if length is None else f"{length}"
        self.regex = f"[^/]{{{bounds}}}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return str(value)


class Path(Text):
    """`<path:...>`: at least one character, and no slash in front."""

    weight: ClassVar[int] = 200
    part_isolating: ClassVar[bool] = False

    def __init__(self) -> None:
        self.regex = "[^/].*?"


class AnyOf(Text):
    """`<any(...):...>`: one of the given items. One with a slash in it stays within its part, and so is never met."""

    def __init__(self, *items: str) -> None:
        self.items = frozenset(items)
        self.regex = f"(?:{'|'.join(re.escape(item) for item in items)})"

    def to_string(self, value: str) -> str:
        if value not in self.items:
            raise ValueError(f"{value!r} is not one of {', '.join(map(repr, sorted(self.items)))}")
        return str(value)


def register(**convertors: Convertor[Any]) -> None:
    """Name convertors for the paths of this process: Flask's five, and those given.

    Raises ValueError where a name stands for another one, as Starlette's `int` does.
    """
    flasks: dict[str, Convertor[Any]] = {
        "flask_int": Int(),
        "flask_float": Float(),
        "flask_uuid": Uuid(),
        "flask_string": Text(),
        "flask_path": Path(),
    }
    for name, convertor in {**flasks, **convertors}.items():
        known = CONVERTOR_TYPES.get(name)
        if known is None:
            register_url_convertor(name, convertor)
        elif type(known) is not type(convertor) or vars(known) != vars(convertor):
            raise ValueError(f"the name {name!r} stands for another convertor")
