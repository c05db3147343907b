"""The naive port's header fields."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from contract_tests.live.probes.specimens.quirks.both_ports import headers as handlers

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
    response.headers.update({"X-A": "1, 2"})
    return response
