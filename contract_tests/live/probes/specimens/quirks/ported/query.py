"""The faithful port's queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.plain import hexadecimal, picky, shown
from fastapi_app.wire.query import Lenient, QueryRoute

router = APIRouter(prefix="/query", route_class=QueryRoute)


@router.get("/typed")
def get_typed(
    page: Annotated[int, Lenient(int)] = 1,
    ratio: Annotated[float, Lenient(float)] = 0.5,
    flag: Annotated[bool, Lenient(bool)] = False,
    color: Annotated[int, Lenient(hexadecimal)] = 255,
    unit: Annotated[str | None, Lenient(picky)] = None,
    name: str | None = None,
    sort: str = "id",
) -> PlainTextResponse:
    values = shown(page=page, ratio=ratio, flag=flag, color=color, unit=unit, name=name, sort=sort)
    return PlainTextResponse(values)


@router.get("/lists")
def get_lists(
    tag: Annotated[list[str], Query()] = [],  # noqa: B006  # FastAPI copies it
    n: Annotated[list[int], Query(), Lenient(int)] = [],  # noqa: B006
) -> PlainTextResponse:
    return PlainTextResponse(shown(tags=tag, numbers=n))


@router.get("/required")
def get_required(key: str) -> PlainTextResponse:
    return PlainTextResponse(shown(key=key))


@router.get("/all")
def get_all(request: Request) -> PlainTextResponse:
    values = {key: request.query_params.getlist(key) for key in request.query_params}
    return PlainTextResponse(shown(count=len(values), values=values))
