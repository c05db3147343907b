"""The apps under contract; the only importer of the two apps."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from flask import Flask, got_request_exception, request

import fastapi_app
import fastapi_app.openapi
import fastapi_app.sessions
import fastapi_app.wire
import flask_app
import flask_app.plugins
from contract_tests.parity import Target, asgi, wsgi
from contract_tests.suite.world import World, make_world, provider
from shared_core.services import Services

# The wire kit and both ends of the session bridge, for tests of them on apps that are not ours.
wire = fastapi_app.wire
sessions = fastapi_app.sessions
plugins = flask_app.plugins

SPECS = {role: f"contract_tests.suite.targets:{role}()" for role in ("original", "port")}

_worlds: weakref.WeakKeyDictionary[Any, World] = weakref.WeakKeyDictionary()


def original() -> Flask:
    """The Flask app in a fresh deterministic world."""
    app: Flask = _placed(make_original, make_world(**provider().settings()))
    return app


def port() -> FastAPI:
    """The FastAPI app in a fresh deterministic world."""
    app: FastAPI = _placed(make_port, make_world(**provider().settings()))
    return app


def make_original(services: Services) -> Flask:
    """The Flask app over these Services; Flask answers its own errors, so they are noted for the driver."""
    app = flask_app.create_app(services)
    got_request_exception.connect(_note_exception, app)
    return app


def make_port(services: Services) -> FastAPI:
    """The FastAPI app over these Services."""
    return fastapi_app.create_app(services)


MAKERS: dict[str, Callable[[Services], Any]] = {"original": make_original, "port": make_port}


def open_target(role: str, world: World) -> Target:
    """The target of a role, "original" or "port", in process; its reset rewinds the world, which stays the caller's."""
    app = MAKERS[role](world.services)
    return wsgi(app, reset=world.reset) if isinstance(app, Flask) else asgi(app, reset=world.reset)


def world_of(app: Any) -> World:
    """The world that original() or port() made for an app."""
    return _worlds[app]


def rendered_document() -> bytes:
    """The OpenAPI document as the port's typed routes give it."""
    return fastapi_app.openapi.render(port().openapi())


def _placed(make: Callable[[Services], Any], world: World) -> Any:
    app = make(world.services)
    _worlds[app] = world
    weakref.finalize(app, world.close)
    return app


def _note_exception(_: Flask, *, exception: Exception, **__: Any) -> None:
    request.environ["wire.exception"] = exception
