"""Register, show and list users."""

from flask import Blueprint, Response

from flask_app.inputs import app, body, query
from flask_app.outputs import json
from shared_core import users
from shared_core.schemas import PageIn, UserCreated, UserIn, UserOut, UserPage

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


@blueprint.get("/users")
def list_users() -> Response:
    """List users in the order of their ids, a page at a time: `next` is the following page's `after`."""
    page = query(PageIn)
    with app.database.begin() as db:
        found = users.list_users(db, limit=page.limit, after=page.after)
    return json(UserPage.of(found))
