"""Writes what a handler answers."""

from __future__ import annotations

from fastapi import Response
from pydantic import BaseModel

from shared_core import problems, schemas
from shared_core.problems import Problem


def json(shape: BaseModel, status: int = 200, *, location: str | None = None) -> Response:
    """A wire shape as a JSON response."""
    headers = {"Location": location} if location is not None else None
    return Response(schemas.dump(shape), status, headers, media_type="application/json")


def nothing() -> Response:
    """An answer that is all in its status."""
    return Response(status_code=204)


def see_other(url: str) -> Response:
    """Send the client on to a GET (RFC 9110 section 15.4.4)."""
    return Response(status_code=303, headers={"Location": url})


def content(body: bytes, media_type: str) -> Response:
    """Bytes as they are."""
    return Response(body, media_type=media_type)


def problem(problem: Problem) -> Response:
    """A problem detail (RFC 9457)."""
    return Response(problem.body(), problem.status, dict(problem.headers), media_type=problems.MEDIA_TYPE)
