"""Builds the naive port; nothing is made at import."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from contract_tests.live.probes.specimens.quirks.areas import AREAS, install, module_of


def create_app(folder: Path | None = None) -> FastAPI:
    """The FastAPI app without the kit, with the folder that its areas may write to, `app.state.folder`."""
    app = FastAPI(openapi_url=None)
    app.state.folder = folder
    for area in AREAS:
        module = module_of("naive", area)
        app.include_router(module.router)
        install(module, app)
    return app
