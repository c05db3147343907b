"""The naive port's streams."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

router = APIRouter(prefix="/streams")


def letters() -> Iterator[bytes]:
    yield b"abc"
    yield b""
    yield b"def"


def failing(*given: bytes) -> Iterator[bytes]:
    yield from given
    raise RuntimeError("the stream fails")


@router.get("/letters")
def get_letters() -> StreamingResponse:
    return StreamingResponse(letters())


@router.get("/words")
def get_words() -> StreamingResponse:
    return StreamingResponse(iter(["na\u00efve ", "\u20ac", "\U0001f600"]))


@router.get("/empty")
def get_nothing() -> StreamingResponse:
    return StreamingResponse(iter(()))


@router.get("/typed")
def get_typed() -> StreamingResponse:
    return StreamingResponse(letters(), media_type="text/csv")


@router.get("/binary")
def get_binary() -> StreamingResponse:
    return StreamingResponse(letters(), media_type="application/octet-stream")


@router.get("/fails-first")
def get_failing_first() -> StreamingResponse:
    return StreamingResponse(failing())


@router.get("/fails-later")
def get_failing_later() -> StreamingResponse:
    return StreamingResponse(failing(b"abc", b"def"))


@router.get("/fails-within-length")
def get_failing_within_length() -> StreamingResponse:
    return StreamingResponse(failing(b"abc"), headers={"Content-Length": "6"})


@router.get("/measured")
def get_measured() -> StreamingResponse:
    return StreamingResponse(letters(), headers={"Content-Length": "6"})


@router.get("/overlong")
def get_overlong() -> StreamingResponse:
    return StreamingResponse(letters(), headers={"Content-Length": "4"})


@router.get("/overlong-by-a-chunk")
def get_overlong_by_a_chunk() -> StreamingResponse:
    return StreamingResponse(letters(), headers={"Content-Length": "3"})


@router.get("/overlong-from-nothing")
def get_overlong_from_nothing() -> StreamingResponse:
    return StreamingResponse(letters(), headers={"Content-Length": "0"})


@router.get("/short")
def get_short() -> StreamingResponse:
    return StreamingResponse(letters(), headers={"Content-Length": "9"})


@router.get("/no-content")
def get_no_content() -> StreamingResponse:
    return StreamingResponse(letters(), status_code=204)


@router.get("/measured-no-content")
def get_measured_no_content() -> StreamingResponse:
    return StreamingResponse(letters(), status_code=204, headers={"Content-Length": "6"})


@router.get("/failing-no-content")
def get_failing_no_content() -> StreamingResponse:
    return StreamingResponse(failing(), status_code=204)


@router.post("/created")
def post_created() -> StreamingResponse:
    return StreamingResponse(letters(), status_code=201)
