"""The OpenAPI document, and a page that shows it."""

from flask import Blueprint, Response

from flask_app.outputs import content
from shared_core import docs

blueprint = Blueprint("docs", __name__)


@blueprint.get("/openapi.json")
def get_openapi() -> Response:
    """Give this very document: both apps serve the same bytes."""
    return content(docs.openapi_document(), "application/json")


@blueprint.get("/docs")
def get_docs() -> Response:
    """Show the document as a page whose files come from this server."""
    return content(docs.PAGE, "text/html; charset=utf-8")


@blueprint.get("/docs/<name>")
def get_docs_asset(name: str) -> Response:
    """Give one of the page's files."""
    asset = docs.get_asset(name)
    return content(asset.content, asset.media_type)
