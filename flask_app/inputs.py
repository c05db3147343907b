"""Reads what a request brings: the services behind the app, the body, the query."""

from __future__ import annotations

from functools import partial
from typing import TypeVar, cast

from flask import Flask, abort, current_app, request, session
from pydantic import BaseModel
from werkzeug.local import LocalProxy
from werkzeug.routing import BaseConverter, IntegerConverter

from shared_core import schemas
from shared_core.services import Services
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


def query(model: type[Model]) -> Model:
    """The query as a wire shape, the first of repeated keys. Raises Invalid."""
    return schemas.parse_query(model, request.args.to_dict())
