"""Both apps with the recorder around them, as docs/recording.md shows it; the recording is where the server runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from contract_tests.parity.recording import ASGIRecorder, WSGIRecorder


def make_original() -> Any:
    app = import_module("flask_app").create_app()
    app.wsgi_app = WSGIRecorder(app.wsgi_app, "recording")
    return app


def make_port() -> Any:
    return ASGIRecorder(import_module("fastapi_app").create_app(), "recording")
