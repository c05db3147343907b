"""The rules of signing in: who is, for how long, and how often one may try. The truth of it stands in the database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from shared_core.errors import NotSignedIn, TooMany
from shared_core.passwords import Verdict
from shared_core.settings import Limit
from shared_core.tables import logins, sign_in_attempts, users
from shared_core.users import SignedIn, User, email_key

WRONG = "The email or the password is wrong."
SIGN_IN = "Sign in first."
TOO_OFTEN = "Too many attempts to sign in; try again later."

# Each new row removes at most so many that have expired: tables stay small, and no sign-in pays for all of them.
EXPIRED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom a sign-in would be for; both are None where nobody has this email."""

    user_id: int | None
    password_hash: str | None
    attempt: str


def begin_sign_in(db: sa.Connection, *, email: str, now: datetime, limit: Limit) -> Candidate:
    """Count an attempt, and give whose password it must be. Raises TooMany for more than the limit allows.

    Counted before the password is verified: of attempts that race, none goes uncounted. An email that nobody has
    counts like any other.
    """
    key = hashlib.sha256(email_key(email).encode()).hexdigest()
    count, ends_at = _count_attempt(db, key, now=int(now.timestamp()), window=limit.seconds)
    if count > limit.most:
        raise TooMany(TOO_OFTEN, retry_after=max(1, ends_at - int(now.timestamp())))
    columns = (users.c.id, users.c.password_hash)
    row = db.execute(sa.select(*columns).where(users.c.email_key == email_key(email))).one_or_none()
    return Candidate(*row, attempt=key) if row else Candidate(None, None, attempt=key)


def sign_in(
    db: sa.Connection, candidate: Candidate, verdict: Verdict, *, id: str, now: datetime, lifetime: timedelta
) -> User:
    """Sign a candidate in whose password was right, under a new login's id. Raises NotSignedIn otherwise.

    The password may have changed while it was verified: then the old one counts no more.
    """
    this = (users.c.id == candidate.user_id) & (users.c.password_hash == candidate.password_hash)
    row = db.execute(sa.select(users.c.id, users.c.name, users.c.email).where(this)).one_or_none()
    if row is None or not verdict.matches:
        raise NotSignedIn(WRONG)
    user = User(*row)
    if verdict.rehash:
        db.execute(sa.update(users).where(users.c.id == user.id).values(password_hash=verdict.rehash))
    db.execute(sa.delete(sign_in_attempts).where(sign_in_attempts.c.key == candidate.attempt))
    create_login(db, user.id, id=id, now=now, lifetime=lifetime)
    return user


def create_login(db: sa.Connection, user_id: int, *, id: str, now: datetime, lifetime: timedelta) -> None:
    """Note that a user is signed in, under an id that nobody can guess."""
    _remove_expired(db, logins.c.id, logins.c.expires_at, now)
    row = {"id": id, "user_id": user_id, "created_at": now, "expires_at": now + lifetime}
    db.execute(sa.insert(logins).values(row))


def get_signed_in(db: sa.Connection, login_id: str, *, now: datetime) -> SignedIn:
    """Who is signed in under this id. Raises NotSignedIn where it has expired, was revoked, or never was."""
    alive = (logins.c.id == login_id) & logins.c.revoked_at.is_(None) & (logins.c.expires_at > now)
    query = sa.select(users.c.id, users.c.name, users.c.email).join_from(logins, users).where(alive)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotSignedIn(SIGN_IN)
    return SignedIn(*row, login_id=login_id)


def check_login(db: sa.Connection, login_id: str | None, *, now: datetime) -> None:
    """Raises NotSignedIn for a session whose login is over; one that nobody signed in has none, and passes.

    A slow request may have written such a session back after its end, with what its owner kept there.
    """
    if login_id is not None:
        get_signed_in(db, login_id, now=now)


def revoke_login(db: sa.Connection, login_id: str | None, *, now: datetime) -> None:
    """End a login, if there is one."""
    _revoke(db, logins.c.id == login_id, now)


def revoke_logins(db: sa.Connection, user_id: int, *, now: datetime) -> None:
    """End every login of a user."""
    _revoke(db, logins.c.user_id == user_id, now)


def _revoke(db: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> None:
    db.execute(sa.update(logins).where(which, logins.c.revoked_at.is_(None)).values(revoked_at=now))


def _count_attempt(db: sa.Connection, key: str, *, now: int, window: int) -> tuple[int, int]:
    """One more attempt under a key: how many there are in its window, and when that ends (seconds since 1970)."""
    _remove_expired(db, sign_in_attempts.c.key, sign_in_attempts.c.ends_at, now)
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[db.dialect.name](sign_in_attempts)
    kept, over = sign_in_attempts.c, sign_in_attempts.c.ends_at <= now
    upsert = (
        insert.values(key=key, count=1, ends_at=now + window)
        .on_conflict_do_update(
            index_elements=[kept.key],
            set_={
                "count": sa.case((over, 1), else_=kept.count + 1),
                "ends_at": sa.case((over, now + window), else_=kept.ends_at),
            },
        )
        .returning(kept.count, kept.ends_at)
    )
    count, ends_at = db.execute(upsert).one()
    return count, ends_at


def _remove_expired(db: sa.Connection, key: sa.Column[str], expires: sa.Column[Any], now: datetime | int) -> None:
    # Rows that another transaction holds are left to it: two that clean at once never wait for each other.
    some = sa.select(key).where(expires <= now).limit(EXPIRED_AT_ONCE).with_for_update(skip_locked=True)
    db.execute(sa.delete(key.table).where(key.in_(some)))
