"""Where the operations of a pair are found: a document that is given, the apps themselves, or what they serve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests.parity.applications import SpecError
from contract_tests.parity.messages import Request, Target
from contract_tests.parity.operations import Operation, Operations, document_of, of_app, of_document

_PATHS = (b"/openapi.json", b"/api/openapi.json", b"/swagger.json")
NOTHING = (
    "nothing says what can be asked of these two: give --openapi FILE|URL, --cases FILE or --har FILE "
    "(neither serves /openapi.json, and neither is an application object with a URL map or routes)"
)


def found_operations(original: Target, port: Target, openapi: str | None = None) -> Operations:
    """The operations of both sides. Raises SpecError, in one line, for a document that cannot be read."""
    if openapi is not None:
        document = document_at(openapi)
        return Operations(of_document(document, "document"), document)
    sides = (("original", original), ("port", port))
    found: list[Operation] = [each for side, target in sides for each in of_app(app_of(target), side)]
    documents = [document_of(app_of(target)) for _, target in sides]
    for side, target in sides:
        if not any(side in each.sides for each in found):
            documents.append(_served(target))
            found += of_document(documents[-1], side)
    return Operations(found, next((each for each in documents if isinstance(each, dict)), None))


def app_of(target: Any) -> Any:
    """The application object behind a target; None where there is none in this process."""
    return getattr(target, "app", None)


def on_sockets(*targets: Any) -> bool:
    """Whether all of these are servers that raw bytes can be sent to."""
    return all(getattr(target, "on_socket", False) for target in targets)


def _served(target: Target) -> Any:
    for path in _PATHS:
        response = target.send(Request("GET", path, ((b"Host", b"localhost"), (b"Accept", b"application/json"))))
        if response.status == 200:
            try:
                return json.loads(response.body)
            except (ValueError, RecursionError):
                continue
    return None


def document_at(place: str, option: str = "--openapi") -> dict[str, Any]:
    """The OpenAPI document of a file or a URL. Raises SpecError, in one line that names the option."""
    if place.startswith(("http://", "https://")):
        text = _fetched(place, option)
    else:
        try:
            text = Path(place).read_bytes()
        except OSError as error:
            raise SpecError(f"{option} {place}: {error.strerror}") from None
    return _parsed(text, f"{option} {place}")


def _fetched(url: str, option: str) -> bytes:
    from contract_tests.parity.drivers import http

    parts = urlsplit(url)
    try:
        target = http(f"{parts.scheme}://{parts.netloc}")
    except ValueError as error:
        raise SpecError(f"{option}: {error}") from None
    with target:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        response = target.send(Request("GET", path.encode("latin-1", "replace"), ((b"Host", parts.netloc.encode()),)))
    if response.status != 200:
        raise SpecError(f"{option} {url}: answered {response.failure or response.status}")
    return response.body


def _parsed(text: bytes, place: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = _yaml(text, place)
    except RecursionError:
        raise SpecError(f"{place}: nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise SpecError(f"{place}: this is no OpenAPI document: it has no paths")
    return document


def _yaml(text: bytes, place: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise SpecError(f"{place}: this is not JSON (for YAML, install pyyaml)") from None
    try:
        # The loader in C, where there is one: a large document takes half a minute without it.
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise SpecError(f"{place}: this is neither JSON nor YAML") from None
