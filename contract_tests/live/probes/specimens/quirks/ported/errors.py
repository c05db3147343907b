"""The faithful port's errors."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.troubles import TROUBLES, Broken, Deeper, Trouble
from fastapi_app.wire.after import AfterRequest, Answer
from fastapi_app.wire.convertors import register
from fastapi_app.wire.handlers import Abort, Handlers, abort
from fastapi_app.wire.pages import DESCRIPTIONS
from fastapi_app.wire.streams import Stream

register()
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


async def on_teapot(_: Request, error: Abort) -> Response:
    said = error.description
    return text(f"teapot: {DESCRIPTIONS[418] if said is None else said}", 418)


def after_first(request: Request, answer: Answer) -> None:
    if request.url.path.startswith(HERE):
        answer.headers.append("X-After", "first")
        answer.headers["X-Last"] = "first"
        if request.url.path.endswith("/replaced"):
            answer.body = b"replaced"


def after_second(request: Request, answer: Answer) -> None:
    if request.url.path.startswith(HERE):
        answer.headers.append("X-After", "second")
        answer.headers["X-Last"] = "second"
        if request.url.path.endswith("/hook-fails"):
            raise RuntimeError("the hook fails")
        if request.url.path.endswith("/hook-aborts"):
            abort(403)
        if request.url.path.endswith("/hook-changes-status"):
            answer.status = 203


def install(app: FastAPI) -> None:
    Handlers.install(app, {Trouble: on_trouble, Deeper: on_deeper, Broken: on_broken, 418: on_teapot})
    AfterRequest.install(app, after_first, after_second)


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
    return Stream(iter([b"a", b"stream"]), media_type="text/plain")


@router.get("/fail")
def get_failing() -> Response:
    raise RuntimeError("the view fails")


@router.get("/stream-fails")
def get_stream_failing() -> Response:
    return Stream((str(1 // 0) for _ in "a"), media_type="text/plain")


@router.get("/abort/{code:flask_int}")
def get_aborted(code: int) -> Response:
    abort(code)


@router.get("/described/{code:flask_int}")
def get_described(code: int, request: Request) -> Response:
    abort(code, request.query_params.get("text", ""))


@router.get("/responded")
def get_responded() -> Response:
    abort(PlainTextResponse("as it is", 418, {"X-Own": "yes"}))


@router.get("/trouble/{kind:flask_string}")
def get_trouble(kind: str) -> Response:
    raise TROUBLES.get(kind, KeyError)(kind)


@router.get("/later/{code:flask_int}")
def get_later(code: int) -> Response:
    abort(code, headers={"Retry-After": "30"})


@router.get("/who")
def get_who() -> Response:
    abort(401, headers={"WWW-Authenticate": "Basic realm=quirks"})


@router.get("/wanted")
def get_wanted(wanted: str | None = None) -> Response:
    if wanted is None:
        abort(400)
    return text(wanted, 200)


@router.post("/only-post")
def post_only() -> Response:
    return text("posted", 200)
