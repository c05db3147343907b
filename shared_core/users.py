"""The rules of users: who may register, and who is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared_core.errors import Conflict, NotAllowed, NotFound, SignInFailed
from shared_core.signin import Identity
from shared_core.tables import files, identities, logins, users

TAKEN = "This email is already registered."


@dataclass(frozen=True, slots=True)
class User:
    """A registered person. The password's hash stays in the database."""

    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class SignedIn(User):
    """A user who is signed in, by this login."""

    login_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Users in the order of their ids, and the last id of the page where more follow."""

    items: tuple[User, ...]
    next: int | None


# Statements are built once: to build one costs more than to run it on SQLite.
_columns = (users.c.id, users.c.name, users.c.email)
_insert = sa.insert(users).returning(users.c.id)
_get = sa.select(*_columns).where(users.c.id == sa.bindparam("user_id"))
_list = sa.select(*_columns).where(users.c.id > sa.bindparam("after")).order_by(users.c.id).limit(sa.bindparam("most"))
_revoke_others = (
    sa.update(logins)
    .where(logins.c.user_id == sa.bindparam("of_user"), logins.c.id != sa.bindparam("by_login"))
    .where(logins.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now", type_=logins.c.revoked_at.type))
)
_keys = sa.select(files.c.key).where(files.c.user_id == sa.bindparam("user_id"))
_delete = sa.delete(users).where(users.c.id == sa.bindparam("user_id"))
_of_identity = sa.select(identities.c.user_id).where(
    identities.c.issuer == sa.bindparam("issuer"), identities.c.subject == sa.bindparam("subject")
)
_insert_identity = sa.insert(identities)


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
        return int(db.execute(_insert, row).scalar_one())
    except sa.exc.IntegrityError as error:
        raise Conflict(TAKEN) from error


def update_user(
    db: sa.Connection,
    user_id: int,
    *,
    by: SignedIn,
    name: str | None,
    email: str | None,
    password_hash: str | None,
    now: datetime,
) -> User:
    """Change what is given of a user, and give the user. Raises NotFound, NotAllowed for another's, or Conflict.

    A new password ends every login but the one it was set by: whoever knew the old one is out.
    """
    _own(db, user_id, by=by)
    given = {
        "name": name,
        "email": email,
        "email_key": None if email is None else email_key(email),
        "password_hash": password_hash,
    }
    changes = {column: value for column, value in given.items() if value is not None}
    try:
        if changes:
            db.execute(sa.update(users).where(users.c.id == user_id).values(changes))
    except sa.exc.IntegrityError as error:
        raise Conflict(TAKEN) from error
    if password_hash is not None:
        db.execute(_revoke_others, {"of_user": user_id, "by_login": by.login_id, "now": now})
    return get_user(db, user_id)


def delete_user(db: sa.Connection, user_id: int, *, by: SignedIn) -> tuple[str, ...]:
    """Delete a user, and with it every login and file. Raises NotFound, or NotAllowed for another's.

    Gives the keys of the files' content, which is the caller's to remove.
    """
    _own(db, user_id, by=by)
    keys = tuple(db.scalars(_keys, {"user_id": user_id}))
    db.execute(_delete, {"user_id": user_id})
    return keys


def user_of_identity(db: sa.Connection, identity: Identity, *, now: datetime) -> int:
    """The id of the user whom a sign-in provider calls so, registered at the first time.

    Raises SignInFailed for one without an email, and Conflict where it is registered already: an email that a provider
    tells proves no one (a tenant's administrator can write any), so nobody gets into an account by one.
    """
    this = (identities.c.issuer == identity.issuer) & (identities.c.subject == identity.subject)
    known = db.scalar(sa.select(identities.c.user_id).where(this))
    if known is not None:
        return int(known)
    if not identity.email:
        raise SignInFailed("The sign-in provider tells no email, and an account here needs one.")
    name = identity.name or identity.email
    user_id = create_user(db, name=name, email=identity.email, password_hash="", now=now)
    row = {"issuer": identity.issuer, "subject": identity.subject, "user_id": user_id}
    db.execute(_insert_identity, row)
    return user_id


def _own(db: sa.Connection, user_id: int, *, by: SignedIn) -> None:
    """Raises NotFound for a user who is not there, NotAllowed for one who is someone else."""
    if get_user(db, user_id).id != by.id:
        raise NotAllowed("This is someone else's account.")


def get_user(db: sa.Connection, user_id: int) -> User:
    """The user with this id. Raises NotFound."""
    row = db.execute(_get, {"user_id": user_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    return User(*row)


def list_users(db: sa.Connection, *, limit: int, after: int) -> Page:
    """At most `limit` users whose id is above `after`, by keyset: a page costs the same wherever it begins."""
    rows = [User(*row) for row in db.execute(_list, {"after": after, "most": limit + 1})]
    return Page(items=tuple(rows[:limit]), next=rows[limit - 1].id if len(rows) > limit else None)
