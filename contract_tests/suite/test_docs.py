"""GET /openapi.json, GET /docs and its assets"""

import re
from pathlib import Path

import pytest

import shared_core

STORED = Path(shared_core.__file__).with_name("openapi.json")


def test_the_stored_document_is_served_byte_for_byte(api):
    answer = api.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == STORED.read_bytes()


def test_the_document_is_openapi_3_1(api):
    assert api.get("/openapi.json").json()["openapi"].startswith("3.1.")


def test_the_docs_page_loads_everything_from_its_own_server(api):
    page = api.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assets = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(assets) == 3
    for asset in assets:
        assert asset.startswith("/docs/")
        assert api.get(asset).status_code == 200


@pytest.mark.parametrize(
    ("name", "media_type", "content"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", b"SwaggerUIBundle"),
        ("start.js", "text/javascript; charset=utf-8", b"/openapi.json"),
    ],
)
def test_an_asset_has_its_media_type(api, name, media_type, content):
    answer = api.get(f"/docs/{name}")
    assert answer.headers["content-type"] == media_type
    assert content in answer.content


def test_the_docs_page_sends_the_document_to_no_validator(api):
    assert "validatorUrl: null" in api.get("/docs/start.js").text


@pytest.mark.parametrize(
    "name", ["swagger-ui.js", "index.html", "..%2Fapp.py", "%2E%2E", "__init__.py", "SWAGGER-UI.CSS"]
)
def test_no_other_file_is_served(api, name):
    assert api.get(f"/docs/{name}").status_code == 404
