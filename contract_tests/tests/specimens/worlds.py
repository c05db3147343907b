"""A Flask app is made anew for each case of a check: its routes, which take longest to make, can be shared."""

from __future__ import annotations

import copy
from typing import TypeVar

from flask import Flask, current_app

_World = TypeVar("_World")


def made_anew(app: Flask, world: object) -> Flask:
    """The same app with a world of its own. The given one must not have answered a request."""
    anew = copy.copy(app)
    # The parts of an app refer to it weakly: it must live as long as what is made of it.
    anew.extensions = {"world": world, "made of": app}
    return anew


def world_of(kind: type[_World]) -> _World:
    """The world of the app that answers this request."""
    world = current_app.extensions["world"]
    assert isinstance(world, kind)
    return world
