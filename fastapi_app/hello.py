"""The talk's first route."""

from fastapi import APIRouter, Response

from fastapi_app.inputs import Route
from fastapi_app.outputs import json
from shared_core.schemas import Message

router = APIRouter(route_class=Route, tags=["hello"])


@router.get("/", response_model=Message)
async def hello() -> Response:
    """Greet the world: the talk's first route."""
    return json(Message(message="Hello World"))
