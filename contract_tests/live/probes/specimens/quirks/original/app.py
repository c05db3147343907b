"""Builds the original; nothing is made at import."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from contract_tests.live.probes.specimens.quirks.areas import AREAS, install, module_of


def create_app(folder: Path | None = None) -> Flask:
    """The Flask app, with the folder that its areas may write to, `app.config["FOLDER"]`."""
    app = Flask(__name__, static_folder=None)
    app.config["FOLDER"] = folder
    for area in AREAS:
        module = module_of("original", area)
        app.register_blueprint(module.blueprint)
        install(module, app)
    return app
