"""The pages by FastAPI, with its own responses and Python's own escaping."""

import html
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

PAGE = "<!doctype html>\n<title>{}</title>\n<p>{}</p>"


def create_app():
    app = FastAPI()
    notes = ["milk"]

    def page(title, text):
        return HTMLResponse(PAGE.format(html.escape(title), html.escape(text)))

    @app.get("/")
    def home(request: Request):
        response = page("Home", request.cookies.get("message", "welcome"))
        response.set_cookie("message", "", max_age=0)
        return response

    @app.get("/hello")
    def hello(name: str = "you"):
        return page("Hello", f"Hello, {name}")

    @app.get("/notes/")
    def list_notes():
        return page("Notes", ", ".join(notes))

    @app.post("/notes/")
    def add_note(text: Annotated[str, Form()]):
        notes.append(text)
        response = RedirectResponse("/notes/")
        response.set_cookie("message", "added", httponly=True)
        return response

    @app.post("/theme")
    def set_theme(theme: Annotated[str, Form()] = "light"):
        response = RedirectResponse("/", status_code=303)
        response.set_cookie("theme", theme, max_age=7200)
        return response

    @app.get("/search")
    def search(q: str = ""):
        return page("Found", str(sum(q in note for note in notes)))

    @app.get("/page/{number:int}")
    def numbered(number: int):
        return page("Page", str(number))

    return app
