"""Pages rendered by a Flask server: forms, cookies, a message after a redirect."""

from __future__ import annotations

from flask import Flask, abort, make_response, redirect, render_template_string, request

PAGE = "<!doctype html>\n<title>{{ title }}</title>\n<p>{{ text }}</p>"


def create_app():
    app = Flask(__name__)
    notes = ["milk"]

    @app.after_request
    def harden(response):
        response.headers["X-Frame-Options"] = "DENY"
        return response

    def page(title, text):
        return render_template_string(PAGE, title=title, text=text)

    @app.get("/")
    def home():
        response = make_response(page("Home", request.cookies.get("message", "welcome")))
        response.set_cookie("message", "", max_age=0)
        return response

    @app.get("/hello")
    def hello():
        return page("Hello", f"Hello, {request.args.get('name', 'you')}")

    @app.get("/notes/")
    def list_notes():
        return page("Notes", ", ".join(notes))

    @app.post("/notes/")
    def add_note():
        text = request.form["text"]
        if not text.strip():
            abort(400)
        notes.append(text)
        response = redirect("/notes/")
        response.set_cookie("message", "added", httponly=True)
        return response

    @app.post("/theme")
    def set_theme():
        response = redirect("/", code=303)
        response.set_cookie("theme", request.form.get("theme", "light"), max_age=3600)
        return response

    @app.get("/search")
    def search():
        if not request.args.get("q"):
            abort(400)
        return page("Found", str(sum(request.args["q"] in note for note in notes)))

    @app.get("/page/<int:number>")
    def numbered(number):
        if number > 9:
            abort(404)
        return page("Page", str(number))

    return app
