"""The original's JSON."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, request

from contract_tests.live.probes.specimens.quirks.plain import shown
from contract_tests.live.probes.specimens.quirks.values import VALUES

blueprint = Blueprint("json", __name__, url_prefix="/json")


@blueprint.post("/any")
def post_any() -> Response:
    return Response(shown(value=request.get_json()), mimetype="text/plain")


@blueprint.post("/people")
def post_people() -> Response:
    body = request.get_json()
    if not isinstance(body, dict):
        abort(422)
    return Response(shown(name=body.get("name"), known=sorted(body)), mimetype="text/plain")


@blueprint.post("/silent")
def post_silent() -> Response:
    return Response(shown(value=request.get_json(silent=True)), mimetype="text/plain")


@blueprint.post("/forced")
def post_forced() -> Response:
    return Response(shown(value=request.get_json(force=True)), mimetype="text/plain")


@blueprint.get("/values/<name>")
def get_value(name: str) -> Response:
    return jsonify(VALUES[name]())
