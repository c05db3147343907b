"""Reads what a request brings: the services behind the app, the body, the query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar, cast

from flask import Flask, abort, current_app, request, session
from pydantic import BaseModel
from werkzeug.local import LocalProxy
from werkzeug.routing import BaseConverter, IntegerConverter

from shared_core import schemas
from shared_core.services import Services
from shared_core.uploads import BLOCK, Upload, counted, is_form_data
from shared_core.visits import Visit

Model = TypeVar("Model", bound=BaseModel)

# The services of the app that answers this request.
app = cast("Services", LocalProxy(lambda: current_app.extensions["services"]))


def _visit() -> Visit:
    regenerate = partial(current_app.session_interface.regenerate, session)  # type: ignore[attr-defined]
    return Visit(session, regenerate=regenerate, now=app.clock())


# The session of this request, as the rules see it.
visit = cast("Visit", LocalProxy(_visit))


class IdConverter(IntegerConverter):
    """`<id:id>`: an int as the database can hold one. Werkzeug's `int` takes any number of any script's digits."""

    regex = schemas.ID_PATTERN


class KeyConverter(BaseConverter):
    """`<key:key>`: under what a session keeps a value."""

    regex = schemas.KEY_PATTERN


def place_services(flask: Flask, services: Services) -> None:
    flask.extensions["services"] = services


def body(model: type[Model]) -> Model:
    """The JSON body as a wire shape. Aborts with 415 or 413; raises Malformed or Invalid."""
    if not request.is_json:
        abort(415)
    limit = app.settings.max_body_bytes
    if (request.content_length or 0) > limit or len(data := request.get_data()) > limit:
        abort(413)
    return schemas.parse(model, data)


def answers() -> list[tuple[str, str]]:
    """Every pair of the query, repeated keys too: whoever must know that there is one reads them here."""
    return list(request.args.items(multi=True))


@contextmanager
def upload() -> Iterator[Upload]:
    """The body as a file of a form, streamed to the upload folder; gone again unless it is kept.

    Aborts with 415 or 413; raises Malformed, TooLarge or Invalid.
    """
    content_type = request.headers.get("Content-Type", "")
    if not is_form_data(content_type):
        abort(415)
    limit = app.uploads.most_body_bytes
    if (request.content_length or 0) > limit:
        abort(413)
    request.max_content_length = limit + 1
    with app.uploads.receive(content_type) as upload:
        for count, chunk in counted(iter(partial(request.stream.read, BLOCK), b"")):
            if count > limit:
                abort(413)
            upload.write(chunk)
        upload.finish()
        yield upload


def method() -> str:
    """The request's method."""
    return request.method


def field(name: str) -> str | None:
    """A header field of the request; None where it has none."""
    return request.headers.get(name)


def query(model: type[Model]) -> Model:
    """The query as a wire shape, the first of repeated keys. Raises Invalid."""
    return schemas.parse_query(model, request.args.to_dict())
