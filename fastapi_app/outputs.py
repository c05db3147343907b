"""Writes what a handler answers."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from shared_core import problems, schemas
from shared_core.http.conditional import Selected
from shared_core.http.disposition import SAVED
from shared_core.problems import Problem
from shared_core.streams import begun


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


def stream(content: Iterator[bytes], selected: Selected, *, media_type: str, disposition: str) -> Response:
    """A file or a part of it. A transfer that fails on the way is broken off, and before it begins it is an error."""
    headers = dict((*selected.headers, *SAVED))
    if selected.status == 304:
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Disposition": disposition, "Content-Type": media_type}
    headers["Content-Length"] = str(selected.stop - selected.start)
    return StreamingResponse(begun(content), selected.status, headers)


def whole_stream(content: Iterator[bytes], media_type: str, disposition: str) -> Response:
    """Content of unknown length."""
    headers = {"Content-Disposition": disposition, "Content-Type": media_type}
    return StreamingResponse(begun(content), 200, headers)


def problem(problem: Problem) -> Response:
    """A problem detail (RFC 9457)."""
    return Response(problem.body(), problem.status, dict(problem.headers), media_type=problems.MEDIA_TYPE)
