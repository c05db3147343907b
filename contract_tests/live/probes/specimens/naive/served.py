"""The naive port for a server of its own: `NAIVE_PIECES` names the pieces in it, separated by commas."""

from __future__ import annotations

import os

from fastapi import FastAPI

from contract_tests.live.probes.specimens import naive
from shared_core.services import services_from_environment


def create_app() -> FastAPI:
    """The app over the environment's settings."""
    pieces = os.environ.get("NAIVE_PIECES", "")
    return naive.create_app(services_from_environment(), pieces=frozenset(filter(None, pieces.split(","))))
