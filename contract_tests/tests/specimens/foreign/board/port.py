"""The notice board on FastAPI, ported over a weekend by a student: the same templates, Starlette's sessions."""

import os
import secrets
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.sessions import SessionMiddleware

from .database import connect, hashed

HERE = Path(__file__).parent
FILES = HERE / "files"
PER_PAGE = 4

router = APIRouter()


class SignInFirst(Exception):
    pass


def flash(request, message, category="message"):
    request.session.setdefault("flashes", [])
    request.session["flashes"] = [*request.session["flashes"], [category, message]]


def flashed(request):
    return request.session.pop("flashes", [])


def user_of(request: Request):
    query = "SELECT * FROM users WHERE id = ?"
    return request.app.state.db.execute(query, (request.session.get("user_id"),)).fetchone()


def signed_in(request: Request):
    user = user_of(request)
    if user is None:
        raise SignInFirst
    return user


def check_csrf(request: Request, csrf_token: Annotated[str, Form()] = ""):
    if not csrf_token or csrf_token != request.session.get("csrf"):
        raise HTTPException(400)


def get_db(request: Request):
    return request.app.state.db


def get_notice(id: int, db: Annotated[object, Depends(get_db)]):
    query = "SELECT notices.*, users.name AS author FROM notices JOIN users ON users.id = user_id WHERE notices.id = ?"
    notice = db.execute(query, (id,)).fetchone()
    if notice is None:
        raise HTTPException(404)
    return notice


Db = Annotated[object, Depends(get_db)]
User = Annotated[object, Depends(signed_in)]
Notice = Annotated[object, Depends(get_notice)]


def own(notice, user):
    if notice["user_id"] != user["id"]:
        raise HTTPException(403)


def day(text):
    return f"{date.fromisoformat(text):%d %b %Y}"


def context(request):
    return {"user": user_of(request), "csrf": request.session.get("csrf")}


templates = Jinja2Templates(HERE / "port_templates", context_processors=[context])
templates.env.filters["day"] = day
templates.env.globals["flashed"] = flashed


def page_of(request, template, status_code=200, **values):
    return templates.TemplateResponse(request, template, values, status_code=status_code)


def see(request, name, **path):
    return RedirectResponse(request.url_for(name, **path), status_code=303)


@router.get("/")
def index(request: Request, db: Db, page: int = 1, q: str = ""):
    page = max(page, 1)
    rows = db.execute(
        "SELECT notices.*, users.name AS author FROM notices JOIN users ON users.id = user_id"
        " WHERE title LIKE ? ORDER BY posted DESC, notices.id DESC LIMIT ? OFFSET ?",
        (f"%{q}%", PER_PAGE + 1, (page - 1) * PER_PAGE),
    ).fetchall()
    return page_of(request, "index.html", notices=rows[:PER_PAGE], more=len(rows) > PER_PAGE, page=page, q=q)


@router.get("/notices/new")
def new(request: Request, user: User):
    return page_of(request, "form.html", heading="New notice", title="", body="")


@router.post("/notices/new", dependencies=[Depends(check_csrf)])
def create(request: Request, user: User, db: Db, title: Annotated[str, Form()], body: Annotated[str, Form()]):
    done = db.execute(
        "INSERT INTO notices (user_id, title, body, posted) VALUES (?, ?, ?, ?)",
        (user["id"], title, body, date.today().isoformat()),
    )
    db.commit()
    flash(request, "Your notice is up.", "success")
    return see(request, "show", id=done.lastrowid)


@router.get("/notices/{id}")
def show(request: Request, notice: Notice, db: Db):
    comments = db.execute(
        "SELECT comments.*, users.name AS author FROM comments JOIN users ON users.id = user_id"
        " WHERE notice_id = ? ORDER BY comments.id",
        (notice["id"],),
    ).fetchall()
    return page_of(request, "show.html", notice=notice, comments=comments)


@router.get("/notices/{id}/edit")
def edit(request: Request, user: User, notice: Notice):
    own(notice, user)
    return page_of(request, "form.html", heading="Edit notice", title=notice["title"], body=notice["body"])


@router.post("/notices/{id}/edit", dependencies=[Depends(check_csrf)])
def save(
    request: Request,
    user: User,
    notice: Notice,
    db: Db,
    title: Annotated[str, Form()],
    body: Annotated[str, Form()],
):
    own(notice, user)
    db.execute("UPDATE notices SET title = ?, body = ? WHERE id = ?", (title, body, notice["id"]))
    db.commit()
    flash(request, "Saved.", "success")
    return see(request, "show", id=notice["id"])


@router.post("/notices/{id}/delete", dependencies=[Depends(check_csrf)])
def delete(request: Request, user: User, notice: Notice, db: Db):
    db.execute("DELETE FROM notices WHERE id = ?", (notice["id"],))
    db.execute("DELETE FROM comments WHERE notice_id = ?", (notice["id"],))
    db.commit()
    flash(request, "The notice is gone.")
    return see(request, "index")


@router.post("/notices/{id}/comments")
def comment(request: Request, user: User, notice: Notice, db: Db, text: Annotated[str, Form()]):
    db.execute("INSERT INTO comments (notice_id, user_id, text) VALUES (?, ?, ?)", (notice["id"], user["id"], text))
    db.commit()
    return see(request, "show", id=notice["id"])


@router.get("/login")
def login(request: Request):
    return page_of(request, "login.html", username="")


@router.post("/login")
def sign_in(
    request: Request,
    db: Db,
    username: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next: str = "",
):
    user = db.execute("SELECT * FROM users WHERE name = ?", (username.lower(),)).fetchone()
    if user is None or user["password"] != hashed(password):
        flash(request, "Wrong name or password.", "error")
        return page_of(request, "login.html", username=username)
    request.session.clear()
    request.session.update(user_id=user["id"], csrf=secrets.token_urlsafe(24))
    flash(request, f"Hello {user['name']}!", "success")
    return RedirectResponse(next or request.url_for("index"), status_code=303)


@router.post("/logout", dependencies=[Depends(check_csrf)])
def logout(request: Request):
    request.session.clear()
    return see(request, "index")


@router.get("/files/{name}")
def download(name: str):
    if name not in {path.name for path in FILES.iterdir()}:
        raise HTTPException(404)
    return FileResponse(FILES / name, filename=name)


def error_page(request, error):
    name = HTTPStatus(error.status_code).phrase
    response = page_of(request, "error.html", error.status_code, code=error.status_code, name=name)
    response.headers.update(error.headers or {})
    return response


def to_login(request, error):
    flash(request, "Please sign in first.", "error")
    login = request.url_for("login").include_query_params(next=request.url.path)
    return RedirectResponse(login, status_code=303)


def create_app(database=None):
    """The board with its first notices; `database` is a file for its tables, in memory without one."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.db = connect(database or os.environ.get("PORT_DATABASE_PATH"))
    app.add_middleware(SessionMiddleware, secret_key="the-board-is-in-the-hall")
    app.add_exception_handler(StarletteHTTPException, error_page)
    app.add_exception_handler(SignInFirst, to_login)
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app
