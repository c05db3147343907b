"""Server-rendered pages: forms with a CSRF token, a signed cookie, flash and redirects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Flask, abort, flash, get_flashed_messages, redirect, request, session
from jinja2 import Environment
from markupsafe import escape

from contract_tests.tests.specimens.explored import FAULTS
from contract_tests.tests.specimens.worlds import made_anew, world_of

# Compiled once: the apps are made anew for each case.
_PAGE = Environment(autoescape=True).from_string("""<!doctype html><title>Guestbook</title>
{% for message in get_flashed_messages() %}<p class="flash">{{ message }}</p>{% endfor %}
{% if user %}<p>Hello {{ user }}</p><a href="/logout">out</a> <a href="/entries/new">write</a>
{% else %}<a href="/register">join</a> <a href="/login">in</a>{% endif %}
{{ body | safe }}""")
_FORM = (
    """<form method="post"><input type="hidden" name="csrf_token" value="{token}">{inputs}<button>ok</button></form>"""
)


@dataclass
class World:
    """Who has registered, with which password, and who wrote what."""

    users: dict[str, str] = field(default_factory=dict)
    entries: list[tuple[str, str]] = field(default_factory=list)


def create_original() -> Flask:
    return made_anew(_guestbook(frozenset()), World())


def create_port() -> Flask:
    return made_anew(_guestbook(frozenset(FAULTS)), World())


def _world() -> World:
    return world_of(World)


@cache
def _guestbook(faults: frozenset[str]) -> Flask:
    app = Flask("guestbook")
    app.secret_key = "not a secret"

    def page(body: str) -> str:
        return _PAGE.render(body=body, user=session.get("user"), get_flashed_messages=get_flashed_messages)

    def form(*inputs: str) -> str:
        session.setdefault("csrf", hashlib.sha256(b"guestbook").hexdigest())
        fields = "".join(f'<input name="{name}"{" type=password" * (name == "password")}>' for name in inputs)
        return page(_FORM.format(token=session["csrf"], inputs=fields))

    def checked() -> None:
        if request.form.get("csrf_token") != session.get("csrf", "none") and "no csrf" not in faults:
            abort(403)

    @app.get("/")
    def home() -> Any:
        listed = "".join(f'<li><a href="/entries/{at}">{by}</a></li>' for at, (by, _) in enumerate(_world().entries))
        return page(f"<ul>{listed}</ul>")

    @app.route("/register", methods=["GET", "POST"])
    def register() -> Any:
        if request.method == "GET":
            return form("username", "password")
        checked()
        name = request.form.get("username", "").strip()
        if not name or not request.form.get("password"):
            flash("Both are needed.")
            return redirect("/register")
        _world().users[name] = request.form["password"]
        flash("Welcome" if "flash" in faults else "Welcome!")
        return redirect("/login")

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        if request.method == "GET":
            return form("username", "password")
        checked()
        if _world().users.get(request.form.get("username", "")) != request.form.get("password"):
            flash("Wrong.")
            return redirect("/login")
        session["user"] = request.form["username"]
        return redirect("/entries" if "redirect" in faults else "/")

    @app.get("/logout")
    def logout() -> Any:
        session.pop("user", None)
        return redirect("/")

    @app.route("/entries/new", methods=["GET", "POST"])
    def write() -> Any:
        if "user" not in session and not ("open form" in faults and request.method == "GET"):
            return redirect("/login?next=/entries/new")
        if request.method == "GET":
            return form("text")
        checked()
        text = request.form.get("text", "")
        if len(text) > (200 if "limit" in faults else 100):
            return page("too long"), 400
        _world().entries.append((session["user"], text))
        return redirect(f"/entries/{len(_world().entries) - 1}")

    @app.get("/entries/<int:at>")
    def entry(at: int) -> Any:
        entries = _world().entries
        if at >= len(entries):
            abort(404)
        by, text = entries[at]
        shown = text if "unescaped" in faults else escape(text)
        return page(f"<h1>{by}</h1><p>{shown}</p>")

    return app
