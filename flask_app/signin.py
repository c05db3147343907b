"""Sign in with Microsoft, or whichever OpenID provider the settings name."""

from flask import Blueprint, Response

from flask_app.inputs import answers, app, query, visit
from flask_app.outputs import json, see_other
from shared_core import logins, users
from shared_core.schemas import ProfileOut, SignInStart

blueprint = Blueprint("signin", __name__)


@blueprint.get("/signin")
def begin_signin() -> Response:
    """Go to the provider to sign in; `next` is the local path to come back to."""
    start = query(SignInStart)
    return see_other(app.signin.begin(visit.session, now=app.clock(), next=start.next))


@blueprint.get("/signin/callback")
def finish_signin() -> Response:
    """Come back from the provider, signed in."""
    identity, next = app.signin.finish(visit.session, answers(), now=app.clock())
    login_id, now = app.new_token(), app.clock()
    with app.database.begin_write() as db:
        user_id = users.user_of_identity(db, identity, now=now)
        logins.create_login(db, user_id, id=login_id, now=now, lifetime=app.settings.login_lifetime)
        logins.revoke_login(db, visit.login_id, now=now)
    visit.sign_in(login_id, with_tokens=True)
    return see_other(next)


@blueprint.get("/signin/profile")
def get_profile() -> Response:
    """Show what the provider says of who is signed in, asked with the session's own token."""
    login_id = visit.get_login_id()
    with app.database.begin() as db:
        logins.get_signed_in(db, login_id, now=app.clock())
    return json(ProfileOut.of(app.signin.profile(visit.session, now=app.clock())))


@blueprint.post("/signout")
def signout() -> Response:
    """Sign out here, and go to the provider to sign out there."""
    with app.database.begin() as db:
        logins.revoke_login(db, visit.login_id, now=app.clock())
    visit.sign_out()
    return see_other(app.signin.signed_out_url())
