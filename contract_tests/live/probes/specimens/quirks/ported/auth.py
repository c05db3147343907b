"""The faithful port's sign-in: one hook guards everything below /auth/ that is not open."""

from __future__ import annotations

import json

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from contract_tests.live.probes.specimens.quirks.credentials import CHALLENGES, OPEN, knows
from fastapi_app.wire.authorization import authorization
from fastapi_app.wire.before import BeforeRequest
from fastapi_app.wire.bodies import Route
from fastapi_app.wire.convertors import register

register()
router = APIRouter(prefix="/auth", route_class=Route)
HERE = "/auth/"


class Note(BaseModel):
    note: str


def text(content: str, status: int = 200) -> Response:
    return PlainTextResponse(content, status)


async def sign_in(request: Request) -> Response | None:
    path = request.scope["path"]
    if not path.startswith(HERE) or path in OPEN:
        return None
    given = authorization(request)
    if given is None or not knows(given.type, given.username, given.password, given.token):
        refused = text("sign in first", 401)
        for name, value in CHALLENGES:
            refused.headers.append(name, value)
        return refused
    if given.username == "eve":
        raise HTTPException(403)
    return None


def install(app: FastAPI) -> None:
    BeforeRequest.install(app, sign_in)


@router.get("/open")
def get_open(request: Request) -> Response:
    """What the field was read as."""
    given = authorization(request)
    if given is None:
        return text("nobody")
    return text(json.dumps([given.type, given.token, dict(given.parameters)], sort_keys=True))


@router.get("/who")
def get_who(request: Request) -> Response:
    given = authorization(request)
    return text("nobody" if given is None else str(given.username or given.token))


@router.post("/notes")
def post_note(body: Note) -> Response:
    return text(f"noted {len(body.note)}")


@router.get("/numbers/{number:flask_int}")
def get_number(number: int) -> Response:
    return text(str(number))


@router.get("/later")
def get_later() -> Response:
    """A route that came after the others."""
    return text("private")
