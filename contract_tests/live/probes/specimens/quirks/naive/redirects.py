"""The naive port's redirects, and the URLs that it builds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

router = APIRouter(prefix="/redirects")


@router.get("/here")
def here() -> Response:
    return RedirectResponse("/redirects/shown/x")


@router.get("/code/{code}")
def with_code(code: int) -> Response:
    return RedirectResponse("/redirects/shown/x", code)


@router.get("/to")
def to(url: str = "") -> Response:
    return RedirectResponse(url)


@router.post("/form")
def form(request: Request) -> Response:
    return RedirectResponse(request.url_for("shown", name="x"))


@router.get("/shown/{name}")
def shown(request: Request, name: str, q: Annotated[list[str], Query()] = [], n: str | None = None) -> Response:  # noqa: B006
    url = request.url_for("shown", name=name).include_query_params(q=q)
    return PlainTextResponse(str(url if n is None else url.include_query_params(n=n)))


@router.get("/built/{path:path}")
def built(request: Request, path: str, anchor: str | None = None) -> Response:
    return PlainTextResponse(str(request.url_for("built", path=path).replace(fragment=anchor or "")))


@router.get("/external/{name}")
def external(request: Request, name: str) -> Response:
    return PlainTextResponse(str(request.url_for("external", name=name)))


@router.get("/secure")
def secure(request: Request) -> Response:
    return RedirectResponse(request.url_for("secure").replace(scheme="https").include_query_params(page=2))


@router.get("/numbers/{id}/{x}/")
def numbers(request: Request, id: int, x: float) -> Response:
    return PlainTextResponse(
        str(request.url_for("numbers", id=str(id + 1), x=str(x / 2)).include_query_params(flag=True))
    )
