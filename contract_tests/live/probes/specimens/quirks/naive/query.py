"""The naive port's queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.plain import hexadecimal, picky, shown

router = APIRouter(prefix="/query")


@router.get("/typed")
def get_typed(
    page: int = 1,
    ratio: float = 0.5,
    flag: bool = False,
    color: str = "ff",
    unit: str | None = None,
    name: str | None = None,
    sort: str = "id",
) -> PlainTextResponse:
    values = shown(
        page=page,
        ratio=ratio,
        flag=flag,
        color=hexadecimal(color),
        unit=None if unit is None else picky(unit),
        name=name,
        sort=sort,
    )
    return PlainTextResponse(values)


@router.get("/lists")
def get_lists(tag: Annotated[list[str], Query()] = [], n: Annotated[list[int], Query()] = []) -> PlainTextResponse:  # noqa: B006
    return PlainTextResponse(shown(tags=tag, numbers=n))


@router.get("/required")
def get_required(key: str) -> PlainTextResponse:
    return PlainTextResponse(shown(key=key))


@router.get("/all")
def get_all(request: Request) -> PlainTextResponse:
    values = {key: request.query_params.getlist(key) for key in request.query_params}
    return PlainTextResponse(shown(count=len(values), values=values))
