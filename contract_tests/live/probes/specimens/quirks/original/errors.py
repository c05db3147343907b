"""The original's errors."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests, Unauthorized

from contract_tests.live.probes.specimens.quirks.troubles import TROUBLES, Broken, Deeper, Trouble

blueprint = Blueprint("errors", __name__, url_prefix="/errors")
HERE = "/errors/"


def text(content: str, status: int) -> Response:
    return Response(content, status, mimetype="text/plain")


@blueprint.app_errorhandler(Trouble)
def on_trouble(_: Trouble) -> Response:
    return text("trouble", 400)


@blueprint.app_errorhandler(Deeper)
def on_deeper(_: Deeper) -> Response:
    return text("deeper", 409)


@blueprint.app_errorhandler(Broken)
def on_broken(_: Broken) -> Response:
    raise RuntimeError("the handler fails")


@blueprint.app_errorhandler(418)
def on_teapot(error: HTTPException) -> Response:
    return text(f"teapot: {error.description}", 418)


@blueprint.after_app_request
def after_first(response: Response) -> Response:
    if request.path.startswith(HERE):
        response.headers.add("X-After", "first")
        response.headers["X-Last"] = "first"
        if request.path.endswith("/replaced"):
            response.set_data(b"replaced")
    return response


@blueprint.after_app_request
def after_second(response: Response) -> Response:
    if request.path.startswith(HERE):
        response.headers.add("X-After", "second")
        response.headers["X-Last"] = "second"
        if request.path.endswith("/hook-fails"):
            raise RuntimeError("the hook fails")
        if request.path.endswith("/hook-aborts"):
            abort(403)
        if request.path.endswith("/hook-changes-status"):
            response.status_code = 203
    return response


@blueprint.get("/fine")
@blueprint.get("/hook-fails")
@blueprint.get("/hook-aborts")
@blueprint.get("/hook-changes-status")
def get_fine() -> Response:
    return text("fine", 200)


@blueprint.get("/replaced")
def get_replaced() -> Response:
    return text("a longer text", 200)


@blueprint.get("/streamed/replaced")
def get_streamed_replaced() -> Response:
    return Response(iter([b"a", b"stream"]), mimetype="text/plain")


@blueprint.get("/fail")
def get_failing() -> Response:
    raise RuntimeError("the view fails")


@blueprint.get("/stream-fails")
def get_stream_failing() -> Response:
    return Response((1 // 0 for _ in "a"), mimetype="text/plain")  # type: ignore[arg-type]


@blueprint.get("/abort/<int:code>")
def get_aborted(code: int) -> Response:
    abort(code)


@blueprint.get("/described/<int:code>")
def get_described(code: int) -> Response:
    abort(code, description=request.args.get("text", ""))


@blueprint.get("/responded")
def get_responded() -> Response:
    abort(Response("as it is", 418, {"X-Own": "yes"}, mimetype="text/plain"))


@blueprint.get("/trouble/<kind>")
def get_trouble(kind: str) -> Response:
    raise TROUBLES.get(kind, KeyError)(kind)


@blueprint.get("/later/<int:code>")
def get_later(code: int) -> Response:
    raise {429: TooManyRequests, 503: ServiceUnavailable}[code](retry_after=30)


@blueprint.get("/who")
def get_who() -> Response:
    raise Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "quirks"}))


@blueprint.get("/wanted")
def get_wanted() -> Response:
    return text(request.args["wanted"], 200)


@blueprint.post("/only-post")
def post_only() -> Response:
    return text("posted", 200)
