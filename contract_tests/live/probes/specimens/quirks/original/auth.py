"""The original's sign-in: one hook guards everything below /auth/ that is not open."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, request

from contract_tests.live.probes.specimens.quirks.credentials import CHALLENGES, OPEN, knows

blueprint = Blueprint("auth", __name__, url_prefix="/auth")
HERE = "/auth/"


def text(content: str, status: int = 200) -> Response:
    return Response(content, status, mimetype="text/plain")


@blueprint.before_app_request
def sign_in() -> Response | None:
    if not request.path.startswith(HERE) or request.path in OPEN:
        return None
    given = request.authorization
    if given is None or not knows(given.type, given.username, given.password, given.token):
        refused = text("sign in first", 401)
        refused.headers.extend(CHALLENGES)
        return refused
    if given.username == "eve":
        abort(403)
    return None


@blueprint.get("/open")
def get_open() -> Response:
    """What the field was read as."""
    given = request.authorization
    if given is None:
        return text("nobody")
    return text(json.dumps([given.type, given.token, dict(given.parameters)], sort_keys=True))


@blueprint.get("/who")
def get_who() -> Response:
    given = request.authorization
    return text("nobody" if given is None else str(given.username or given.token))


@blueprint.post("/notes")
def post_note() -> Response:
    return text(f"noted {len(request.get_json()['note'])}")


@blueprint.get("/numbers/<int:number>")
def get_number(number: int) -> Response:
    return text(str(number))


@blueprint.get("/later")
def get_later() -> Response:
    """A route that came after the others."""
    return text("private")
