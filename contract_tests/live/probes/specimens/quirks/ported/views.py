"""The faithful port's views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Response

from contract_tests.live.probes.specimens.quirks.returned import RETURNED
from fastapi_app.wire.views import ViewRoute

router = APIRouter(prefix="/views", route_class=ViewRoute)


@router.get("/returned/{name}")
def get_returned(name: str) -> Any:
    return RETURNED[name]()


@router.get("/words")
def get_words() -> Iterator[str]:
    yield "one "
    yield "tw\u00f6"


@router.get("/response")
def get_response() -> Any:
    return Response("made", 200, {"X-One": "1"}, "text/html"), 201, {"X-Two": "2"}


@router.get("/untouched")
def get_untouched() -> Response:
    return Response("made", 202, media_type="text/html")


@router.delete("/gone")
def delete_it() -> Any:
    return "", 204


@router.post("/echo/{count}")
def post_echo(count: int) -> Any:
    return {"count": count}, 201
