"""Whether the process is up, and whether it can answer."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import App, Route
from fastapi_app.outputs import json
from shared_core.schemas import Status

router = APIRouter(route_class=Route, tags=["health"])


@router.get("/healthz", response_model=Status)
async def get_health() -> Response:
    """Say that the process is up."""
    return json(Status(status="ok"))


@router.get("/readyz", response_model=Status)
def get_readiness(app: App) -> Response:
    """Say that the database is reachable and migrated."""
    app.database.check()
    return json(Status(status="ready"))
