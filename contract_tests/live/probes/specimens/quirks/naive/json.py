"""The naive port's JSON."""

from __future__ import annotations

from json import loads
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.plain import shown
from contract_tests.live.probes.specimens.quirks.values import VALUES

router = APIRouter(prefix="/json")


@router.post("/any")
def post_any(body: Annotated[Any, Body()]) -> PlainTextResponse:
    return PlainTextResponse(shown(value=body))


@router.post("/people")
def post_people(body: dict[str, Any]) -> PlainTextResponse:
    return PlainTextResponse(shown(name=body.get("name"), known=sorted(body)))


@router.post("/silent")
def post_silent(body: Annotated[Any, Body()] = None) -> PlainTextResponse:
    return PlainTextResponse(shown(value=body))


@router.post("/forced")
async def post_forced(request: Request) -> PlainTextResponse:
    return PlainTextResponse(shown(value=loads(await request.body())))


@router.get("/values/{name}")
def get_value(name: str) -> Any:
    return VALUES[name]()
