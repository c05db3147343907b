"""Sign in with Microsoft, or whichever OpenID provider the settings name."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import Answers, App, Route, SignedIn, Start, Visitor
from fastapi_app.openapi import refusals
from fastapi_app.outputs import json, see_other
from shared_core import logins, users
from shared_core.schemas import ProfileOut

router = APIRouter(route_class=Route, tags=["signin"])


@router.get("/signin", status_code=303, response_class=Response, responses=refusals(422, 501))
def begin_signin(start: Start, visit: Visitor, app: App) -> Response:
    """Go to the provider to sign in; `next` is the local path to come back to."""
    return see_other(app.signin.begin(visit.session, now=app.clock(), next=start.next))


@router.get("/signin/callback", status_code=303, response_class=Response, responses=refusals(400, 409, 501))
def finish_signin(answers: Answers, visit: Visitor, app: App) -> Response:
    """Come back from the provider, signed in."""
    identity, next = app.signin.finish(visit.session, answers, now=app.clock())
    login_id, now = app.new_token(), app.clock()
    with app.database.begin_write() as db:
        user_id = users.user_of_identity(db, identity, now=now)
        logins.create_login(db, user_id, id=login_id, now=now, lifetime=app.settings.login_lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id, with_tokens=True)
    return see_other(next)


@router.get("/signin/profile", response_model=ProfileOut, responses=refusals(401, 501))
def get_profile(login_id: SignedIn, visit: Visitor, app: App) -> Response:
    """Show what the provider says of who is signed in, asked with the session's own token."""
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    return json(ProfileOut.of(app.signin.profile(visit.session, now=app.clock())))


@router.post("/signout", status_code=303, response_class=Response, responses=refusals(501))
def signout(visit: Visitor, app: App) -> Response:
    """Sign out here, and go to the provider to sign out there."""
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()
    return see_other(app.signin.signed_out_url())
