"""Upload, show, download and delete one's own files; export all users."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from contract_tests.live.probes.specimens.naive.inputs import App, SignedIn
from contract_tests.live.probes.specimens.naive.models import FileInfo
from shared_core import exports, files, logins

router = APIRouter()


async def read_body(request: Request) -> bytes:
    # UploadFile needs python-multipart, whose module `multipart` would hide the core's parser of that name.
    return await request.body()


@router.post("/files", status_code=201, response_model=FileInfo)
def create_file(
    login_id: SignedIn, body: Annotated[bytes, Depends(read_body)], request: Request, response: Response, app: App
) -> Any:
    with app.uploads.receive(request.headers.get("Content-Type", "")) as upload:
        upload.write(body)
        upload.finish()
        with app.database.begin_write() as db:
            person = logins.get_signed_in(db, login_id, now=app.clock())
            file = files.create_file(db, upload.received, user_id=person.id, now=app.clock())
        upload.keep()
    response.headers["Location"] = f"/files/{file.id}"
    return files.enrich_file(file, tag=files.UNIDENTIFIED, timestamp=app.clock())


@router.get("/files/{id}", response_model=FileInfo)
def get_file(id: int, login_id: SignedIn, app: App, tag: str = files.UNIDENTIFIED) -> Any:
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    return files.enrich_file(file, tag=tag, timestamp=app.clock())


@router.get("/files/{id}/content")
def get_content(id: int, login_id: SignedIn, app: App) -> FileResponse:
    with app.database.begin() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.get_file(db, id, user_id=person.id)
    return FileResponse(app.uploads.folder / file.key, media_type=file.media_type, filename=file.name)


@router.delete("/files/{id}", status_code=204)
def delete_file(id: int, login_id: SignedIn, app: App) -> None:
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        file = files.delete_file(db, id, user_id=person.id)
    app.uploads.remove(file.key)


@router.get("/users.csv")
def export_users(login_id: SignedIn, app: App) -> StreamingResponse:
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    headers = {"Content-Disposition": "attachment; filename=users.csv"}
    return StreamingResponse(exports.export_users(app.database), media_type="text/csv", headers=headers)
