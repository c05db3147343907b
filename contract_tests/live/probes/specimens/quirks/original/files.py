"""The original's files."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, request, send_file, send_from_directory

blueprint = Blueprint("files", __name__, url_prefix="/files")


def public() -> Path:
    folder: Path = current_app.config["FOLDER"] / "public"
    return folder


@blueprint.get("/notes")
def get_notes() -> Response:
    return send_file(public() / "notes.txt")


@blueprint.post("/notes")
def post_notes() -> Response:
    return send_file(public() / "notes.txt")


@blueprint.get("/from/<path:name>")
def get_from(name: str) -> Response:
    return send_from_directory(public(), name)


@blueprint.get("/save/<path:name>")
def get_to_save(name: str) -> Response:
    return send_from_directory(public(), name, as_attachment=True)


@blueprint.get("/named")
def get_named() -> Response:
    return send_file(public() / "notes.txt", download_name=request.args.get("name"), as_attachment=True)


@blueprint.get("/shown")
def get_shown() -> Response:
    return send_file(public() / "notes.txt", download_name=request.args.get("name"))


@blueprint.get("/typed")
def get_typed() -> Response:
    return send_file(public() / "notes.txt", mimetype="application/atom+xml")


@blueprint.get("/tagged")
def get_tagged() -> Response:
    return send_file(public() / "notes.txt", etag="v1")


@blueprint.get("/untagged")
def get_untagged() -> Response:
    return send_file(public() / "notes.txt", etag=False)


@blueprint.get("/dated")
def get_dated() -> Response:
    return send_file(public() / "notes.txt", last_modified=86400, etag=False)


@blueprint.get("/unconditional")
def get_unconditional() -> Response:
    return send_file(public() / "notes.txt", conditional=False)


@blueprint.get("/missing")
def get_missing() -> Response:
    return send_file(public() / "missing.txt")


@blueprint.get("/folder")
def get_folder() -> Response:
    return send_file(public() / "inner")
