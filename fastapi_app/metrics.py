"""What this app counts of its requests."""

from typing import Any

from fastapi import APIRouter, Response

from fastapi_app.access import Asker
from fastapi_app.inputs import App, Route
from fastapi_app.openapi import refusals
from fastapi_app.outputs import content
from shared_core import metrics

router = APIRouter(route_class=Route, tags=["metrics"])

COUNTS: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", response_class=Response, responses={200: COUNTS, **refusals(404)})
def get_metrics(client: Asker, app: App) -> Response:
    """Give Prometheus the counts of this app; only this machine and TRUSTED_PROXIES are answered."""
    counts = metrics.get_metrics(app.metrics, client=client, proxies=app.settings.proxies)
    return content(counts, metrics.MEDIA_TYPE)
