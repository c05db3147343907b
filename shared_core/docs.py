"""The API's own description: the OpenAPI document and a page that shows it, with nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from shared_core.errors import NotFound

OPENAPI = Path(__file__).with_name("openapi.json")

PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Service API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

# validatorUrl would send the document's address to a public validator.
START = b"""window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""

MEDIA_TYPES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
}

# Where a file of Swagger UI lies in the wheel that carries it: decision 0009.
WHEEL, PACKAGE = "mkdocs-swagger-ui-tag", "mkdocs_swagger_ui_tag"
FOLDERS = {".css": "swagger-ui/stylesheets", ".js": "swagger-ui/javascripts"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the docs page."""

    media_type: str
    content: bytes


@cache
def openapi_document() -> bytes:
    """The OpenAPI 3.1 document: these very bytes are what both apps serve."""
    return OPENAPI.read_bytes()


@cache
def get_asset(name: str) -> Asset:
    """One of the docs page's files, by its name. Raises NotFound for any other name."""
    if name not in MEDIA_TYPES:
        raise NotFound("There is no such file.")
    return Asset(MEDIA_TYPES[name], START if name == "start.js" else _swagger_ui(name).read_bytes())


def _swagger_ui(name: str) -> Path:
    """Where one of Swagger UI's files lies. The package is found, not imported: its module is a plugin of MkDocs."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{WHEEL} is not installed")
    return Path(spec.origin).parent / FOLDERS[Path(name).suffix] / name
