"""The slides' Flask app: a dict for a database, and the stored dict, password and all, for an answer."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue

from contract_tests.tests.specimens.slides.files import enrich_file


def create_app() -> Flask:
    """The app with an empty store of its own."""
    app = Flask(__name__)
    users: dict[int, dict[str, Any]] = {}

    @app.route("/user", methods=["POST"])
    def create_user() -> ResponseReturnValue:
        data = request.get_json()
        users[1] = {"name": data.get("name"), "email": data.get("email"), "password": data.get("password")}
        return jsonify({"message": "User created successfully", "id": 1}), 201

    @app.route("/user/<int:id>", methods=["GET"])
    def get_user(id: int) -> ResponseReturnValue:
        if id not in users:
            abort(404)
        return jsonify(users[id])

    @app.route("/files/<name>", methods=["GET"])
    def get_file(name: str) -> ResponseReturnValue:
        return jsonify(enrich_file({"name": name}))

    return app
