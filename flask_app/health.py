"""Whether the process is up, and whether it can answer."""

from flask import Blueprint, Response

from flask_app.inputs import app
from flask_app.outputs import json
from shared_core.schemas import Status

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def get_health() -> Response:
    """Say that the process is up."""
    return json(Status(status="ok"))


@blueprint.get("/readyz")
def get_readiness() -> Response:
    """Say that the database is reachable and migrated."""
    app.database.check()
    return json(Status(status="ready"))
