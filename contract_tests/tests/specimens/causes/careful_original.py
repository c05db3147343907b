"""A service of which the port was written with care."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request


def create_app():
    app = Flask(__name__)
    app.json.sort_keys = False

    @app.get("/items/<int:id>")
    def get_item(id):
        if id == 0:
            return jsonify({"error": "there is no item 0"}), 404
        return jsonify({"id": id, "name": "Straße", "price": 5, "stock": 7, "tags": ["b", "a"]})

    @app.get("/orders/<int:id>")
    def get_order(id):
        if id == 0:
            return jsonify({"error": "there is no order 0"}), 404
        return jsonify({"id": id, "total": 10, "state": "Paid", "lines": [1, 2, 3]})

    @app.get("/search")
    def search():
        word = request.args.get("q", "").casefold()
        return jsonify({"found": word in "straße".casefold(), "count": 3})

    @app.get("/style.css")
    def style():
        return Response("a{}", mimetype="text/css", headers={"Cache-Control": "max-age=60", "ETag": '"abc"'})

    @app.get("/logo.svg")
    def logo():
        return Response("<svg/>", mimetype="image/svg+xml", headers={"Cache-Control": "max-age=3600"})

    @app.post("/login")
    def log_in():
        response = jsonify({"name": "ada"})
        response.set_cookie("session", "abc", max_age=60, httponly=True)
        return response

    return app
