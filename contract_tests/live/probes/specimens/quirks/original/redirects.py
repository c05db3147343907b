"""The original's redirects, and the URLs that it builds."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as Redirect

blueprint = Blueprint("redirects", __name__, url_prefix="/redirects")


def plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


@blueprint.get("/here")
def here() -> Redirect:
    return redirect("/redirects/shown/x")


@blueprint.get("/code/<int:code>")
def with_code(code: int) -> Redirect:
    return redirect("/redirects/shown/x", code)


@blueprint.get("/to")
def to() -> Redirect:
    return redirect(request.args.get("url", ""))


@blueprint.post("/form")
def form() -> Redirect:
    return redirect(url_for("redirects.shown", name="x"), 303)


@blueprint.get("/shown/<name>")
def shown(name: str) -> Response:
    return plain(url_for("redirects.shown", name=name, q=request.args.getlist("q"), n=request.args.get("n")))


@blueprint.get("/built/<path:path>")
def built(path: str) -> Response:
    return plain(url_for("redirects.built", path=path, _anchor=request.args.get("anchor")))


@blueprint.get("/external/<name>")
def external(name: str) -> Response:
    return plain(url_for("redirects.external", name=name, _external=True))


@blueprint.get("/secure")
def secure() -> Redirect:
    return redirect(url_for("redirects.secure", _scheme="https", page=2))


@blueprint.get("/numbers/<int:id>/<float:x>/")
def numbers(id: int, x: float) -> Response:
    return plain(url_for("redirects.numbers", id=id + 1, x=x / 2, flag=True))


def install(app: Flask) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=0, x_prefix=1)  # type: ignore[method-assign]
