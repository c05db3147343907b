"""The notice board of a tenants' club: Flask as its tutorial teaches it, kept by one volunteer since 2016."""

import os
import secrets
from datetime import date
from functools import wraps
from pathlib import Path

from flask import Flask, abort, flash, g, redirect, render_template, request, send_from_directory, session, url_for
from werkzeug.exceptions import HTTPException

from .database import connect, hashed

FILES = Path(__file__).parent / "files"
PER_PAGE = 4


def login_required(view):
    @wraps(view)
    def wrapped(**kwargs):
        if g.user is None:
            flash("Please sign in first.", "error")
            return redirect(url_for("login", next=request.path))
        return view(**kwargs)

    return wrapped


def create_app(database=None):
    """The board with its first notices; `database` is a file for its tables, in memory without one."""
    app = Flask(__name__)
    app.secret_key = "the-board-is-in-the-hall"
    db = connect(database or os.environ.get("DATABASE_PATH"))

    @app.before_request
    def load_user():
        g.user = db.execute("SELECT * FROM users WHERE id = ?", (session.get("user_id"),)).fetchone()

    @app.before_request
    def check_csrf():
        if request.method == "POST" and request.endpoint and request.endpoint != "login":
            token = request.form.get("csrf_token")
            if not token or token != session.get("csrf"):
                abort(400)

    @app.errorhandler(HTTPException)
    def error_page(error):
        response = error.get_response()
        response.data = render_template("error.html", code=error.code, name=error.name)
        return response

    @app.template_filter("day")
    def day(text):
        posted = date.fromisoformat(text)
        return f"{posted.day} {posted:%b %Y}"

    def get_notice(id):
        query = (
            "SELECT notices.*, users.name AS author FROM notices JOIN users ON users.id = user_id WHERE notices.id = ?"
        )
        return db.execute(query, (id,)).fetchone() or abort(404)

    def own_notice(id):
        notice = get_notice(id)
        if notice["user_id"] != g.user["id"]:
            abort(403)
        return notice

    @app.route("/")
    def index():
        page = max(request.args.get("page", 1, type=int), 1)
        q = request.args.get("q", "")
        rows = db.execute(
            "SELECT notices.*, users.name AS author FROM notices JOIN users ON users.id = user_id"
            " WHERE title LIKE ? ORDER BY posted DESC, notices.id DESC LIMIT ? OFFSET ?",
            (f"%{q}%", PER_PAGE + 1, (page - 1) * PER_PAGE),
        ).fetchall()
        return render_template("index.html", notices=rows[:PER_PAGE], more=len(rows) > PER_PAGE, page=page, q=q)

    @app.route("/notices/<int:id>")
    def show(id):
        comments = db.execute(
            "SELECT comments.*, users.name AS author FROM comments JOIN users ON users.id = user_id"
            " WHERE notice_id = ? ORDER BY comments.id",
            (id,),
        ).fetchall()
        return render_template("show.html", notice=get_notice(id), comments=comments)

    @app.route("/notices/new", methods=["GET", "POST"])
    @login_required
    def new():
        title = body = ""
        if request.method == "POST":
            title, body = request.form["title"].strip(), request.form["body"]
            if title:
                done = db.execute(
                    "INSERT INTO notices (user_id, title, body, posted) VALUES (?, ?, ?, ?)",
                    (g.user["id"], title, body, date.today().isoformat()),
                )
                db.commit()
                flash("Your notice is up.", "success")
                return redirect(url_for("show", id=done.lastrowid))
            flash("A notice needs a title.", "error")
        return render_template("form.html", heading="New notice", title=title, body=body)

    @app.route("/notices/<int:id>/edit", methods=["GET", "POST"])
    @login_required
    def edit(id):
        notice = own_notice(id)
        title, body = notice["title"], notice["body"]
        if request.method == "POST":
            title, body = request.form["title"].strip(), request.form["body"]
            if title:
                db.execute("UPDATE notices SET title = ?, body = ? WHERE id = ?", (title, body, id))
                db.commit()
                flash("Saved.", "success")
                return redirect(url_for("show", id=id))
            flash("A notice needs a title.", "error")
        return render_template("form.html", heading="Edit notice", title=title, body=body)

    @app.post("/notices/<int:id>/delete")
    @login_required
    def delete(id):
        own_notice(id)
        db.execute("DELETE FROM notices WHERE id = ?", (id,))
        db.execute("DELETE FROM comments WHERE notice_id = ?", (id,))
        db.commit()
        flash("The notice is gone.", "success")
        return redirect(url_for("index"))

    @app.post("/notices/<int:id>/comments")
    @login_required
    def comment(id):
        get_notice(id)
        text = request.form["text"].strip()
        if text:
            db.execute("INSERT INTO comments (notice_id, user_id, text) VALUES (?, ?, ?)", (id, g.user["id"], text))
            db.commit()
        else:
            flash("A comment needs some text.", "error")
        return redirect(url_for("show", id=id))

    @app.route("/login", methods=["GET", "POST"])
    def login():
        username = ""
        if request.method == "POST":
            username = request.form["username"]
            user = db.execute("SELECT * FROM users WHERE name = ?", (username.lower(),)).fetchone()
            if user and user["password"] == hashed(request.form["password"]):
                session.clear()
                session["user_id"] = user["id"]
                session["csrf"] = secrets.token_urlsafe(24)
                flash(f"Hello {user['name']}!", "success")
                target = request.args.get("next", "")
                return redirect(target if target.startswith("/") and target[1:2] != "/" else url_for("index"))
            flash("Wrong name or password.", "error")
        return render_template("login.html", username=username)

    @app.post("/logout")
    def logout():
        session.clear()
        return redirect(url_for("index"))

    @app.route("/files/<name>")
    def download(name):
        return send_from_directory(FILES, name, as_attachment=True)

    return app
