"""Writes what a handler answers."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from pydantic import BaseModel

from shared_core import problems, schemas
from shared_core.http.conditional import Selected
from shared_core.http.disposition import SAVED
from shared_core.problems import Problem
from shared_core.streams import begun


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


def stream(content: Iterator[bytes], selected: Selected, *, media_type: str, disposition: str) -> Response:
    """A file or a part of it. A transfer that fails on the way is broken off, and before it begins it is an error."""
    if selected.status == 304:
        return _without_body(304, **dict((*selected.headers, *SAVED)))
    headers = [*selected.headers, *SAVED, ("Content-Disposition", disposition)]
    response = Response(begun(content), selected.status, headers, content_type=media_type)
    response.content_length = selected.stop - selected.start
    return response


def whole_stream(content: Iterator[bytes], media_type: str, disposition: str) -> Response:
    """Content of unknown length."""
    headers = [("Content-Disposition", disposition)]
    return Response(begun(content), 200, headers, content_type=media_type)


def problem(problem: Problem) -> Response:
    """A problem detail (RFC 9457)."""
    return Response(problem.body(), problem.status, problem.headers, content_type=problems.MEDIA_TYPE)


def _without_body(status: int, **headers: str) -> Response:
    response = Response(status=status, headers=headers)
    # Flask names a type even where nothing is.
    del response.headers["Content-Type"]
    return response
