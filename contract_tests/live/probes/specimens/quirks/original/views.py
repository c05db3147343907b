"""The original's views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response

from contract_tests.live.probes.specimens.quirks.returned import RETURNED

blueprint = Blueprint("views", __name__, url_prefix="/views")


@blueprint.get("/returned/<name>")
def get_returned(name: str) -> Any:
    return RETURNED[name]()


@blueprint.get("/words")
def get_words() -> Iterator[str]:
    yield "one "
    yield "tw\u00f6"


@blueprint.get("/response")
def get_response() -> Any:
    return Response("made", 200, {"X-One": "1"}), 201, {"X-Two": "2"}


@blueprint.get("/untouched")
def get_untouched() -> Response:
    return Response("made", 202)


@blueprint.delete("/gone")
def delete_it() -> Any:
    return "", 204


@blueprint.post("/echo/<int:count>")
def post_echo(count: int) -> Any:
    return {"count": count}, 201
