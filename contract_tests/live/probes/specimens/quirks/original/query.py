"""The original's queries."""

from __future__ import annotations

from flask import Blueprint, Response, request

from contract_tests.live.probes.specimens.quirks.plain import hexadecimal, picky, shown

blueprint = Blueprint("query", __name__, url_prefix="/query")


@blueprint.get("/typed")
def get_typed() -> Response:
    values = shown(
        page=request.args.get("page", 1, type=int),
        ratio=request.args.get("ratio", 0.5, type=float),
        flag=request.args.get("flag", False, type=bool),
        color=request.args.get("color", 255, type=hexadecimal),
        unit=request.args.get("unit", None, type=picky),
        name=request.args.get("name"),
        sort=request.args.get("sort", "id"),
    )
    return Response(values, mimetype="text/plain")


@blueprint.get("/lists")
def get_lists() -> Response:
    values = shown(tags=request.args.getlist("tag"), numbers=request.args.getlist("n", type=int))
    return Response(values, mimetype="text/plain")


@blueprint.get("/required")
def get_required() -> Response:
    return Response(shown(key=request.args["key"]), mimetype="text/plain")


@blueprint.get("/all")
def get_all() -> Response:
    values = {key: request.args.getlist(key) for key in request.args}
    return Response(shown(count=len(values), values=values), mimetype="text/plain")
