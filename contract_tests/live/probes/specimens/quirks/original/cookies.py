"""The original's cookies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from flask import Blueprint, Response, jsonify, request

from contract_tests.live.probes.specimens.quirks.plain import attributes

blueprint = Blueprint("cookies", __name__, url_prefix="/cookies")


def plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


@blueprint.get("/set")
def set_one() -> Response:
    response = plain("set")
    given = request.args
    response.set_cookie(
        given.get("key", "a"),
        given.get("value", ""),
        max_age=given.get("max_age", type=int),
        expires=given.get("expires", type=int),
        partitioned="partitioned" in given,
        **attributes(given),
    )
    return response


@blueprint.get("/delete")
def delete_one() -> Response:
    response = plain("deleted")
    given = request.args
    response.delete_cookie(
        given.get("key", "a"),
        **attributes(given),
    )
    return response


@blueprint.get("/moments")
def moments() -> Response:
    response = plain("moments")
    east = timezone(timedelta(hours=2))
    response.set_cookie("aware", "1", expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=east))
    response.set_cookie("naive", "1", expires=datetime(2030, 1, 2, 3, 4, 5))
    response.set_cookie("day", "1", expires=date(2030, 1, 2))
    response.set_cookie("text", "1", expires="Wed, 02 Jan 2030 03:04:05 GMT")
    response.set_cookie("seconds", "1", expires=0.5)
    response.set_cookie(
        "span", "1", max_age=timedelta(minutes=1, milliseconds=1), expires=datetime(2030, 1, 2, tzinfo=UTC)
    )
    response.set_cookie("no_path", "1", path=None)
    return response


@blueprint.get("/several")
def several() -> Response:
    response = plain("several")
    response.set_cookie("a", "1", httponly=True, samesite="Lax")
    response.set_cookie("b", "x y", path="/cookies")
    response.set_cookie("a", "2", secure=True)
    response.delete_cookie("c")
    return response


@blueprint.get("/large")
def large() -> Response:
    response = plain("large")
    response.set_cookie("a", "x" * 5000)
    return response


@blueprint.get("/read")
def read() -> Response:
    return jsonify(list(request.cookies.items(multi=True)))


@blueprint.get("/typed")
def typed() -> Response:
    return jsonify(a=request.cookies.get("a"), b=request.cookies.get("b", 7, type=int))


@blueprint.get("/named/<name>")
def named(name: str) -> Response:
    return jsonify([request.cookies.get(name), request.cookies.getlist(name)])


@blueprint.get("/unread")
def unread() -> Response:
    return plain("unread")
