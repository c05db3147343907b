"""The port's cookies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from contract_tests.live.probes.specimens.quirks.both_ports.answers import as_json
from contract_tests.live.probes.specimens.quirks.plain import attributes
from fastapi_app.wire.cookies import Cookies, delete_cookie, read_cookies, set_cookie
from fastapi_app.wire.query import FirstValues

router = APIRouter(prefix="/cookies")


@router.get("/set")
def set_one(request: Request) -> Response:
    response = PlainTextResponse("set")
    given: Any = FirstValues(request.scope["query_string"])
    set_cookie(
        response,
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
    given: Any = FirstValues(request.scope["query_string"])
    delete_cookie(
        response,
        given.get("key", "a"),
        **attributes(given),
    )
    return response


@router.get("/moments")
def moments() -> Response:
    response = PlainTextResponse("moments")
    east = timezone(timedelta(hours=2))
    set_cookie(response, "aware", "1", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=east))
    set_cookie(response, "naive", "1", expires=datetime(2030, 1, 2, 3, 4, 5))
    set_cookie(response, "day", "1", expires=date(2030, 1, 2))
    set_cookie(response, "text", "1", expires="Wed, 02 Jan 2030 03:04:05 GMT")
    set_cookie(response, "seconds", "1", expires=0.5)
    span = timedelta(minutes=1, milliseconds=1)
    set_cookie(response, "span", "1", max_age=span, expires=datetime(2030, 1, 2, tzinfo=UTC))
    set_cookie(response, "no_path", "1", path=None)
    return response


@router.get("/several")
def several() -> Response:
    response = PlainTextResponse("several")
    set_cookie(response, "a", "1", httponly=True, samesite="Lax")
    set_cookie(response, "b", "x y", path="/cookies")
    set_cookie(response, "a", "2", secure=True)
    delete_cookie(response, "c")
    return response


@router.get("/large")
def large() -> Response:
    response = PlainTextResponse("large")
    set_cookie(response, "a", "x" * 5000)
    return response


@router.get("/read")
def read(cookies: Annotated[Cookies, Depends(read_cookies)]) -> Response:
    return as_json(cookies.multi_items())


@router.get("/typed", dependencies=[Depends(read_cookies)])
def typed(a: Annotated[str | None, Cookie()] = None, b: Annotated[int, Cookie()] = 7) -> Response:
    return as_json({"a": a, "b": b})


@router.get("/named/{name}")
def named(cookies: Annotated[Cookies, Depends(read_cookies)], name: str) -> Response:
    return as_json([cookies.get(name), cookies.getlist(name)])


@router.get("/unread")
def unread() -> Response:
    return PlainTextResponse("unread")
