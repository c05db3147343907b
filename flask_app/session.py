"""Sign in and out with a password, and keep small values in the session."""

from flask import Blueprint, Response

from flask_app.inputs import app, body, visit
from flask_app.outputs import json, nothing
from shared_core import logins
from shared_core.schemas import Credentials, KeptValue, UserItem

blueprint = Blueprint("session", __name__)


@blueprint.post("/session")
def create_session() -> Response:
    """Sign in with a password; an unknown email has the same answer, for the same work, as a wrong password."""
    credentials = body(Credentials)
    now, limit = app.clock(), app.settings.sign_in_limit
    with app.database.begin() as db:
        candidate = logins.begin_sign_in(db, email=credentials.email, now=now, limit=limit)
    verdict = app.passwords.verify(candidate.password_hash, credentials.password)
    login_id, lifetime = app.new_token(), app.settings.login_lifetime
    with app.database.begin_write() as db:
        user = logins.sign_in(db, candidate, verdict, id=login_id, now=now, lifetime=lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id)
    return json(UserItem.of(user))


@blueprint.get("/whoami")
def whoami() -> Response:
    """Show who is signed in."""
    login_id = visit.get_login_id()
    with app.database.begin() as db:
        user = logins.get_signed_in(db, login_id, now=app.clock())
    return json(UserItem.of(user))


@blueprint.delete("/session")
def delete_session() -> Response:
    """Sign out here, and forget what the session keeps."""
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()
    return nothing()


@blueprint.delete("/sessions")
def delete_sessions() -> Response:
    """Sign out everywhere."""
    login_id = visit.get_login_id()
    with app.database.begin_write() as db:
        user = logins.get_signed_in(db, login_id, now=app.clock())
        logins.revoke_logins(db, user.id, now=app.clock())
    visit.sign_out()
    return nothing()


@blueprint.get("/session/data/<key:key>")
def get_value(key: str) -> Response:
    """Show what the session keeps under a key."""
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    return json(KeptValue(value=visit.get_value(key)))


@blueprint.put("/session/data/<key:key>")
def put_value(key: str) -> Response:
    """Keep a small JSON value in the session; nobody needs to be signed in."""
    kept = body(KeptValue)
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.put_value(key, kept.value)
    return json(kept)


@blueprint.delete("/session/data/<key:key>")
def delete_value(key: str) -> Response:
    """Forget what the session keeps under a key."""
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.delete_value(key)
    return nothing()
