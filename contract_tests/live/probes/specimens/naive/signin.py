"""Sign in with Microsoft, or whichever OpenID provider the settings name."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from contract_tests.live.probes.specimens.naive.inputs import App, SignedIn, Visitor
from contract_tests.live.probes.specimens.naive.models import Profile
from shared_core import logins, users

router = APIRouter()


@router.get("/signin")
def begin_signin(visit: Visitor, app: App, next: str = "/") -> RedirectResponse:
    return RedirectResponse(app.signin.begin(visit.session, now=app.clock(), next=next))


@router.get("/signin/callback")
def finish_signin(request: Request, visit: Visitor, app: App) -> RedirectResponse:
    answers = list(request.query_params.items())
    identity, next = app.signin.finish(visit.session, answers, now=app.clock())
    login_id, now = app.new_token(), app.clock()
    with app.database.begin_write() as db:
        user_id = users.user_of_identity(db, identity, now=now)
        logins.create_login(db, user_id, id=login_id, now=now, lifetime=app.settings.login_lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id, with_tokens=True)
    return RedirectResponse(next)


@router.get("/signin/profile", response_model=Profile)
def get_profile(login_id: SignedIn, visit: Visitor, app: App) -> Any:
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    return app.signin.profile(visit.session, now=app.clock())


@router.post("/signout")
def signout(visit: Visitor, app: App) -> RedirectResponse:
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()
    return RedirectResponse(app.signin.signed_out_url())
