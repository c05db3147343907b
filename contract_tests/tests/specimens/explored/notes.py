"""A JSON API with a bearer token, as a Flask team writes it: people register, log in and keep notes."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import Flask, Response, jsonify, request

from contract_tests.tests.specimens.explored import FAULTS
from contract_tests.tests.specimens.worlds import made_anew, world_of


@dataclass
class World:
    """Who has registered, with which password, who has which token, and the notes by their ids."""

    users: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(int(os.environ.get("NOTES_FROM", "1"))))


def create_original() -> Flask:
    return made_anew(_notes(frozenset()), World())


def create_port() -> Flask:
    return made_anew(_notes(frozenset(FAULTS)), World())


def serve() -> None:
    """Serve on the port that the command line names, ids beginning at NOTES_FROM."""
    import sys
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    make_server("127.0.0.1", int(sys.argv[1]), create_original(), handler_class=Quiet).serve_forever()


def _world() -> World:
    return world_of(World)


@cache
def _notes(faults: frozenset[str]) -> Flask:
    app = Flask("notes")

    def who() -> str | None:
        return _world().tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

    def refused() -> tuple[Response, int]:
        return jsonify(error="sign in first"), 401

    @app.post("/register")
    def register() -> Any:
        data = request.get_json()
        for name in ("username", "password"):
            if not data.get(name):
                return jsonify(error=f"'{name}' is required"), 400
        if data["username"] in _world().users:
            return jsonify(error="taken"), 200 if "duplicate" in faults else 409
        _world().users[data["username"]] = data["password"]
        return jsonify(username=data["username"]), 201

    @app.post("/login")
    def login() -> Any:
        data = request.get_json()
        if _world().users.get(data.get("username")) != data.get("password") or not data.get("password"):
            return jsonify(error="wrong"), 401
        token = secrets.token_urlsafe(24)
        _world().tokens[token] = data["username"]
        return jsonify(access_token=token)

    @app.get("/notes")
    def list_notes() -> Any:
        if who() is None and "open list" not in faults:
            return refused()
        limit = request.args.get("limit", 20, type=int)
        found = [note for note in _world().notes.values() if request.args.get("q", "") in note["title"]]
        return jsonify(found[: limit + 1] if "page" in faults else found[:limit])

    @app.post("/notes")
    def add_note() -> Any:
        if who() is None:
            return refused()
        data = request.get_json()
        title, stars = data.get("title"), data.get("stars", 0)
        if not isinstance(title, str) or not title.strip():
            return jsonify(error="'title' is required"), 400
        if isinstance(stars, str) and "text for a number" in faults:
            stars = int(stars) if stars.isdigit() else 0
        if not isinstance(stars, (int, float)):
            return jsonify(error="'stars' is a number"), 400
        key = next(_world().ids)
        folded = title.lower() if "casefold" in faults else title.casefold()
        _world().notes[key] = {
            "id": key,
            "title": title,
            "key": folded,
            "stars": float(stars) if "float" in faults else stars,
        }
        _world().notes[key]["by"] = who()
        return jsonify(_world().notes[key]), 201

    @app.route("/notes/<int:id>", methods=["GET", "PUT", "DELETE"])
    def one_note(id: int) -> Any:
        if who() is None and "open note" not in faults:
            return refused()
        if id not in _world().notes:
            return jsonify(error="no such note"), 404
        if request.method == "PUT":
            title = request.get_json().get("title")
            if not title:
                return jsonify(error="'title' is required"), 400
            if "lost update" not in faults:
                _world().notes[id] = {**_world().notes[id], "title": title}
            return jsonify({**_world().notes[id], "title": title})
        if request.method == "DELETE":
            if "undead" not in faults:
                del _world().notes[id]
            return "", 204
        return jsonify(_world().notes[id])

    if "no clock" not in faults:

        @app.get("/about")
        def about() -> Any:
            data = {"name": "notes", "tags": request.args.getlist("tag")}
            if "clock" in os.environ.get("NOTES_WITH", ""):
                data["now"] = datetime.now(UTC).isoformat()
            return jsonify(data)

    if "head" in faults:

        @app.before_request
        def no_head() -> Any:
            return ("", 405) if request.method == "HEAD" else None

    return app


if __name__ == "__main__":
    serve()
