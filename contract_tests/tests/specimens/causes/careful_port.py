"""The careful port: answers as the original by hand, but for eleven faults."""

import json

from fastapi import FastAPI
from fastapi.responses import Response


def answer(value, status=200):
    return Response(json.dumps(value, separators=(",", ":")) + "\n", status, media_type="application/json")


def create_app():
    app = FastAPI()

    @app.get("/items/{id}")
    def get_item(id: int):
        if id == 0:
            return answer({"error": "there is no item 0"}, 400)
        return answer({"id": id, "name": "Strasse", "price": 5.0, "stock": 6, "tags": ["a", "b"]})

    @app.get("/orders/{id}")
    def get_order(id: int):
        if id == 0:
            return answer({"error": "there is no order 0"}, 410)
        return answer({"id": id, "total": 11, "state": "paid", "lines": [1, 2]})

    @app.get("/search")
    def search(q: str = ""):
        return answer({"found": q.lower() in "straße", "count": 3})

    @app.get("/style.css")
    def style():
        return Response("a{}", media_type="text/css", headers={"Cache-Control": "no-cache"})

    @app.get("/logo.svg")
    def logo():
        return Response("<svg/>", media_type="image/svg+xml", headers={"Cache-Control": "max-age=36"})

    @app.post("/login")
    def log_in():
        response = answer({"name": "ada"})
        response.headers["Set-Cookie"] = "session=abc; Max-Age=60; Path=/"
        return response

    return app
