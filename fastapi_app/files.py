"""Upload, show, download and delete one's own files; export all users."""

from typing import Any

from fastapi import APIRouter, Response

from fastapi_app.inputs import App, Fields, Id, Method, Route, SignedIn, Tag, Upload
from fastapi_app.openapi import refusals
from fastapi_app.outputs import json, nothing, stream, whole_stream
from shared_core import exports, files, logins
from shared_core.http.conditional import Representation, select
from shared_core.http.disposition import attachment
from shared_core.schemas import FileOut

router = APIRouter(route_class=Route, tags=["files"])

# The body is read by a dependency, so FastAPI does not know of it.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                    "required": ["file"],
                }
            }
        },
    }
}
CONTENT: dict[str, Any] = {"content": {"*/*": {"schema": {"type": "string", "contentMediaType": "*/*"}}}}
CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}}


@router.post("/files", status_code=201, response_model=FileOut, responses=refusals(400, 401, 422), openapi_extra=FORM)
def create_file(login_id: SignedIn, uploaded: Upload, app: App) -> Response:
    """Upload a file, as the part `file` of a form; it is the uploader's alone."""
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.create_file(db, uploaded.received, user_id=person.id, now=app.clock())
    uploaded.keep()
    enriched = files.enrich_file(file, tag=files.UNIDENTIFIED, timestamp=app.clock())
    return json(FileOut.of(enriched), 201, location=f"/files/{file.id}")


@router.get("/files/{id:id}", response_model=FileOut, responses=refusals(401, 404, 422))
def get_file(id: Id, login_id: SignedIn, asked: Tag, app: App) -> Response:
    """Show one's own file, with a tag and the time: the talk's `enrich_file`."""
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    return json(FileOut.of(files.enrich_file(file, tag=asked.tag, timestamp=app.clock())))


@router.get(
    "/files/{id:id}/content",
    response_class=Response,
    responses={200: CONTENT, 206: CONTENT, 304: {"description": "Not Modified"}, **refusals(401, 404, 412, 416)},
)
def get_content(id: Id, login_id: SignedIn, method: Method, field: Fields, app: App) -> Response:
    """Download one's own file, whole or in part."""
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    whole = Representation(etag=f'"{file.sha256}"', last_modified=file.created_at, size=file.size)
    selected = select(whole, method=method, field=field)
    content = app.uploads.read(file.key, start=selected.start, stop=selected.stop)
    return stream(content, selected, media_type=file.media_type, disposition=attachment(file.name))


@router.delete("/files/{id:id}", status_code=204, responses=refusals(401, 404))
def delete_file(id: Id, login_id: SignedIn, app: App) -> Response:
    """Delete one's own file."""
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.delete_file(db, id, user_id=person.id)
    app.uploads.remove(file.key)
    return nothing()


@router.get("/users.csv", response_class=Response, responses={200: CSV, **refusals(401)})
def export_users(login_id: SignedIn, app: App) -> Response:
    """Give every user as CSV, a page at a time."""
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    return whole_stream(exports.export_users(app.database), "text/csv; charset=utf-8", attachment("users.csv"))
