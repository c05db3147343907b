"""A package in a directory of its own, whose applications a SPEC can name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract_tests.parity.messages import Request
from contract_tests.parity.specs import SpecError, resolve

GET = Request("GET", b"/")

APPS = """
import os

made = 0
resets = []
closed = []

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})

class Application:
    def __init__(self, number):
        self.number = number

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            closed.append(self.number)
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % self.number})

def create_app():
    global made
    made += 1
    return Application(made)

def create_once():
    if made:
        raise RuntimeError("once only")
    return create_app()

def create_world():
    world = os.environ["PARITY_TEST_WORLD"].encode()
    def app(environ, start_response):
        start_response("200 OK", [])
        return [world]
    return app

def create_nothing():
    return None

def create_broken(name="x"):
    raise KeyError("DATABASE_URL is\\nmissing")

def reset():
    resets.append("called")

def refuse():
    raise SystemExit("DATABASE_URL is\\nmissing")

def reset_broken():
    raise KeyError("no\\ntable")

class Service:
    def __call__(self, environ, start_response):
        return wsgi(environ, start_response)

    def app(self, environ, start_response):
        return wsgi(environ, start_response)

    def other(self, environ, start_response):
        return wsgi(environ, start_response)

class Likeable(Service):
    def __eq__(self, other):
        return True

    __hash__ = None

service, another = Service(), Service()
liked, likewise = Likeable(), Likeable()
number = 41
alias = wsgi

class nested:
    app = wsgi
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with the package parity_shop, which no one has imported yet."""
    package = tmp_path / "parity_shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text(APPS)
    (package / "again.py").write_text("from parity_shop.main import wsgi, create_app")
    (package / "needy.py").write_text("import parity_absent_dependency")
    (package / "faulty.py").write_text("raise RuntimeError('no settings')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("parity_shop")]:
        del sys.modules[name]


def apps() -> Any:
    return importlib.import_module("parity_shop.main")


def body(spec: str, **kwargs: Any) -> bytes:
    with resolve(spec, **kwargs) as target:
        return target.send(GET).body


def complaint(spec: str, **kwargs: Any) -> str:
    with pytest.raises(SpecError) as raised:
        resolve(spec, **kwargs)
    message = str(raised.value)
    assert "\n" not in message
    return message
