"""Writes what a handler answers."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel

from shared_core import problems, schemas
from shared_core.problems import Problem


def json(shape: BaseModel, status: int = 200, *, location: str | None = None) -> Response:
    """A wire shape as a JSON response."""
    response = Response(schemas.dump(shape), status, mimetype="application/json")
    if location is not None:
        response.headers["Location"] = location
    return response


def content(body: bytes, media_type: str) -> Response:
    """Bytes as they are."""
    return Response(body, content_type=media_type)


def problem(problem: Problem) -> Response:
    """A problem detail (RFC 9457)."""
    return Response(problem.body(), problem.status, problem.headers, content_type=problems.MEDIA_TYPE)
