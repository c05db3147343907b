"""Register, show, change, delete and list users."""

from flask import Blueprint, Response

from flask_app.inputs import app, body, query, visit
from flask_app.outputs import json, nothing
from shared_core import logins, users
from shared_core.schemas import PageIn, UserChanges, UserCreated, UserIn, UserOut, UserPage

blueprint = Blueprint("users", __name__)


@blueprint.post("/user")
def create_user() -> Response:
    """Register a person; the email must be new, and the password is stored as an Argon2id hash."""
    user = body(UserIn)
    password_hash = app.passwords.hash(user.password)
    with app.database.begin() as db:
        id = users.create_user(db, name=user.name, email=user.email, password_hash=password_hash, now=app.clock())
    return json(UserCreated(message="User created successfully", id=id), 201, location=f"/user/{id}")


@blueprint.get("/user/<id:id>")
def get_user(id: int) -> Response:
    """Show a user: never the password, nor its hash."""
    with app.database.begin() as db:
        user = users.get_user(db, id)
    return json(UserOut.of(user))


@blueprint.patch("/user/<id:id>")
def update_user(id: int) -> Response:
    """Change one's own name, email or password; a new password signs out everywhere else."""
    login_id = visit.get_login_id()
    changes = body(UserChanges)
    password_hash, now = app.passwords.hash_given(changes.password), app.clock()
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=now)
        user = users.update_user(
            db, id, by=person, name=changes.name, email=changes.email, password_hash=password_hash, now=now
        )
    return json(UserOut.of(user))


@blueprint.delete("/user/<id:id>")
def delete_user(id: int) -> Response:
    """Delete one's own account, which signs out everywhere."""
    login_id = visit.get_login_id()
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        keys = users.delete_user(db, id, by=person)
    app.uploads.remove(*keys)
    visit.sign_out()
    return nothing()


@blueprint.get("/users")
def list_users() -> Response:
    """List users in the order of their ids, a page at a time: `next` is the following page's `after`."""
    page = query(PageIn)
    with app.database.begin() as db:
        found = users.list_users(db, limit=page.limit, after=page.after)
    return json(UserPage.of(found))
