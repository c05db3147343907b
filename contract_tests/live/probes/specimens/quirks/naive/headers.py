"""The naive port's header fields."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import PlainTextResponse, Response

router = APIRouter(prefix="/headers")


def as_json(value: Any) -> Response:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Response(text + "\n", media_type="application/json")


@router.get("/give")
def give(name: str = "X-A", value: str = "") -> Response:
    response = PlainTextResponse("given")
    response.headers[name] = value
    return response


@router.get("/add")
def add(value: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    response = PlainTextResponse("added")
    for each in value:
        response.headers.append("X-A", each)
    return response


@router.get("/several")
def several() -> Response:
    response = PlainTextResponse("several")
    response.headers.append("X-A", "1")
    response.headers.append("Link", "</a>; rel=next")
    response.headers.append("X-A", "2, 3")
    response.headers.append("Link", "</b>; rel=prev")
    response.headers["X-B"] = "1"
    response.headers["X-B"] = "2"
    response.headers.setdefault("X-B", "3")
    response.headers["x-a-b"] = ""
    return response


@router.get("/mapped")
def mapped() -> Response:
    response = PlainTextResponse("mapped", 201)

    response.headers.update({"X-A": "1, 2"})
    return response


@router.get("/hop")
def hop() -> Response:
    response = PlainTextResponse("hop")
    for name in ("Connection", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Server", "X-Kept"):
        response.headers[name] = "close"
    return response


@router.get("/read/{name}")
def read(request: Request, name: str) -> Response:
    return as_json([request.headers.get(name), request.headers.getlist(name)])


@router.get("/all")
def read_all(request: Request) -> Response:
    fields = [[name.title(), value] for name, value in request.headers.items()]
    return as_json(sorted(each for each in fields if each[0].startswith("X")))


@router.get("/typed")
def typed(x_token: Annotated[str | None, Header()] = None, x_count: Annotated[int, Header()] = 7) -> Response:
    return as_json({"token": x_token, "count": x_count})


@router.post("/content")
def content(request: Request) -> Response:
    return as_json({"type": request.headers.get("Content-Type"), "length": request.headers.get("Content-Length")})
