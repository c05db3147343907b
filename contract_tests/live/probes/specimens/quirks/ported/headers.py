"""The faithful port's header fields: the naive port's handlers, and two middlewares around the app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse, Response

from contract_tests.live.probes.specimens.quirks.both_ports import headers as handlers
from fastapi_app.wire.headers import RequestHeaders, ResponseHeaders

router = APIRouter(prefix="/headers")
router.get("/give")(handlers.give)
router.get("/add")(handlers.add)
router.get("/several")(handlers.several)
router.get("/hop")(handlers.hop)
router.get("/read/{name}")(handlers.read)
router.get("/all")(handlers.read_all)
router.get("/typed")(handlers.typed)
router.post("/content")(handlers.content)


@router.get("/mapped")
def mapped() -> Response:
    response = PlainTextResponse("mapped", 201)
    for value in ("1", "2"):
        response.headers.append("X-A", value)
    return response


def install(app: FastAPI) -> None:
    app.add_middleware(ResponseHeaders)
    app.add_middleware(RequestHeaders)
