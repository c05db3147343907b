"""The faithful port's streams."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response

from fastapi_app.wire.streams import Stream

router = APIRouter(prefix="/streams")


def letters() -> Iterator[bytes]:
    yield b"abc"
    yield b""
    yield b"def"


def failing(*given: bytes) -> Iterator[bytes]:
    yield from given
    raise RuntimeError("the stream fails")


@router.get("/letters")
def get_letters() -> Response:
    return Stream(letters())


@router.get("/words")
def get_words() -> Response:
    return Stream(iter(["na\u00efve ", "\u20ac", "\U0001f600"]))


@router.get("/empty")
def get_nothing() -> Response:
    return Stream(iter(()))


@router.get("/typed")
def get_typed() -> Response:
    return Stream(letters(), media_type="text/csv")


@router.get("/binary")
def get_binary() -> Response:
    return Stream(letters(), media_type="application/octet-stream")


@router.get("/fails-first")
def get_failing_first() -> Response:
    return Stream(failing())


@router.get("/fails-later")
def get_failing_later() -> Response:
    return Stream(failing(b"abc", b"def"))


@router.get("/fails-within-length")
def get_failing_within_length() -> Response:
    return Stream(failing(b"abc"), headers={"Content-Length": "6"})


@router.get("/measured")
def get_measured() -> Response:
    return Stream(letters(), headers={"Content-Length": "6"})


@router.get("/overlong")
def get_overlong() -> Response:
    return Stream(letters(), headers={"Content-Length": "4"})


@router.get("/overlong-by-a-chunk")
def get_overlong_by_a_chunk() -> Response:
    return Stream(letters(), headers={"Content-Length": "3"})


@router.get("/overlong-from-nothing")
def get_overlong_from_nothing() -> Response:
    return Stream(letters(), headers={"Content-Length": "0"})


@router.get("/short")
def get_short() -> Response:
    return Stream(letters(), headers={"Content-Length": "9"})


@router.get("/no-content")
def get_no_content() -> Response:
    return Stream(letters(), status_code=204)


@router.get("/measured-no-content")
def get_measured_no_content() -> Response:
    return Stream(letters(), status_code=204, headers={"Content-Length": "6"})


@router.get("/failing-no-content")
def get_failing_no_content() -> Response:
    return Stream(failing(), status_code=204)


@router.post("/created")
def post_created() -> Response:
    return Stream(letters(), status_code=201)
