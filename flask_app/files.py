"""Upload, show, download and delete one's own files; export all users."""

from flask import Blueprint, Response

from flask_app.inputs import app, field, method, query, upload, visit
from flask_app.outputs import json, nothing, stream, whole_stream
from shared_core import exports, files, logins
from shared_core.http.conditional import Representation, select
from shared_core.http.disposition import attachment
from shared_core.schemas import FileOut, TagIn

blueprint = Blueprint("files", __name__)


@blueprint.post("/files")
def create_file() -> Response:
    """Upload a file, as the part `file` of a form; it is the uploader's alone."""
    login_id = visit.get_login_id()
    with upload() as uploaded:
        with app.database.begin_write() as db:
            person = logins.get_signed_in(db, login_id, now=app.clock())
            file = files.create_file(db, uploaded.received, user_id=person.id, now=app.clock())
        uploaded.keep()
    enriched = files.enrich_file(file, tag=files.UNIDENTIFIED, timestamp=app.clock())
    return json(FileOut.of(enriched), 201, location=f"/files/{file.id}")


@blueprint.get("/files/<id:id>")
def get_file(id: int) -> Response:
    """Show one's own file, with a tag and the time: the talk's `enrich_file`."""
    login_id = visit.get_login_id()
    asked = query(TagIn)
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    return json(FileOut.of(files.enrich_file(file, tag=asked.tag, timestamp=app.clock())))


@blueprint.get("/files/<id:id>/content")
def get_content(id: int) -> Response:
    """Download one's own file, whole or in part."""
    login_id = visit.get_login_id()
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    whole = Representation(etag=f'"{file.sha256}"', last_modified=file.created_at, size=file.size)
    selected = select(whole, method=method(), field=field)
    content = app.uploads.read(file.key, start=selected.start, stop=selected.stop)
    return stream(content, selected, media_type=file.media_type, disposition=attachment(file.name))


@blueprint.delete("/files/<id:id>")
def delete_file(id: int) -> Response:
    """Delete one's own file."""
    login_id = visit.get_login_id()
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.delete_file(db, id, user_id=person.id)
    app.uploads.remove(file.key)
    return nothing()


@blueprint.get("/users.csv")
def export_users() -> Response:
    """Give every user as CSV, a page at a time."""
    login_id = visit.get_login_id()
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    return whole_stream(exports.export_users(app.database), "text/csv; charset=utf-8", attachment("users.csv"))
