"""A JSON API with a bearer token, as a Flask team writes it: people register, log in and keep notes."""

from __future__ import annotations

import itertools
import os
import secrets
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify, request

from contract_tests.tests.specimens.explored import FAULTS


def create_original() -> Flask:
    return _notes(frozenset())


def create_port() -> Flask:
    return _notes(frozenset(FAULTS))


def serve() -> None:
    """Serve on the port that the command line names, ids beginning at NOTES_FROM."""
    import sys
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    make_server("127.0.0.1", int(sys.argv[1]), _notes(frozenset()), handler_class=Quiet).serve_forever()


def _notes(faults: frozenset[str]) -> Flask:
    app = Flask("notes")
    users: dict[str, str] = {}
    tokens: dict[str, str] = {}
    notes: dict[int, dict[str, Any]] = {}
    ids = itertools.count(int(os.environ.get("NOTES_FROM", "1")))

    def who() -> str | None:
        return tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

    def refused() -> tuple[Response, int]:
        return jsonify(error="sign in first"), 401

    @app.post("/register")
    def register() -> Any:
        data = request.get_json()
        for name in ("username", "password"):
            if not data.get(name):
                return jsonify(error=f"'{name}' is required"), 400
        if data["username"] in users:
            return jsonify(error="taken"), 200 if "duplicate" in faults else 409
        users[data["username"]] = data["password"]
        return jsonify(username=data["username"]), 201

    @app.post("/login")
    def login() -> Any:
        data = request.get_json()
        if users.get(data.get("username")) != data.get("password") or not data.get("password"):
            return jsonify(error="wrong"), 401
        token = secrets.token_urlsafe(24)
        tokens[token] = data["username"]
        return jsonify(access_token=token)

    @app.get("/notes")
    def list_notes() -> Any:
        if who() is None and "open list" not in faults:
            return refused()
        limit = request.args.get("limit", 20, type=int)
        found = [note for note in notes.values() if request.args.get("q", "") in note["title"]]
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
        key = next(ids)
        folded = title.lower() if "casefold" in faults else title.casefold()
        notes[key] = {"id": key, "title": title, "key": folded, "stars": float(stars) if "float" in faults else stars}
        notes[key]["by"] = who()
        return jsonify(notes[key]), 201

    @app.route("/notes/<int:id>", methods=["GET", "PUT", "DELETE"])
    def one_note(id: int) -> Any:
        if who() is None and "open note" not in faults:
            return refused()
        if id not in notes:
            return jsonify(error="no such note"), 404
        if request.method == "PUT":
            title = request.get_json().get("title")
            if not title:
                return jsonify(error="'title' is required"), 400
            if "lost update" not in faults:
                notes[id] = {**notes[id], "title": title}
            return jsonify({**notes[id], "title": title})
        if request.method == "DELETE":
            if "undead" not in faults:
                del notes[id]
            return "", 204
        return jsonify(notes[id])

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
