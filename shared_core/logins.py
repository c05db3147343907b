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

# Statements are built once: to build one costs more than to run it on SQLite.
_now = sa.bindparam("now", type_=logins.c.expires_at.type)
_candidate = sa.select(users.c.id, users.c.password_hash).where(users.c.email_key == sa.bindparam("email"))
_verified = sa.select(users.c.id, users.c.name, users.c.email).where(
    users.c.id == sa.bindparam("user_id"), users.c.password_hash == sa.bindparam("verified")
)
_rehash = sa.update(users).where(users.c.id == sa.bindparam("user_id")).values(password_hash=sa.bindparam("rehash"))
_forget_attempts = sa.delete(sign_in_attempts).where(sign_in_attempts.c.key == sa.bindparam("attempt"))
_insert = sa.insert(logins)
_signed_in = (
    sa.select(users.c.id, users.c.name, users.c.email)
    .join_from(logins, users)
    .where(logins.c.id == sa.bindparam("login"), logins.c.revoked_at.is_(None), logins.c.expires_at > _now)
)
_revoke = sa.update(logins).where(logins.c.revoked_at.is_(None)).values(revoked_at=_now)
_revoke_one = _revoke.where(logins.c.id == sa.bindparam("login"))
_revoke_all = _revoke.where(logins.c.user_id == sa.bindparam("of_user"))

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
    row = db.execute(_candidate, {"email": email_key(email)}).one_or_none()
    return Candidate(*row, attempt=key) if row else Candidate(None, None, attempt=key)


def sign_in(
    db: sa.Connection, candidate: Candidate, verdict: Verdict, *, id: str, now: datetime, lifetime: timedelta
) -> User:
    """Sign a candidate in whose password was right, under a new login's id. Raises NotSignedIn otherwise.

    The password may have changed while it was verified: then the old one counts no more.
    """
    this = {"user_id": candidate.user_id, "verified": candidate.password_hash}
    row = db.execute(_verified, this).one_or_none()
    if row is None or not verdict.matches:
        raise NotSignedIn(WRONG)
    user = User(*row)
    if verdict.rehash:
        db.execute(_rehash, {"user_id": user.id, "rehash": verdict.rehash})
    db.execute(_forget_attempts, {"attempt": candidate.attempt})
    create_login(db, user.id, id=id, now=now, lifetime=lifetime)
    return user


def create_login(db: sa.Connection, user_id: int, *, id: str, now: datetime, lifetime: timedelta) -> None:
    """Note that a user is signed in, under an id that nobody can guess."""
    db.execute(_remove_logins, {"now": now, "at_once": EXPIRED_AT_ONCE})
    row = {"id": id, "user_id": user_id, "created_at": now, "expires_at": now + lifetime}
    db.execute(_insert, row)


def get_signed_in(db: sa.Connection, login_id: str, *, now: datetime) -> SignedIn:
    """Who is signed in under this id. Raises NotSignedIn where it has expired, was revoked, or never was."""
    row = db.execute(_signed_in, {"login": login_id, "now": now}).one_or_none()
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
    if login_id is not None:
        db.execute(_revoke_one, {"login": login_id, "now": now})


def revoke_logins(db: sa.Connection, user_id: int, *, now: datetime) -> None:
    """End every login of a user."""
    db.execute(_revoke_all, {"of_user": user_id, "now": now})


def _count_attempt(db: sa.Connection, key: str, *, now: int, window: int) -> tuple[int, int]:
    """One more attempt under a key: how many there are in its window, and when that ends (seconds since 1970)."""
    db.execute(_remove_attempts, {"now": now, "at_once": EXPIRED_AT_ONCE})
    counted = {"key": key, "count": 1, "ends_at": now + window, "now": now}
    count, ends_at = db.execute(_count[db.dialect.name], counted).one()
    return count, ends_at


def _counting(insert: Any) -> Any:
    """The statement that adds an attempt's row, or counts in the one that is there and begins anew where it is over."""
    kept, given = sign_in_attempts.c, insert.excluded
    over = kept.ends_at <= sa.bindparam("now", type_=kept.ends_at.type)
    return insert.on_conflict_do_update(
        index_elements=[kept.key],
        set_={
            "count": sa.case((over, 1), else_=kept.count + 1),
            "ends_at": sa.case((over, given.ends_at), else_=kept.ends_at),
        },
    ).returning(kept.count, kept.ends_at)


_count = {
    "sqlite": _counting(sqlite.insert(sign_in_attempts)),
    "postgresql": _counting(postgresql.insert(sign_in_attempts)),
}


def _removing(key: sa.Column[str], expires: sa.Column[Any]) -> sa.Delete:
    """The statement that removes at most `at_once` of what has expired by `now`."""
    # Rows that another transaction holds are left to it: two that clean at once never wait for each other.
    over = expires <= sa.bindparam("now", type_=expires.type)
    return sa.delete(key.table).where(
        key.in_(sa.select(key).where(over).limit(sa.bindparam("at_once")).with_for_update(skip_locked=True))
    )


_remove_logins = _removing(logins.c.id, logins.c.expires_at)
_remove_attempts = _removing(sign_in_attempts.c.key, sign_in_attempts.c.ends_at)
