"""JSON as Flask reads and writes it."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from fastapi import Request, params
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .bodies import is_json
from .query import Handler

NOT_JSON = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."


class FlaskJSON(JSONResponse):
    """`return FlaskJSON(value)`, by the bytes that `jsonify(value)` makes.

    | value | FastAPI alone | Flask, and here |
    |---|---|---|
    | any | keys in their order, UTF-8, no newline | keys sorted, \\u escapes, a newline at the end |
    | a datetime, a date | ISO 8601 | `Sun, 22 Nov 2026 00:00:00 GMT`; without a zone it is taken for UTC |
    | a Decimal | a number, rounded to a float | a string, exact |
    | NaN, Infinity | an error (500) | NaN, Infinity |
    | a lone surrogate | an error (500) | escaped |
    | a key that begins with `_sa` | left out | kept |
    | keys of different types | converted | an error (500); of one type: converted |
    | bytes, a set, an enum, a pydantic model | encoded | an error (500) |
    | an object with `__html__` | its attributes | that HTML |

    `response_class` does not help: FastAPI has converted the value before. Annotate the handler `-> Response` and give
    `response_model` to keep the model in the document. Drop it once no client compares or caches bytes, and dates and
    decimals are agreed on.
    """

    def render(self, content: Any) -> bytes:
        return f"{json.dumps(content, default=default, sort_keys=True, separators=(',', ':'))}\n".encode()


def default(value: Any) -> Any:
    """What json has no form for. Raises TypeError."""
    if isinstance(value, date):
        return http_date(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)  # type: ignore[arg-type]  # a class is an error, as in Flask
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"{type(value).__name__} is not JSON")


def http_date(value: date) -> str:
    """A time as HTTP writes it, in GMT; one without a zone is taken for UTC."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return format_datetime(value, usegmt=True)


async def get_json(request: Request, *, force: bool = False, silent: bool = False) -> Any:
    """`request.get_json(force, silent)` for a handler that takes the whole request; prefer a typed body and JSONRoute.

    Raises HTTPException: 415 for a body that is not declared as JSON, 400 for one that is none. Silent, both are None.
    Too deep a nesting is an error of the handler (RecursionError). Keep it where a body has no type.
    """
    if not (force or is_json(request.headers.get("content-type", ""))):
        if silent:
            return None
        raise HTTPException(415, NOT_JSON)
    try:
        return json.loads(await request.body())
    except ValueError as error:
        if silent:
            return None
        raise HTTPException(400) from error


class JSONRequest(Request):
    """A request whose JSON is what `get_json` gives."""

    failure: Exception | None = None

    async def body(self) -> bytes:
        content = await super().body()
        # FastAPI takes nothing for no body, and does not ask for its JSON.
        return content or b" "

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = await get_json(self)
            except HTTPException:
                raise
            except Exception as error:
                self.failure = error
                raise
        return self._json


class JSONRoute(APIRoute):
    """`APIRouter(route_class=JSONRoute)`: typed bodies stay, and JSON is read as `request.get_json()` reads it.

    | body | FastAPI alone | Flask, and here |
    |---|---|---|
    | not declared as JSON | 422, or raw bytes where a body is Any | 415 |
    | malformed | 422 | 400 |
    | empty | 422, or None where it is optional | 400 |
    | an int of more than 4300 digits | 400, as JSON | 400 |
    | nested too deeply | 400 | an error of the handler (500) |

    What does not fit the model is still FastAPI's 422. A body is refused before the dependencies run; Route lets them
    run first, and takes another parser. Drop it once the original's statuses are no longer expected.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)

        async def handle_as_flask(request: Request) -> Response:
            if not takes_json:
                return await handle(request)
            if not is_json(request.headers.get("content-type", "")):
                raise HTTPException(415, NOT_JSON)
            json_request = JSONRequest(request.scope, request.receive)
            try:
                return await handle(json_request)
            except HTTPException:
                if json_request.failure is not None:
                    raise json_request.failure from None
                raise

        return handle_as_flask
