"""The original's streams."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response

blueprint = Blueprint("streams", __name__, url_prefix="/streams")


def letters() -> Iterator[bytes]:
    yield b"abc"
    yield b""
    yield b"def"


def failing(*given: bytes) -> Iterator[bytes]:
    yield from given
    raise RuntimeError("the stream fails")


@blueprint.get("/letters")
def get_letters() -> Response:
    return Response(letters())


@blueprint.get("/words")
def get_words() -> Response:
    return Response(iter(["na\u00efve ", "\u20ac", "\U0001f600"]))


@blueprint.get("/empty")
def get_nothing() -> Response:
    return Response(iter(()))


@blueprint.get("/typed")
def get_typed() -> Response:
    return Response(letters(), mimetype="text/csv")


@blueprint.get("/binary")
def get_binary() -> Response:
    return Response(letters(), mimetype="application/octet-stream")


@blueprint.get("/fails-first")
def get_failing_first() -> Response:
    return Response(failing())


@blueprint.get("/fails-later")
def get_failing_later() -> Response:
    return Response(failing(b"abc", b"def"))


@blueprint.get("/fails-within-length")
def get_failing_within_length() -> Response:
    return Response(failing(b"abc"), headers={"Content-Length": "6"})


@blueprint.get("/measured")
def get_measured() -> Response:
    return Response(letters(), headers={"Content-Length": "6"})


@blueprint.get("/overlong")
def get_overlong() -> Response:
    return Response(letters(), headers={"Content-Length": "4"})


@blueprint.get("/overlong-by-a-chunk")
def get_overlong_by_a_chunk() -> Response:
    return Response(letters(), headers={"Content-Length": "3"})


@blueprint.get("/overlong-from-nothing")
def get_overlong_from_nothing() -> Response:
    return Response(letters(), headers={"Content-Length": "0"})


@blueprint.get("/short")
def get_short() -> Response:
    return Response(letters(), headers={"Content-Length": "9"})


@blueprint.get("/no-content")
def get_no_content() -> Response:
    return Response(letters(), status=204)


@blueprint.get("/measured-no-content")
def get_measured_no_content() -> Response:
    return Response(letters(), status=204, headers={"Content-Length": "6"})


@blueprint.get("/failing-no-content")
def get_failing_no_content() -> Response:
    return Response(failing(), status=204)


@blueprint.post("/created")
def post_created() -> Response:
    return Response(letters(), status=201)
