"""The original's forms."""

from __future__ import annotations

from flask import Blueprint, Response, request

from contract_tests.live.probes.specimens.quirks.plain import shown

blueprint = Blueprint("forms", __name__, url_prefix="/forms")


@blueprint.post("/fields")
def post_fields() -> Response:
    values = shown(
        name=request.form["name"],
        city=request.form.get("city", "nowhere"),
        age=request.form.get("age", 0, type=int),
        tags=request.form.getlist("tag"),
    )
    return Response(values, mimetype="text/plain")


@blueprint.post("/optional")
def post_optional() -> Response:
    values = shown(name=request.form.get("name"), tags=request.form.getlist("tag"))
    return Response(values, mimetype="text/plain")


@blueprint.post("/file")
def post_file() -> Response:
    file, note = request.files["file"], request.form.get("note", "none")
    content = file.read()
    values = shown(name=file.filename, type=file.content_type, size=len(content), head=content[:40], note=note)
    return Response(values, mimetype="text/plain")


@blueprint.post("/files")
def post_files() -> Response:
    files = [(file.filename, file.read()[:40]) for file in request.files.getlist("file")]
    return Response(shown(files=files), mimetype="text/plain")
