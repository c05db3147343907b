"""The service as a team ports it at first: FastAPI as its tutorial shows it, over the same core. `pieces` puts into it,
one after another, what closes its differences from the original (STEPS); with all of them it is the real port."""

from __future__ import annotations

import atexit

from fastapi import FastAPI

from contract_tests.live.probes.specimens.naive import app, pieced
from contract_tests.live.probes.specimens.naive.steps import NAMES, STEPS, Step
from shared_core.services import Services, services_from_environment

__all__ = ["NAMES", "STEPS", "Step", "create_app"]


def create_app(services: Services | None = None, *, pieces: frozenset[str] = frozenset()) -> FastAPI:
    """The naive port over the given Services, or over Services built from the environment. Raises ValueError."""
    if unknown := pieces - set(NAMES):
        raise ValueError(f"no such pieces: {', '.join(sorted(unknown))}")
    built = services or services_from_environment()
    if services is None:
        atexit.register(built.close)
    return pieced.make_app(built, pieces) if pieces else app.make_app(built)
