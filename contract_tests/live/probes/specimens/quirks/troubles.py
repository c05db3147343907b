"""Errors of the area `errors`' own making, which some handlers are for."""

from __future__ import annotations


class Trouble(Exception):
    """Has a handler."""


class Deeper(Trouble):
    """Has a handler of its own."""


class Deepest(Deeper):
    """Has none."""


class Broken(Exception):
    """Has a handler that fails."""


TROUBLES: dict[str, type[Exception]] = {
    "trouble": Trouble,
    "deeper": Deeper,
    "deepest": Deepest,
    "broken": Broken,
    "other": ValueError,
}
