"""Request bodies: which are taken for JSON, and when one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from fastapi import HTTPException, Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from .query import Handler, QueryRequest

if TYPE_CHECKING:
    from fastapi._compat import ModelField

# What stands in for a body that cannot be read, until the dependencies are solved: neither fits any model.
UNREADABLE, UNREAD = 0j, b"\0"


class FlaskRequest(QueryRequest):
    """A request that reads its query by FirstValues, and its JSON with the route's own parser.

    Where `defers` is set, a body that is refused is noted as `refusal` and stood in for, and not raised at once.
    """

    loads: Callable[[bytes], Any] = staticmethod(json.loads)
    defers = False
    refusal: HTTPException | None = None

    async def body(self) -> bytes:
        if self.refusal is None:
            try:
                return await super().body()
            except HTTPException as refusal:
                self.refuse(refusal)
            except ClientDisconnect:
                # Half a body is none: whoever sent it may still read the answer.
                self.refuse(HTTPException(400))
        return UNREAD

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            content = await self.body()
            try:
                self._json = self.loads(content) if self.refusal is None else UNREADABLE
            except Exception as error:
                refusal = HTTPException(400)
                refusal.__cause__ = error
                self.refuse(refusal)
                self._json = UNREADABLE
        return self._json

    def refuse(self, refusal: HTTPException) -> None:
        if not self.defers:
            raise refusal
        self.refusal = refusal


class Route(APIRoute):
    """`APIRouter(route_class=Route)`: typed parameters stay, and requests are read as Flask reads them.

    - A body that is not declared as JSON is 415; FastAPI hands the raw bytes to the model and answers 422.
    - JSON is read by `loads`, so that both apps can share one parser. An error it raises is a 400, with the error as
      its cause.
    - A body is refused (413, 415, 400) after the dependencies, so that a 401 of one of them comes first, as it does
      where a Flask view asks who is signed in before it reads the body; FastAPI reads the body before anything else.
    - A body that breaks off is a 400; FastAPI raises ClientDisconnect, a 500 for whoever closed only one side.
    - The first of repeated query keys counts.

    Not deferred: a body that is optional, or of a type that takes anything; it is refused at once.

    Drop it when the original is gone and its clients may see FastAPI's own answers.
    """

    loads: ClassVar[staticmethod[[bytes], Any]] = staticmethod(json.loads)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)
        defers = self.body_field is not None and takes_json and refuses_stand_ins(self.body_field)
        loads = self.loads

        async def handle_as_flask(request: Request) -> Response:
            flask_request = FlaskRequest(request.scope, request.receive)
            flask_request.loads = loads
            flask_request.defers = defers
            if takes_json and not is_json(request.headers.get("content-type", "")):
                flask_request.refuse(HTTPException(415))
            try:
                return await handle(flask_request)
            except RequestValidationError:
                if flask_request.refusal is not None:
                    raise flask_request.refusal from flask_request.refusal.__cause__
                raise

        return handle_as_flask


def refuses_stand_ins(body: ModelField) -> bool:
    """Whether a body is required and of a type that takes neither stand-in, so that a refusal can wait for the end."""
    accepted = any(not body.validate(each, {}, loc=())[1] for each in (UNREADABLE, UNREAD))
    return body.field_info.is_required() and not accepted


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON: application/json or application/*+json, parameters and case aside."""
    media_type = content_type.partition(";")[0].strip(" \t").lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))
