"""The faithful port's forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import PlainTextResponse

from contract_tests.live.probes.specimens.quirks.plain import shown
from fastapi_app.wire.forms import FormRoute
from fastapi_app.wire.query import Lenient

router = APIRouter(prefix="/forms", route_class=FormRoute)


@router.post("/fields")
def post_fields(
    name: Annotated[str, Form()],
    city: Annotated[str, Form()] = "nowhere",
    age: Annotated[int, Form(), Lenient(int)] = 0,
    tag: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
) -> PlainTextResponse:
    return PlainTextResponse(shown(name=name, city=city, age=age, tags=tag))


@router.post("/optional")
def post_optional(
    name: Annotated[str | None, Form()] = None,
    tag: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
) -> PlainTextResponse:
    return PlainTextResponse(shown(name=name, tags=tag))


@router.post("/file")
def post_file(file: UploadFile, note: Annotated[str, Form()] = "none") -> PlainTextResponse:
    content = file.file.read()
    values = shown(name=file.filename, type=file.content_type, size=len(content), head=content[:40], note=note)
    return PlainTextResponse(values)


@router.post("/files")
def post_files(file: Annotated[list[UploadFile], File()] = []) -> PlainTextResponse:  # noqa: B006  # FastAPI copies it
    return PlainTextResponse(shown(files=[(each.filename, each.file.read()[:40]) for each in file]))
