"""The naive port's errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from contract_tests.live.probes.specimens.quirks.troubles import TROUBLES, Broken, Deeper, Trouble

router = APIRouter(prefix="/errors")
HERE = "/errors/"


def text(content: str, status: int) -> Response:
    return PlainTextResponse(content, status)


async def on_trouble(_: Request, __: Exception) -> Response:
    return text("trouble", 400)


async def on_deeper(_: Request, __: Exception) -> Response:
    return text("deeper", 409)


async def on_broken(_: Request, __: Exception) -> Response:
    raise RuntimeError("the handler fails")


async def on_teapot(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return text(f"teapot: {error.detail}", 418)


Next = Callable[[Request], Awaitable[Response]]


async def after_first(request: Request, call_next: Next) -> Response:
    response = await call_next(request)
    if request.url.path.startswith(HERE):
        response.headers.append("X-After", "first")
        response.headers["X-Last"] = "first"
        if request.url.path.endswith("/replaced"):
            return Response(b"replaced", headers=dict(response.headers))
    return response


async def after_second(request: Request, call_next: Next) -> Response:
    response = await call_next(request)
    if request.url.path.startswith(HERE):
        response.headers.append("X-After", "second")
        response.headers["X-Last"] = "second"
        if request.url.path.endswith("/hook-fails"):
            raise RuntimeError("the hook fails")
        if request.url.path.endswith("/hook-aborts"):
            raise HTTPException(403)
        if request.url.path.endswith("/hook-changes-status"):
            response.status_code = 203
    return response


def install(app: FastAPI) -> None:
    app.add_exception_handler(Trouble, on_trouble)
    app.add_exception_handler(Deeper, on_deeper)
    app.add_exception_handler(Broken, on_broken)
    app.add_exception_handler(418, on_teapot)
    app.middleware("http")(after_first)
    app.middleware("http")(after_second)


@router.get("/fine")
@router.get("/hook-fails")
@router.get("/hook-aborts")
@router.get("/hook-changes-status")
def get_fine() -> Response:
    return text("fine", 200)


@router.get("/replaced")
def get_replaced() -> Response:
    return text("a longer text", 200)


@router.get("/streamed/replaced")
def get_streamed_replaced() -> Response:
    return StreamingResponse(iter([b"a", b"stream"]), media_type="text/plain")


@router.get("/fail")
def get_failing() -> Response:
    raise RuntimeError("the view fails")


@router.get("/stream-fails")
def get_stream_failing() -> Response:
    return StreamingResponse((str(1 // 0) for _ in "a"), media_type="text/plain")


@router.get("/abort/{code:int}")
def get_aborted(code: int) -> Response:
    raise HTTPException(code)


@router.get("/described/{code:int}")
def get_described(code: int, request: Request) -> Response:
    raise HTTPException(code, request.query_params.get("text", ""))


@router.get("/responded")
def get_responded() -> Response:
    raise HTTPException(418, "as it is", {"X-Own": "yes"})


@router.get("/trouble/{kind}")
def get_trouble(kind: str) -> Response:
    raise TROUBLES.get(kind, KeyError)(kind)


@router.get("/later/{code:int}")
def get_later(code: int) -> Response:
    raise HTTPException(code, headers={"Retry-After": "30"})


@router.get("/who")
def get_who() -> Response:
    raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="quirks"'})


@router.get("/wanted")
def get_wanted(wanted: str) -> Response:
    return text(wanted, 200)


@router.post("/only-post")
def post_only() -> Response:
    return text("posted", 200)
