"""The port's redirects, and the URLs that it builds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import PlainTextResponse, Response

from fastapi_app.wire import convertors
from fastapi_app.wire.redirects import ForwardedPrefix, redirect, url_for

convertors.register()

router = APIRouter(prefix="/redirects")


@router.get("/here")
def here() -> Response:
    return redirect("/redirects/shown/x")


@router.get("/code/{code:flask_int}")
def with_code(code: int) -> Response:
    return redirect("/redirects/shown/x", code)


@router.get("/to")
def to(url: str = "") -> Response:
    return redirect(url)


@router.post("/form")
def form(request: Request) -> Response:
    return redirect(url_for(request, "shown", name="x"), 303)


@router.get("/shown/{name}", name="shown")
def shown(request: Request, name: str, q: Annotated[list[str], Query()] = [], n: str | None = None) -> Response:  # noqa: B006
    return PlainTextResponse(url_for(request, "shown", name=name, q=q, n=n))


@router.get("/built/{path:flask_path}")
def built(request: Request, path: str, anchor: str | None = None) -> Response:
    return PlainTextResponse(url_for(request, "built", path=path, _anchor=anchor))


@router.get("/external/{name}")
def external(request: Request, name: str) -> Response:
    return PlainTextResponse(url_for(request, "external", name=name, _external=True))


@router.get("/secure")
def secure(request: Request) -> Response:
    return redirect(url_for(request, "secure", _scheme="https", page=2))


@router.get("/numbers/{id:flask_int}/{x:flask_float}/")
def numbers(request: Request, id: int, x: float) -> Response:
    return PlainTextResponse(url_for(request, "numbers", id=id + 1, x=x / 2, flag=True))


def install(app: FastAPI) -> None:
    app.add_middleware(ForwardedPrefix)
