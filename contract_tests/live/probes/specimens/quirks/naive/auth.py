"""The naive port's sign-in: a dependency of the router that the guarded routes are on, and a route that came later."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from pydantic import BaseModel

from contract_tests.live.probes.specimens.quirks.credentials import knows

Basic = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False, realm="quirks"))]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def sign_in(basic: Basic, bearer: Bearer) -> None:
    if basic is not None and knows("basic", basic.username, basic.password, None):
        if basic.username == "eve":
            raise HTTPException(403)
        return
    if bearer is None or not knows("bearer", None, None, bearer.credentials):
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": 'Basic realm="quirks"'})


router = APIRouter(prefix="/auth")
guarded = APIRouter(dependencies=[Depends(sign_in)])


class Note(BaseModel):
    note: str


def text(content: str, status: int = 200) -> Response:
    return PlainTextResponse(content, status)


@router.get("/open")
def get_open(request: Request) -> Response:
    """What the field was read as."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return text(json.dumps([scheme, token, {}], sort_keys=True) if scheme else "nobody")


@guarded.get("/who")
def get_who(basic: Basic, bearer: Bearer) -> Response:
    return text(basic.username if basic else bearer.credentials if bearer else "nobody")


@guarded.post("/notes")
def post_note(body: Note) -> Response:
    return text(f"noted {len(body.note)}")


@guarded.get("/numbers/{number}")
def get_number(number: int) -> Response:
    return text(str(number))


@router.get("/later")
def get_later() -> Response:
    """A route that came after the others."""
    return text("private")


router.include_router(guarded)
