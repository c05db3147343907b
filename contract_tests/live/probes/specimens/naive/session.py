"""Sign in and out with a password, and keep small values in the session."""

from typing import Any

from fastapi import APIRouter

from contract_tests.live.probes.specimens.naive.inputs import App, SignedIn, Visitor
from contract_tests.live.probes.specimens.naive.models import Credentials, Kept, UserWithId
from shared_core import logins

router = APIRouter()


@router.post("/session", response_model=UserWithId)
def create_session(credentials: Credentials, visit: Visitor, app: App) -> Any:
    now, login_id, lifetime = app.clock(), app.new_token(), app.settings.login_lifetime
    with app.database.begin() as db:
        candidate = logins.begin_sign_in(db, email=credentials.email, now=now, limit=app.settings.sign_in_limit)
    verdict = app.passwords.verify(candidate.password_hash, credentials.password)
    with app.database.begin_write() as db:
        user = logins.sign_in(db, candidate, verdict, id=login_id, now=now, lifetime=lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id)
    return user


@router.get("/whoami", response_model=UserWithId)
def whoami(login_id: SignedIn, app: App) -> Any:
    with app.database.begin() as db:
        return logins.get_signed_in(db, login_id, now=app.clock())


@router.delete("/session", status_code=204)
def delete_session(visit: Visitor, app: App) -> None:
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()


@router.delete("/sessions", status_code=204)
def delete_sessions(login_id: SignedIn, visit: Visitor, app: App) -> None:
    with app.database.begin_write() as db:
        user = logins.get_signed_in(db, login_id, now=app.clock())
        logins.revoke_logins(db, user.id, now=app.clock())
    visit.sign_out()


@router.get("/session/data/{key}")
def get_value(key: str, visit: Visitor, app: App) -> dict[str, Any]:
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    return {"value": visit.get_value(key)}


@router.put("/session/data/{key}")
def put_value(key: str, kept: Kept, visit: Visitor, app: App) -> dict[str, Any]:
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.put_value(key, kept.value)
    return {"value": kept.value}


@router.delete("/session/data/{key}", status_code=204)
def delete_value(key: str, visit: Visitor, app: App) -> None:
    with app.database.begin() as db:
        logins.check_login(db, visit.login_id, now=app.clock())
    visit.delete_value(key)
