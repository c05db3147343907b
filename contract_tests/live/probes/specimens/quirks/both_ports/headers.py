"""The handlers of the area `headers` that need nothing of the kit."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import PlainTextResponse, Response

from contract_tests.live.probes.specimens.quirks.both_ports.answers import as_json


def give(name: str = "X-A", value: str = "") -> Response:
    response = PlainTextResponse("given")
    response.headers[name] = value
    return response


def add(value: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    response = PlainTextResponse("added")
    for each in value:
        response.headers.append("X-A", each)
    return response


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


def hop() -> Response:
    response = PlainTextResponse("hop")
    for name in ("Connection", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Server", "X-Kept"):
        response.headers[name] = "close"
    return response


def read(request: Request, name: str) -> Response:
    return as_json([request.headers.get(name), request.headers.getlist(name)])


def read_all(request: Request) -> Response:
    fields = [[name.title(), value] for name, value in request.headers.items()]
    return as_json(sorted(each for each in fields if each[0].startswith("X")))


def typed(x_token: Annotated[str | None, Header()] = None, x_count: Annotated[int, Header()] = 7) -> Response:
    return as_json({"token": x_token, "count": x_count})


def content(request: Request) -> Response:
    return as_json({"type": request.headers.get("Content-Type"), "length": request.headers.get("Content-Length")})
