"""The original's streams."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from contract_tests.live.probes.specimens.quirks.streamed import CREATED, STREAMED, Streamed

blueprint = Blueprint("streams", __name__, url_prefix="/streams")


def sending(it: Streamed) -> Callable[[], Response]:
    def send() -> Response:
        return Response(it.content(), it.status, it.headers, it.type)

    return send


for name, streamed in STREAMED.items():
    blueprint.get(f"/{name}", endpoint=name)(sending(streamed))
blueprint.post("/created", endpoint="created")(sending(CREATED))
