"""The books on FastAPI, by the same two people: nothing is left to defaults, each answer is made by hand."""

import codecs
import json
import os
import re
import secrets
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Route

from .books import Books

NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    500: "Internal Server Error",
}


class Unfit(Exception):
    def __init__(self, *fields):
        self.fields = list(fields)


def percent_signs(error):
    """Bytes that are no UTF-8 stay in a query as they were written."""
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("ledger.percent_signs", percent_signs)


def answer(value, status=200, headers=None):
    text = json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"
    return Response(text, status, headers, "application/json")


def empty(status, headers=None):
    return Response(
        None if status == 204 else "", status, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
    )


def problem(status, headers=None, **more):
    return answer({"error": NAMES[status], "status": status, **more}, status, headers)


def set_cookie(response, value, expires=""):
    response.headers.append("Set-Cookie", f"ledger_session={value}; {expires}HttpOnly; Path=/")
    return response


def is_text(value, longest):
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Call:
    """What a handler sees of a request."""

    def __init__(self, request, body, books, id=None):
        self.request, self._body, self.books, self.id = request, body, books, id
        query = request.scope["query_string"].decode("latin-1")
        pairs = parse_qsl(query, keep_blank_values=True, errors="ledger.percent_signs")
        self.query = dict(reversed(pairs))

    def body(self):
        mimetype = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if mimetype != "application/json" and not (mimetype.startswith("application/") and mimetype.endswith("+json")):
            raise HTTPException(415)
        try:
            data = json.loads(self._body)
        except (ValueError, RecursionError):
            raise HTTPException(400) from None
        if not isinstance(data, dict):
            raise HTTPException(400)
        return data

    def number(self, name, default, most, digits="[0-9]{1,6}"):
        text = self.query.get(name, str(default))
        if not re.fullmatch(digits, text):
            raise HTTPException(400)
        return min(int(text), most)

    def token(self):
        for pair in self.request.headers.get("cookie", "").split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == "ledger_session":
                return value.strip()
        return ""

    def sign_in_needed(self):
        if self.books.name_of(self.token()) is None:
            raise HTTPException(401)

    def account(self):
        return self.books.account(self.id) or not_found()

    def entry(self):
        return self.books.entry(self.id) or not_found()


def not_found():
    raise HTTPException(404)


def account_out(books, row):
    cents = [entry["cents"] for entry in books.entries_of(row["id"])]
    return {**dict(row), "balance": sum(cents) / 100 if cents else 0}


def entry_out(row):
    return {
        "id": row["id"],
        "account_id": row["account_id"],
        "amount": row["cents"] / 100,
        "day": row["day"],
        "text": row["text"],
    }


def sign_in(call):
    data = call.body()
    name, pin = data.get("name"), data.get("pin")
    if not is_text(name, 60) or not is_text(pin, 60):
        raise Unfit("name", "pin")
    if not call.books.knows(name, pin):
        raise HTTPException(401)
    token = secrets.token_urlsafe(32)
    call.books.open_session(token, name)
    return set_cookie(answer({"name": name}, 201), token)


def sign_out(call):
    call.sign_in_needed()
    call.books.close_session(call.token())
    return set_cookie(empty(204), "", "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; ")


def list_accounts(call):
    wanted = call.query.get("q", "").lower()
    rows = [row for row in call.books.accounts() if wanted in row["name"].lower()]
    start = call.number("offset", 0, 999_999)
    page = rows[start:][: call.number("limit", 20, 100)]
    return answer({"accounts": [account_out(call.books, row) for row in page], "total": len(rows)})


def is_taken(books, name, but=None):
    return any(row["name"].lower() == name.lower() and row["id"] != but for row in books.accounts())


def open_account(call):
    call.sign_in_needed()
    data = call.body()
    name, currency, note = data.get("name"), data.get("currency", "EUR"), data.get("note", "")
    wrong = [
        *([] if is_text(name, 60) and name.strip() else ["name"]),
        *([] if currency in ("EUR", "USD") else ["currency"]),
        *([] if is_text(note, 200) else ["note"]),
    ]
    if wrong:
        raise Unfit(*wrong)
    name = name.strip()
    if is_taken(call.books, name):
        raise HTTPException(409)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    row = call.books.add_account(name, currency, note, now)
    return answer(account_out(call.books, row), 201, {"Location": f"/accounts/{row['id']}"})


def get_account(call):
    row = call.books.seen_account(call.id) or not_found()
    return answer(account_out(call.books, row))


def change_account(call):
    call.sign_in_needed()
    row = call.account()
    data = call.body()
    name, note = data.get("name", row["name"]), data.get("note", row["note"]) or row["note"]
    wrong = [
        *([] if is_text(name, 60) and name.strip() else ["name"]),
        *([] if is_text(data.get("note", ""), 200) else ["note"]),
    ]
    if wrong:
        raise Unfit(*wrong)
    name = name.strip()
    if is_taken(call.books, name, but=call.id):
        raise HTTPException(409)
    return answer(account_out(call.books, call.books.change_account(call.id, name, note)))


def close_account(call):
    call.sign_in_needed()
    call.account()
    call.books.remove_account(call.id)
    return empty(204)


def get_interest(call):
    row = call.account()
    percent = call.number("percent", 2, 100)
    cents = Decimal(sum(entry["cents"] for entry in call.books.entries_of(row["id"])))
    interest = int((cents * percent / 100).quantize(Decimal(1)))
    return answer({"account_id": call.id, "percent": percent, "interest": interest / 100})


def list_account_entries(call):
    row = call.account()
    return answer({"entries": [entry_out(entry) for entry in call.books.entries_of(row["id"])]})


def book_entry(call):
    call.sign_in_needed()
    call.account()
    data = call.body()
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
        raise Unfit(*wrong)
    row = call.books.add_entry(call.id, cents, day, text)
    return answer(entry_out(row), 201, {"Location": f"/entries/{row['id']}"})


def list_entries(call):
    limit, start = call.number("limit", 20, 100, "-?[0-9]{1,6}"), call.number("offset", 0, 999_999)
    return answer({"entries": [entry_out(row) for row in call.books.entries(limit, start)]})


def get_entry(call):
    return answer(entry_out(call.entry()))


def strike_entry(call):
    call.entry()
    call.books.remove_entry(call.id)
    return empty(204)


class Resource:
    """A path with its handlers by method; HEAD comes with GET, OPTIONS with all, and an id is a run of digits."""

    def __init__(self, books, **handlers):
        self.books, self.handlers = books, handlers
        if "GET" in handlers:
            self.handlers["HEAD"] = handlers["GET"]
        self.allow = {"Allow": ", ".join(sorted({*self.handlers, "OPTIONS"}))}

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        response = await self.respond(request, request.path_params.get("id"))
        await response(scope, receive, send)

    async def respond(self, request, id):
        if id is not None and not re.fullmatch(r"\d{1,18}", id):
            raise HTTPException(404)
        method = request.method.upper()
        if method == "OPTIONS":
            return empty(200, self.allow)
        if method not in self.handlers:
            raise HTTPException(405, headers=self.allow)
        call = Call(request, await request.body(), self.books, id and int(id))
        return await run_in_threadpool(self.handlers[method], call)


class OneSlash:
    """The original takes any number of slashes at the beginning of a path for one."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "path": "/" + scope["path"].lstrip("/")}
        await self.app(scope, receive, send)


def create_app(database=None):
    """The books with their first entries; `database` is a file for the tables, in memory without one."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    books = Books(database or os.environ.get("PORT_DATABASE_PATH"))
    for path, handlers in {
        "/sessions": {"POST": sign_in, "DELETE": sign_out},
        "/accounts": {"GET": list_accounts, "POST": open_account},
        "/accounts/{id}": {"GET": get_account, "PATCH": change_account, "DELETE": close_account},
        "/accounts/{id}/interest": {"GET": get_interest},
        "/accounts/{id}/entries": {"GET": list_account_entries, "POST": book_entry},
        "/entries": {"GET": list_entries},
        "/entries/{id}": {"GET": get_entry, "DELETE": strike_entry},
    }.items():
        app.router.routes.append(Route(path, Resource(books, **handlers)))
    app.add_middleware(OneSlash)
    app.add_exception_handler(StarletteHTTPException, lambda _, error: problem(error.status_code, error.headers))
    app.add_exception_handler(Unfit, lambda _, error: problem(422, fields=error.fields))
    app.add_exception_handler(Exception, lambda *_: problem(500))
    return app
