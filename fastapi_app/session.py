"""Sign in and out with a password, and keep small values in the session."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import App, Attempt, Key, Route, SignedIn, Visitor
from fastapi_app.openapi import refusals
from fastapi_app.outputs import json, nothing
from shared_core import logins
from shared_core.schemas import KeptValue, UserItem

router = APIRouter(route_class=Route, tags=["session"])


@router.post("/session", response_model=UserItem, responses=refusals(400, 401, 422, 429))
def create_session(attempt: Attempt, visit: Visitor, app: App) -> Response:
    """Sign in with a password; an unknown email has the same answer, for the same work, as a wrong password."""
    login_id, now, lifetime = app.new_token(), attempt.now, app.settings.login_lifetime
    with app.database.begin_write() as db:
        user = logins.sign_in(db, attempt.candidate, attempt.verdict, id=login_id, now=now, lifetime=lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id)
    return json(UserItem.of(user))


@router.get("/whoami", response_model=UserItem, responses=refusals(401))
def whoami(login_id: SignedIn, app: App) -> Response:
    """Show who is signed in."""
    with app.database.begin() as db:
        user = logins.get_signed_in(db, login_id, now=app.clock())
    return json(UserItem.of(user))


@router.delete("/session", status_code=204)
def delete_session(visit: Visitor, app: App) -> Response:
    """Sign out here, and forget what the session keeps."""
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()
    return nothing()


@router.delete("/sessions", status_code=204, responses=refusals(401))
def delete_sessions(login_id: SignedIn, visit: Visitor, app: App) -> Response:
    """Sign out everywhere."""
    with app.database.begin_write() as db:
        user = logins.get_signed_in(db, login_id, now=app.clock())
        logins.revoke_logins(db, user.id, now=app.clock())
    visit.sign_out()
    return nothing()


@router.get("/session/data/{key:key}", response_model=KeptValue, responses=refusals(401, 404))
def get_value(key: Key, visit: Visitor, app: App) -> Response:
    """Show what the session keeps under a key."""
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    return json(KeptValue(value=visit.get_value(key)))


@router.put("/session/data/{key:key}", response_model=KeptValue, responses=refusals(400, 401, 404, 409, 422))
def put_value(key: Key, kept: KeptValue, visit: Visitor, app: App) -> Response:
    """Keep a small JSON value in the session; nobody needs to be signed in."""
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.put_value(key, kept.value)
    return json(kept)


@router.delete("/session/data/{key:key}", status_code=204, responses=refusals(401, 404))
def delete_value(key: Key, visit: Visitor, app: App) -> Response:
    """Forget what the session keeps under a key."""
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.delete_value(key)
    return nothing()
