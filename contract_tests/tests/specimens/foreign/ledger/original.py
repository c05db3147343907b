"""The books of a small co-operative, in Flask and plain sqlite3, by two people who test what they write."""

import json
import os
import secrets
import sqlite3
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path

from flask import Flask, abort, g, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import IntegerConverter

SCHEMA = """
CREATE TABLE people (name TEXT PRIMARY KEY, pin TEXT NOT NULL);
CREATE TABLE sessions (token TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, currency TEXT NOT NULL, note TEXT NOT NULL,
    opened_at TEXT NOT NULL
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, cents INTEGER NOT NULL, day TEXT NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO people VALUES ('clara', '4711');
INSERT INTO accounts (name, currency, note, opened_at) VALUES
    ('Cash', 'EUR', 'the tin box', '2025-01-07T09:00:00Z'),
    ('Bank', 'EUR', '', '2025-01-08T10:30:00Z'),
    ('Straße', 'USD', 'road repairs', '2025-02-01T08:15:00Z');
INSERT INTO entries (account_id, cents, day, text) VALUES
    (1, 5000, '2025-01-07', 'opening'), (2, 125000, '2025-01-08', 'opening'), (1, -1250, '2025-01-20', 'stamps'),
    (1, 2500, '2025-01-20', 'rent of the hall'), (2, -8999, '2025-01-20', 'printer'), (2, 40, '2025-02-02', 'interest');
"""


class Id(IntegerConverter):
    regex = r"\d{1,18}"


class Unfit(HTTPException):
    code = 422
    fields = ()


def unfit(*fields):
    error = Unfit()
    error.fields = fields
    raise error


def connect(path):
    if path:
        Path(path).unlink(missing_ok=True)
    db = sqlite3.connect(path or ":memory:", check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(SCHEMA)
    return db


def read_body():
    if not request.is_json:
        abort(415)
    try:
        data = json.loads(request.get_data())
    except (ValueError, RecursionError):
        abort(400)
    return data if isinstance(data, dict) else abort(400)


def is_text(value, longest):
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(name, default, most):
    """A query parameter of plain digits, never more than `most`."""
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        abort(400)
    return min(int(text), most)


def create_app(database=None):
    """The books with their first entries; `database` is a file for the tables, in memory without one."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.converters["id"] = Id
    db = connect(database or os.environ.get("DATABASE_PATH"))

    @app.errorhandler(HTTPException)
    def problem(error):
        fields = {"fields": list(error.fields)} if isinstance(error, Unfit) else {}
        response = jsonify(error=error.name, status=error.code, **fields)
        response.status_code = error.code
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    def signed_in(view):
        @wraps(view)
        def guarded(**kwargs):
            token = request.cookies.get("ledger_session", "")
            row = db.execute("SELECT name FROM sessions WHERE token = ?", (token,)).fetchone()
            g.token, g.name = (token, row["name"]) if row else abort(401)
            return view(**kwargs)

        return guarded

    def find_account(id):
        return db.execute("SELECT * FROM accounts WHERE id = ?", (id,)).fetchone() or abort(404)

    def account_out(row):
        [cents] = db.execute(
            "SELECT COALESCE(SUM(cents), 0) FROM entries WHERE account_id = ?", (row["id"],)
        ).fetchone()
        return {**dict(row), "balance": cents / 100}

    def entry_out(row):
        return {
            "id": row["id"],
            "account_id": row["account_id"],
            "amount": row["cents"] / 100,
            "day": row["day"],
            "text": row["text"],
        }

    def is_taken(name, but=None):
        rows = db.execute("SELECT id, name FROM accounts").fetchall()
        return any(row["name"].casefold() == name.casefold() and row["id"] != but for row in rows)

    @app.post("/sessions")
    def sign_in():
        data = read_body()
        name, pin = data.get("name"), data.get("pin")
        if not is_text(name, 60) or not is_text(pin, 60):
            unfit("name", "pin")
        if not db.execute("SELECT 1 FROM people WHERE name = ? AND pin = ?", (name, pin)).fetchone():
            abort(401)
        token = secrets.token_urlsafe(32)
        db.execute("INSERT INTO sessions VALUES (?, ?)", (token, name))
        db.commit()
        response = jsonify(name=name)
        response.status_code = 201
        response.set_cookie("ledger_session", token, httponly=True, samesite="Lax")
        return response

    @app.delete("/sessions")
    @signed_in
    def sign_out():
        db.execute("DELETE FROM sessions WHERE token = ?", (g.token,))
        db.commit()
        response = app.response_class(status=204)
        response.delete_cookie("ledger_session", httponly=True, samesite="Lax")
        return response

    @app.get("/accounts")
    def list_accounts():
        wanted = request.args.get("q", "").casefold()
        rows = [row for row in db.execute("SELECT * FROM accounts ORDER BY id") if wanted in row["name"].casefold()]
        start = number("offset", 0, 999_999)
        page = rows[start : start + number("limit", 20, 100)]
        return jsonify(accounts=[account_out(row) for row in page], total=len(rows))

    @app.post("/accounts")
    @signed_in
    def open_account():
        data = read_body()
        name, currency, note = data.get("name"), data.get("currency", "EUR"), data.get("note", "")
        wrong = [
            *([] if is_text(name, 60) and name.strip() else ["name"]),
            *([] if currency in ("EUR", "USD") else ["currency"]),
            *([] if is_text(note, 200) else ["note"]),
        ]
        if wrong:
            unfit(*wrong)
        name = name.strip()
        if is_taken(name):
            abort(409)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = db.execute(
            "INSERT INTO accounts (name, currency, note, opened_at) VALUES (?, ?, ?, ?)", (name, currency, note, now)
        )
        db.commit()
        response = jsonify(account_out(find_account(done.lastrowid)))
        return response, 201, {"Location": f"/accounts/{done.lastrowid}"}

    @app.get("/accounts/<id:id>")
    def get_account(id):
        return jsonify(account_out(find_account(id)))

    @app.patch("/accounts/<id:id>")
    @signed_in
    def change_account(id):
        row = find_account(id)
        data = read_body()
        name, note = data.get("name", row["name"]), data.get("note", row["note"])
        wrong = [
            *([] if is_text(name, 60) and name.strip() else ["name"]),
            *([] if is_text(note, 200) else ["note"]),
        ]
        if wrong:
            unfit(*wrong)
        name = name.strip()
        if is_taken(name, but=id):
            abort(409)
        db.execute("UPDATE accounts SET name = ?, note = ? WHERE id = ?", (name, note, id))
        db.commit()
        return jsonify(account_out(find_account(id)))

    @app.delete("/accounts/<id:id>")
    @signed_in
    def close_account(id):
        find_account(id)
        db.execute("DELETE FROM accounts WHERE id = ?", (id,))
        db.execute("DELETE FROM entries WHERE account_id = ?", (id,))
        db.commit()
        return "", 204

    @app.get("/accounts/<id:id>/interest")
    def get_interest(id):
        balance = account_out(find_account(id))["balance"]
        percent = number("percent", 2, 100)
        cents = (round(balance * 100) * percent + 50) // 100
        return jsonify(account_id=id, percent=percent, interest=cents / 100)

    @app.get("/accounts/<id:id>/entries")
    def list_account_entries(id):
        find_account(id)
        rows = db.execute("SELECT * FROM entries WHERE account_id = ? ORDER BY day, id", (id,)).fetchall()
        return jsonify(entries=[entry_out(row) for row in rows])

    @app.post("/accounts/<id:id>/entries")
    @signed_in
    def book_entry(id):
        find_account(id)
        data = read_body()
        cents, day, text = data.get("cents"), data.get("day"), data.get("text", "")
        try:
            day = date.fromisoformat(day).isoformat()
        except (TypeError, ValueError):
            day = None
        wrong = [
            *([] if isinstance(cents, int) and not isinstance(cents, bool) and abs(cents) <= 10**9 else ["cents"]),
            *([] if day else ["day"]),
            *([] if is_text(text, 200) else ["text"]),
        ]
        if wrong:
            unfit(*wrong)
        done = db.execute(
            "INSERT INTO entries (account_id, cents, day, text) VALUES (?, ?, ?, ?)", (id, cents, day, text)
        )
        db.commit()
        row = db.execute("SELECT * FROM entries WHERE id = ?", (done.lastrowid,)).fetchone()
        return jsonify(entry_out(row)), 201, {"Location": f"/entries/{row['id']}"}

    def find_entry(id):
        return db.execute("SELECT * FROM entries WHERE id = ?", (id,)).fetchone() or abort(404)

    @app.get("/entries")
    def list_entries():
        limit, start = number("limit", 20, 100), number("offset", 0, 999_999)
        rows = db.execute(
            "SELECT * FROM entries ORDER BY day DESC, id DESC LIMIT ? OFFSET ?", (limit, start)
        ).fetchall()
        return jsonify(entries=[entry_out(row) for row in rows])

    @app.get("/entries/<id:id>")
    def get_entry(id):
        return jsonify(entry_out(find_entry(id)))

    @app.delete("/entries/<id:id>")
    @signed_in
    def strike_entry(id):
        find_entry(id)
        db.execute("DELETE FROM entries WHERE id = ?", (id,))
        db.commit()
        return "", 204

    return app
