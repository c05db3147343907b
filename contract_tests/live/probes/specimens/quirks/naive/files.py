"""The naive port's files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

router = APIRouter(prefix="/files")


def public(request: Request) -> Path:
    folder: Path = request.app.state.folder / "public"
    return folder


def existing(path: Path) -> Path:
    if not path.is_file():
        raise HTTPException(404)
    return path


@router.get("/notes")
def get_notes(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt")


@router.post("/notes")
def post_notes(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt")


@router.get("/from/{name:path}")
def get_from(request: Request, name: str) -> FileResponse:
    return FileResponse(existing(public(request) / name))


@router.get("/save/{name:path}")
def get_to_save(request: Request, name: str) -> FileResponse:
    return FileResponse(existing(public(request) / name), filename=Path(name).name)


@router.get("/named")
def get_named(request: Request, name: str | None = None) -> FileResponse:
    return FileResponse(public(request) / "notes.txt", filename=name)


@router.get("/shown")
def get_shown(request: Request, name: str | None = None) -> FileResponse:
    return FileResponse(public(request) / "notes.txt", filename=name, content_disposition_type="inline")


@router.get("/typed")
def get_typed(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt", media_type="application/atom+xml")


@router.get("/tagged")
def get_tagged(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt", headers={"ETag": '"v1"'})


@router.get("/untagged")
def get_untagged(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt")


@router.get("/dated")
def get_dated(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt", headers={"Last-Modified": "Fri, 02 Jan 1970 00:00:00 GMT"})


@router.get("/unconditional")
def get_unconditional(request: Request) -> FileResponse:
    return FileResponse(public(request) / "notes.txt")


@router.get("/missing")
def get_missing(request: Request) -> FileResponse:
    return FileResponse(public(request) / "missing.txt")


@router.get("/folder")
def get_folder(request: Request) -> FileResponse:
    return FileResponse(public(request) / "inner")
