"""Greeting, health and metrics; the document and its page are FastAPI's own, at /openapi.json and /docs."""

from typing import Any

from fastapi import APIRouter, Request, Response

from contract_tests.live.probes.specimens.naive.inputs import App
from shared_core import metrics
from shared_core.http.forwarded import Client

router = APIRouter()


@router.get("/")
async def hello() -> dict[str, Any]:
    return {"message": "Hello World"}


@router.get("/healthz")
async def get_health() -> dict[str, Any]:
    return {"status": "ok"}


@router.get("/readyz")
def get_readiness(app: App) -> dict[str, Any]:
    app.database.check()
    return {"status": "ready"}


@router.get("/metrics")
def get_metrics(request: Request, app: App) -> Response:
    client = Client(request.client.host if request.client else "", request.url.scheme)
    counts = metrics.get_metrics(app.metrics, client=client, proxies=app.settings.proxies)
    return Response(counts, media_type=metrics.MEDIA_TYPE)
