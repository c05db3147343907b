"""The OpenAPI document, and a page that shows it."""

from typing import Any

from fastapi import APIRouter, Response

from fastapi_app.inputs import Route
from fastapi_app.openapi import refusals
from fastapi_app.outputs import content
from shared_core import docs

router = APIRouter(route_class=Route, tags=["docs"])

PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
ASSET: dict[str, Any] = {
    "content": {"text/css": {"schema": {"type": "string"}}, "text/javascript": {"schema": {"type": "string"}}}
}


@router.get("/openapi.json", response_model=dict[str, Any])
async def get_openapi() -> Response:
    """Give this very document: both apps serve the same bytes."""
    document = docs.openapi_document()  # blocks: for one small file, once a process
    return content(document, "application/json")


@router.get("/docs", response_class=Response, responses={200: PAGE})
async def get_docs() -> Response:
    """Show the document as a page whose files come from this server."""
    return content(docs.PAGE, "text/html; charset=utf-8")


@router.get("/docs/{name}", response_class=Response, responses={200: ASSET, **refusals(404)})
def get_docs_asset(name: str) -> Response:
    """Give one of the page's files."""
    asset = docs.get_asset(name)
    return content(asset.content, asset.media_type)
