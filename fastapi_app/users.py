"""Register, show, change, delete and list users."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import App, Id, NewUser, Page, Route, SignedIn, UserUpdate, Visitor
from fastapi_app.openapi import refusals
from fastapi_app.outputs import json, nothing
from shared_core import logins, users
from shared_core.schemas import UserCreated, UserOut, UserPage

router = APIRouter(route_class=Route, tags=["users"])


@router.post("/user", status_code=201, response_model=UserCreated, responses=refusals(400, 409, 422))
def create_user(user: NewUser, app: App) -> Response:
    """Register a person; the email must be new, and the password is stored as an Argon2id hash."""
    with app.database.begin() as db:
        id = users.create_user(db, name=user.name, email=user.email, password_hash=user.password_hash, now=app.clock())
    return json(UserCreated(message="User created successfully", id=id), 201, location=f"/user/{id}")


@router.get("/user/{id:id}", response_model=UserOut, responses=refusals(404))
def get_user(id: Id, app: App) -> Response:
    """Show a user: never the password, nor its hash."""
    with app.database.begin() as db:
        user = users.get_user(db, id)
    return json(UserOut.of(user))


@router.patch("/user/{id:id}", response_model=UserOut, responses=refusals(400, 401, 404, 409, 422))
def update_user(id: Id, login_id: SignedIn, changes: UserUpdate, app: App) -> Response:
    """Change one's own name, email or password; a new password signs out everywhere else."""
    password_hash, now = changes.password_hash, app.clock()
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=now)
        user = users.update_user(
            db, id, by=person, name=changes.name, email=changes.email, password_hash=password_hash, now=now
        )
    return json(UserOut.of(user))


@router.delete("/user/{id:id}", status_code=204, responses=refusals(401, 404))
def delete_user(id: Id, login_id: SignedIn, visit: Visitor, app: App) -> Response:
    """Delete one's own account, which signs out everywhere."""
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        keys = users.delete_user(db, id, by=person)
    app.uploads.remove(*keys)
    visit.sign_out()
    return nothing()


@router.get("/users", response_model=UserPage, responses=refusals(422))
def list_users(page: Page, app: App) -> Response:
    """List users in the order of their ids, a page at a time: `next` is the following page's `after`."""
    with app.database.begin() as db:
        found = users.list_users(db, limit=page.limit, after=page.after)
    return json(UserPage.of(found))
