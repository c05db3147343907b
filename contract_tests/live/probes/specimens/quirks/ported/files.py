"""The faithful port's files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response

from fastapi_app.wire.convertors import register
from fastapi_app.wire.files import send_file, send_from_directory

register()
router = APIRouter(prefix="/files", default_response_class=Response)


def public(request: Request) -> Path:
    folder: Path = request.app.state.folder / "public"
    return folder


@router.get("/notes")
def get_notes(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt")


@router.post("/notes")
def post_notes(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt")


@router.get("/from/{name:flask_path}")
def get_from(request: Request, name: str) -> Response:
    return send_from_directory(request, public(request), name)


@router.get("/save/{name:flask_path}")
def get_to_save(request: Request, name: str) -> Response:
    return send_from_directory(request, public(request), name, as_attachment=True)


@router.get("/named")
def get_named(request: Request, name: str | None = None) -> Response:
    return send_file(request, public(request) / "notes.txt", download_name=name, as_attachment=True)


@router.get("/shown")
def get_shown(request: Request, name: str | None = None) -> Response:
    return send_file(request, public(request) / "notes.txt", download_name=name)


@router.get("/typed")
def get_typed(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt", mimetype="application/atom+xml")


@router.get("/tagged")
def get_tagged(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt", etag="v1")


@router.get("/untagged")
def get_untagged(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt", etag=False)


@router.get("/dated")
def get_dated(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt", last_modified=86400, etag=False)


@router.get("/unconditional")
def get_unconditional(request: Request) -> Response:
    return send_file(request, public(request) / "notes.txt", conditional=False)


@router.get("/missing")
def get_missing(request: Request) -> Response:
    return send_file(request, public(request) / "missing.txt")


@router.get("/folder")
def get_folder(request: Request) -> Response:
    return send_file(request, public(request) / "inner")
