"""The naive port's streams."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from contract_tests.live.probes.specimens.quirks.streamed import CREATED, STREAMED, Streamed

router = APIRouter(prefix="/streams")


def sending(it: Streamed) -> Callable[[], Response]:
    def send() -> Response:
        return StreamingResponse(it.content(), it.status, it.headers, it.type)

    return send


for name, streamed in STREAMED.items():
    router.get(f"/{name}")(sending(streamed))
router.post("/created")(sending(CREATED))
