"""Register, show, change, delete and list users."""

from typing import Any

from fastapi import APIRouter, Response

from contract_tests.live.probes.specimens.naive.inputs import App, SignedIn, Visitor
from contract_tests.live.probes.specimens.naive.models import ChangedUser, NewUser, User
from shared_core import logins, users

router = APIRouter()


@router.post("/user", status_code=201)
def create_user(user: NewUser, response: Response, app: App) -> dict[str, Any]:
    password_hash = app.passwords.hash(user.password)
    with app.database.begin() as db:
        id = users.create_user(db, name=user.name, email=user.email, password_hash=password_hash, now=app.clock())
    response.headers["Location"] = f"/user/{id}"
    return {"message": "User created successfully", "id": id}


@router.get("/user/{id}", response_model=User)
def get_user(id: int, app: App) -> Any:
    with app.database.begin() as db:
        return users.get_user(db, id)


@router.patch("/user/{id}", response_model=User)
def update_user(id: int, login_id: SignedIn, changes: ChangedUser, app: App) -> Any:
    password_hash, now = app.passwords.hash_given(changes.password), app.clock()
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=now)
        return users.update_user(
            db, id, by=person, name=changes.name, email=changes.email, password_hash=password_hash, now=now
        )


@router.delete("/user/{id}", status_code=204)
def delete_user(id: int, login_id: SignedIn, visit: Visitor, app: App) -> None:
    with app.database.begin_write() as db:
        person = logins.get_signed_in(db, login_id, now=app.clock())
        keys = users.delete_user(db, id, by=person)
    app.uploads.remove(*keys)
    visit.sign_out()


@router.get("/users")
def list_users(app: App, limit: int = 20, after: int = 0) -> dict[str, Any]:
    with app.database.begin() as db:
        page = users.list_users(db, limit=limit, after=after)
    return {"items": page.items, "next": page.next}
