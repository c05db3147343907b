"""Register, show and list users."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import App, Id, NewUser, Page, Route
from fastapi_app.openapi import refusals
from fastapi_app.outputs import json
from shared_core import users
from shared_core.schemas import UserCreated, UserOut, UserPage

router = APIRouter(route_class=Route, tags=["users"])


@router.post("/user", status_code=201, response_model=UserCreated, responses=refusals(400, 409, 422, 503))
def create_user(user: NewUser, app: App) -> Response:
    """Register a person; the email must be new, and the password is stored as an Argon2id hash."""
    with app.database.begin() as db:
        id = users.create_user(db, name=user.name, email=user.email, password_hash=user.password_hash, now=app.clock())
    return json(UserCreated(message="User created successfully", id=id), 201, location=f"/user/{id}")


@router.get("/user/{id:id}", response_model=UserOut, responses=refusals(404, 503))
def get_user(id: Id, app: App) -> Response:
    """Show a user: never the password, nor its hash."""
    with app.database.begin() as db:
        user = users.get_user(db, id)
    return json(UserOut.of(user))


@router.get("/users", response_model=UserPage, responses=refusals(422, 503))
def list_users(page: Page, app: App) -> Response:
    """List users in the order of their ids, a page at a time: `next` is the following page's `after`."""
    with app.database.begin() as db:
        found = users.list_users(db, limit=page.limit, after=page.after)
    return json(UserPage.of(found))
