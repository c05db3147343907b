"""The OpenAPI document, made from the port's own typed routes; `make openapi` writes it to the core."""

from __future__ import annotations

import json
from http import HTTPMethod
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared_core import problems
from shared_core.schemas import ProblemOut

TITLE = "Service"
DESCRIPTION = "One service on Flask and on FastAPI: this document describes both."
VERSION = "1.0.0"
METHODS = frozenset(method.lower() for method in HTTPMethod)

# Refusals that an operation with a body, one that changes something, or any at all may meet.
OF_BODIES = (413, 415)
OF_CHANGES = (403,)
OF_ALL = (429, 500, 503)
UNSAFE = frozenset({"post", "put", "patch", "delete"})


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` for a route: the problems it may answer beside those every route may."""
    return {status: {"description": problems.TITLES[status]} for status in statuses}


def document(app: FastAPI) -> dict[str, Any]:
    """The document with each problem written once, under components.responses.

    FastAPI adds a 422 of its own shape to every route with a parameter; only documented ones stay.
    """
    spec: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    used: set[int] = set()
    for method, operation in operations(spec):
        used |= _refer_to_problems(method, operation)
    components = spec.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs", {}), "ProblemOut": problem}
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = {_name(status): _response(status) for status in sorted(used)}
    return spec


def operations(spec: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each operation of a document and its method, in its order."""
    return [(method, item[method]) for item in spec["paths"].values() for method in item if method in METHODS]


def render(spec: dict[str, Any]) -> bytes:
    """The document as the bytes that are stored and served."""
    return (json.dumps(spec, ensure_ascii=False, indent=1) + "\n").encode()


def _refer_to_problems(method: str, operation: dict[str, Any]) -> set[int]:
    found = operation["responses"]
    if "HTTPValidationError" in json.dumps(found.get("422", {})):
        del found["422"]
    refused = {int(status) for status in found if int(status) >= 400} | set(OF_ALL)
    refused |= set(OF_BODIES) if "requestBody" in operation else set()
    refused |= set(OF_CHANGES) if method in UNSAFE else set()
    kept = {status: response for status, response in found.items() if int(status) < 400}
    operation["responses"] = kept | {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(refused)
    }
    return refused


def _name(status: int) -> str:
    return problems.TITLES[status].replace(" ", "")


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {"description": problems.TITLES[status], "content": {problems.MEDIA_TYPE: {"schema": schema}}}
