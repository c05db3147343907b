"""One Flask app that runs twice, with other ids, other tokens and another clock.

Notes of people who sign in, by a cookie or a token, as JSON and as pages. `faults` name what one of the two does
otherwise.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask, Response, abort, jsonify, redirect, request, session

Answer = Response | tuple[Response, int]


def create_app(first: int = 1, behind: float = 0.0, faults: Collection[str] = ()) -> Flask:
    """The app: its first id, and by how many seconds its clock is behind."""
    app = Flask(__name__)
    app.secret_key = "both have one key"
    people: dict[str, dict[str, Any]] = {}
    notes: dict[int, dict[str, Any]] = {}
    tokens: dict[str, int] = {}
    ids, note_ids, readings = count(first), count(first), count()

    def now() -> datetime:
        # However quick two requests are, a reading is 10 ms after the one before.
        return datetime.now(UTC) - timedelta(seconds=behind - next(readings) / 100)

    def signed_in() -> int:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = tokens.get(token, session.get("user_id"))
        return found if found is not None else abort(401)

    def text_of(value: object) -> str:
        return value if isinstance(value, str) else abort(422)

    def own(note_id: int) -> dict[str, Any]:
        note = notes.get(note_id)
        return note if note is not None and note["user_id"] == signed_in() else abort(404)

    @app.post("/register")
    def register() -> Answer:
        name = text_of(request.get_json().get("name"))
        password = text_of(request.get_json().get("password"))
        if name in people:
            abort(409)
        people[name] = {"id": next(ids), "password": password}
        answer = jsonify(id=people[name]["id"], name=name, created_at=now().isoformat())
        answer.headers["Location"] = f"/users/{people[name]['id']}"
        return answer, 201

    @app.get("/users/<int:user_id>")
    def user(user_id: int) -> Answer:
        name = next((name for name, person in people.items() if person["id"] == user_id), None)
        return jsonify(id=user_id, name=name) if name is not None else abort(404)

    @app.post("/login")
    def login() -> Answer:
        name = text_of(request.get_json().get("name"))
        password = text_of(request.get_json().get("password"))
        if people.get(name, {}).get("password") != password:
            abort(403)
        token = secrets.token_urlsafe(32)
        tokens[token] = session["user_id"] = people[name]["id"]
        session["name"] = name.upper() if "session" in faults else name
        lives = timedelta(hours=2 if "lifetime" in faults else 1)
        return jsonify(access_token=token, expires_at=(now() + lives).strftime("%Y-%m-%dT%H:%M:%SZ"))

    @app.get("/notes")
    def listed() -> Answer:
        mine = [note for note in notes.values() if note["user_id"] == signed_in()]
        if "order" in faults:
            mine.reverse()
        return jsonify(items=mine, now=int(now().timestamp()))

    @app.post("/notes")
    def create() -> Answer:
        text = text_of(request.get_json().get("text"))
        made, at = next(note_ids), now().isoformat(sep=" " if "form" in faults else "T")
        notes[made] = {"id": made, "public_id": str(uuid.uuid4()), "user_id": signed_in(), "text": text}
        notes[made] |= {"created": at, "changed": at}
        answer = jsonify(notes[made])
        answer.headers["Location"] = f"/notes/{made}"
        return answer, 201

    @app.get("/notes/<int:note_id>")
    def shown(note_id: int) -> Answer:
        note = own(note_id)
        return jsonify(note | {"public_id": str(uuid.uuid4())} if "uuid" in faults else note)

    @app.put("/notes/<int:note_id>")
    def change(note_id: int) -> Answer:
        note = own(note_id)
        note["text"] = text_of(request.get_json().get("text"))
        if "changed" not in faults:
            note["changed"] = now().isoformat()
        return jsonify(note)

    @app.delete("/notes/<int:note_id>")
    def remove(note_id: int) -> Answer:
        own(note_id)
        del notes[note_id]
        return Response(status=204), 204

    @app.get("/page")
    def page() -> str:
        session.setdefault("csrf_token", secrets.token_hex(16))
        links = "".join(f"<li><a href=/users/{person['id']}>{name}</a></li>" for name, person in _shown(people, faults))
        form = f"<input type=hidden name=csrf_token value={session['csrf_token']}><input name=q>"
        return f"<html><body><ul>{links}</ul><form method=post action=/page>{form}</form></body></html>"

    @app.post("/page")
    def search() -> Any:
        if not session.get("csrf_token") or request.form.get("csrf_token") != session["csrf_token"]:
            abort(400)
        session["q"] = request.form.get("q", "")[:20]
        return redirect("/page", 303)

    return app


def _shown(people: dict[str, dict[str, Any]], faults: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """Those whom a page lists: the last three, each with a link of its own."""
    last = list(people.items())[-3:]
    if "link" in faults and len(last) > 1:
        return [(name, person) for (name, _), (_, person) in zip(last, reversed(last), strict=True)]
    return last


def from_environment() -> Flask:
    """For a server of its own: FIRST and BEHIND."""
    make: Callable[..., Flask] = create_app
    return make(int(os.environ["FIRST"]), float(os.environ["BEHIND"]))
