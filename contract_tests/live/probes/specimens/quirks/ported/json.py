"""The faithful port's JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.plain import shown
from contract_tests.live.probes.specimens.quirks.values import VALUES
from fastapi_app.wire.json import FlaskJSON, JSONRoute, get_json
from fastapi_app.wire.query import Handler


class Unfit(JSONRoute):
    """What does not fit a body's type is the page for 422, as the original's own check has it."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_unfit(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                raise HTTPException(422) from None

        return handle_unfit


router = APIRouter(prefix="/json", route_class=Unfit)


@router.post("/any")
def post_any(body: Annotated[Any, Body()]) -> PlainTextResponse:
    return PlainTextResponse(shown(value=body))


@router.post("/people")
def post_people(body: dict[str, Any]) -> PlainTextResponse:
    return PlainTextResponse(shown(name=body.get("name"), known=sorted(body)))


@router.post("/silent")
async def post_silent(request: Request) -> PlainTextResponse:
    return PlainTextResponse(shown(value=await get_json(request, silent=True)))


@router.post("/forced")
async def post_forced(request: Request) -> PlainTextResponse:
    return PlainTextResponse(shown(value=await get_json(request, force=True)))


@router.get("/values/{name}")
def get_value(name: str) -> Response:
    return FlaskJSON(VALUES[name]())
