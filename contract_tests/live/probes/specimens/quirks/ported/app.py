"""Builds the faithful port; nothing is made at import."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from contract_tests.live.probes.specimens.quirks.areas import AREAS, install, module_of
from fastapi_app.wire.pages import Pages


def create_app(folder: Path | None = None, *, naive: frozenset[str] = frozenset()) -> FastAPI:
    """The FastAPI app with the kit; an area named in `naive` is the naive one, without the pieces that it installs.

    "pages" is such a name too: the error pages, which belong to no area. The area `errors` goes with them, since its
    handlers stand in their place.
    """
    if "pages" in naive:
        naive = naive | {"errors"}
    app = FastAPI(openapi_url=None)
    app.state.folder = folder
    modules = [module_of("naive" if area in naive else "ported", area) for area in AREAS]
    for module in modules:
        app.include_router(module.router)
    if "pages" not in naive:
        Pages.install(app)
    # After all routes: a piece may look at them.
    for module in modules:
        install(module, app)
    return app
