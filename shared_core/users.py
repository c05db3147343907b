"""The rules of users: who may register, and who is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared_core.errors import Conflict, NotFound
from shared_core.tables import users


@dataclass(frozen=True, slots=True)
class User:
    """A registered person. The password's hash stays in the database."""

    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Page:
    """Users in the order of their ids, and the last id of the page where more follow."""

    items: tuple[User, ...]
    next: int | None


_columns = (users.c.id, users.c.name, users.c.email)


def email_key(email: str) -> str:
    """What makes two emails the same: one mailbox registers once, however its letters are cased."""
    return email.casefold()


def create_user(db: sa.Connection, *, name: str, email: str, password_hash: str, now: datetime) -> int:
    """Register a user and give the new id. Raises Conflict where the email is taken.

    The database's constraint decides, so two requests that race cannot both win.
    """
    row = {
        "name": name,
        "email": email,
        "email_key": email_key(email),
        "password_hash": password_hash,
        "created_at": now,
    }
    try:
        return int(db.execute(sa.insert(users).values(row).returning(users.c.id)).scalar_one())
    except sa.exc.IntegrityError as error:
        raise Conflict("This email is already registered.") from error


def get_user(db: sa.Connection, user_id: int) -> User:
    """The user with this id. Raises NotFound."""
    row = db.execute(sa.select(*_columns).where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    return User(*row)


def list_users(db: sa.Connection, *, limit: int, after: int) -> Page:
    """At most `limit` users whose id is above `after`, by keyset: a page costs the same wherever it begins."""
    query = sa.select(*_columns).where(users.c.id > after).order_by(users.c.id).limit(limit + 1)
    rows = [User(*row) for row in db.execute(query)]
    return Page(items=tuple(rows[:limit]), next=rows[limit - 1].id if len(rows) > limit else None)
