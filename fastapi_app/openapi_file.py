"""Writes shared_core/openapi.json, which both apps serve, from the port's typed routes: `make openapi`."""

from __future__ import annotations

import sys

from fastapi_app.app import create_app
from fastapi_app.openapi import render
from shared_core import docs
from shared_core.services import build_services
from shared_core.settings import Settings


def main() -> None:
    """Write the document."""
    docs.OPENAPI.write_bytes(render(create_app(build_services(Settings())).openapi()))
    sys.stdout.write(f"Wrote {docs.OPENAPI.name}.\n")


if __name__ == "__main__":
    main()
