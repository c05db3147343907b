"""The talk's first route."""

from flask import Blueprint, Response

from flask_app.outputs import json
from shared_core.schemas import Message

blueprint = Blueprint("hello", __name__)


@blueprint.get("/")
def hello() -> Response:
    """Greet the world: the talk's first route."""
    return json(Message(message="Hello World"))
