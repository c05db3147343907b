"""The original's header fields."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request

blueprint = Blueprint("headers", __name__, url_prefix="/headers")


def plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


@blueprint.get("/give")
def give() -> Response:
    response = plain("given")
    response.headers[request.args.get("name", "X-A")] = request.args.get("value", "")
    return response


@blueprint.get("/add")
def add() -> Response:
    response = plain("added")
    for value in request.args.getlist("value"):
        response.headers.add("X-A", value)
    return response


@blueprint.get("/several")
def several() -> Response:
    response = plain("several")
    response.headers.add("X-A", "1")
    response.headers.add("Link", "</a>; rel=next")
    response.headers.add("X-A", "2, 3")
    response.headers.add("Link", "</b>; rel=prev")
    response.headers["X-B"] = "1"
    response.headers["X-B"] = "2"
    response.headers.setdefault("X-B", "3")
    response.headers["x-a-b"] = ""
    return response


@blueprint.get("/mapped")
def mapped() -> Response:
    return make_response("mapped", 201, {"X-A": ["1", "2"], "Content-Type": "text/plain; charset=utf-8"})


@blueprint.get("/hop")
def hop() -> Response:
    response = plain("hop")
    for name in ("Connection", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Server", "X-Kept"):
        response.headers[name] = "close"
    return response


@blueprint.get("/read/<name>")
def read(name: str) -> Response:
    return jsonify([request.headers.get(name), request.headers.getlist(name)])


@blueprint.get("/all")
def read_all() -> Response:
    return jsonify(sorted([name, value] for name, value in request.headers.items() if name.startswith("X")))


@blueprint.get("/typed")
def typed() -> Response:
    return jsonify(token=request.headers.get("X-Token"), count=request.headers.get("X-Count", 7, type=int))


@blueprint.post("/content")
def content() -> Response:
    return jsonify(type=request.headers.get("Content-Type"), length=request.headers.get("Content-Length"))
