"""The naive port's cookies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Request
from fastapi.responses import PlainTextResponse, Response

from contract_tests.live.probes.specimens.quirks.both_ports.answers import as_json
from contract_tests.live.probes.specimens.quirks.plain import attributes

router = APIRouter(prefix="/cookies")


@router.get("/set")
def set_one(request: Request) -> Response:
    response = PlainTextResponse("set")
    given: Any = request.query_params
    response.set_cookie(
        given.get("key", "a"),
        given.get("value", ""),
        max_age=int(given["max_age"]) if "max_age" in given else None,
        expires=int(given["expires"]) if "expires" in given else None,
        partitioned="partitioned" in given,
        **attributes(given),
    )
    return response


@router.get("/delete")
def delete_one(request: Request) -> Response:
    response = PlainTextResponse("deleted")
    given: Any = request.query_params
    response.delete_cookie(
        given.get("key", "a"),
        **attributes(given),
    )
    return response


@router.get("/moments")
def moments() -> Response:
    response = PlainTextResponse("moments")
    east = timezone(timedelta(hours=2))
    response.set_cookie("aware", "1", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=east).astimezone(UTC))
    response.set_cookie("naive", "1", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    response.set_cookie("day", "1", expires=str(date(2030, 1, 2)))
    response.set_cookie("text", "1", expires="Wed, 02 Jan 2030 03:04:05 GMT")
    response.set_cookie("seconds", "1", expires=0)
    span = timedelta(minutes=1, milliseconds=1)
    response.set_cookie("span", "1", max_age=int(span.total_seconds()), expires=datetime(2030, 1, 2, tzinfo=UTC))
    response.set_cookie("no_path", "1", path=None)
    return response


@router.get("/several")
def several() -> Response:
    response = PlainTextResponse("several")
    response.set_cookie("a", "1", httponly=True, samesite="lax")
    response.set_cookie("b", "x y", path="/cookies")
    response.set_cookie("a", "2", secure=True)
    response.delete_cookie("c")
    return response


@router.get("/large")
def large() -> Response:
    response = PlainTextResponse("large")
    response.set_cookie("a", "x" * 5000)
    return response


@router.get("/read")
def read(request: Request) -> Response:
    return as_json(list(request.cookies.items()))


@router.get("/typed")
def typed(a: Annotated[str | None, Cookie()] = None, b: Annotated[int, Cookie()] = 7) -> Response:
    return as_json({"a": a, "b": b})


@router.get("/named/{name}")
def named(request: Request, name: str) -> Response:
    return as_json([request.cookies.get(name), [request.cookies[name]] if name in request.cookies else []])


@router.get("/unread")
def unread() -> Response:
    return PlainTextResponse("unread")
