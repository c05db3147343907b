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


def nothing() -> Response:
    """An answer that is all in its status."""
    return _without_body(204)


def see_other(url: str) -> Response:
    """Send the client on to a GET (RFC 9110 section 15.4.4)."""
    return _without_body(303, Location=url)


def content(body: bytes, media_type: str) -> Response:
    """Bytes as they are."""
    return Response(body, content_type=media_type)


def problem(problem: Problem) -> Response:
    """A problem detail (RFC 9457)."""
    return Response(problem.body(), problem.status, problem.headers, content_type=problems.MEDIA_TYPE)


def _without_body(status: int, **headers: str) -> Response:
    response = Response(status=status, headers=headers)
    # Flask names a type even where nothing is.
    del response.headers["Content-Type"]
    return response
