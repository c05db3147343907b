"""The rules of files: whose they are, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from shared_core.errors import NotFound
from shared_core.tables import files
from shared_core.uploads import Received

UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was uploaded; `key` names its content in the upload folder."""

    id: int
    key: str
    name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EnrichedFile:
    """A file with a tag and a time stamp (ISO 8601, always with microseconds)."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    tag: str
    timestamp: str


_columns = (
    files.c.id, files.c.key, files.c.name, files.c.media_type, files.c.size, files.c.sha256, files.c.created_at,
)  # fmt: skip


_insert = sa.insert(files).returning(files.c.id)
_mine = sa.select(*_columns).where(files.c.id == sa.bindparam("file_id"), files.c.user_id == sa.bindparam("of_user"))
_delete = sa.delete(files).where(files.c.id == sa.bindparam("file_id"))


def create_file(db: sa.Connection, received: Received, *, user_id: int, now: datetime) -> File:
    """Note a file whose content has arrived, as this user's."""
    row = {**received._asdict(), "user_id": user_id, "created_at": now}
    id = int(db.execute(_insert, row).scalar_one())
    return File(id=id, **received._asdict(), created_at=now)


def get_file(db: sa.Connection, file_id: int, *, user_id: int) -> File:
    """A user's own file. Raises NotFound, for someone else's too: nobody learns what others have."""
    row = db.execute(_mine, {"file_id": file_id, "of_user": user_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such file.")
    # SQLite keeps no time zone; all times here are UTC.
    return File(*row[:-1], created_at=row.created_at.replace(tzinfo=UTC))


def delete_file(db: sa.Connection, file_id: int, *, user_id: int) -> File:
    """Delete a user's own file; its content is the caller's to remove. Raises NotFound."""
    file = get_file(db, file_id, user_id=user_id)
    db.execute(_delete, {"file_id": file.id})
    return file


def enrich_file(file: File, *, tag: str, timestamp: datetime) -> EnrichedFile:
    """A file with what is said of it now.

    The talk's `enrich_file` read the tag from the request of the moment and the time from the system's clock, deep in
    the call stack; here both arrive as arguments.
    """
    return EnrichedFile(
        id=file.id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        tag=tag,
        timestamp=timestamp.isoformat(timespec="microseconds"),
    )
