"""How much one request may bring."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_DIGITS = 19


@dataclass(slots=True)
class Limit:
    """How many bytes the body of one request may have."""

    max_bytes: int


class BodyLimit:
    """413 for a body over `max_bytes`, at the moment a handler reads it, declared or counted; FastAPI has no limit.

    As in Flask, a route that does not read its body never refuses it, and one that takes more says so before it reads:
    `BodyLimit.lift(request.scope, max_bytes)`. Keep it after the cutover.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        expected = declared_length(scope)
        received = 0
        # An object and not a number: what is further in has copies of the scope.
        limit = scope["wire.body_limit"] = Limit(self.max_bytes)

        async def receive_limited() -> Message:
            nonlocal received
            if max(expected, received) > limit.max_bytes:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit.max_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_limited, send)

    @staticmethod
    def lift(scope: Scope, max_bytes: int) -> None:
        """Let this request's body have more bytes."""
        scope["wire.body_limit"].max_bytes = max_bytes


def declared_length(scope: Scope) -> int:
    """The bytes that Content-Length announces, in the last one if it is repeated; 0 where there is no number."""
    declared = b""
    for name, value in scope["headers"]:
        if name == b"content-length":
            declared = value
    # Python makes no number of thousands of digits: only the first few that count are read.
    return int(declared.lstrip(b"0")[:MOST_DIGITS] or b"0") if declared.isdigit() else 0
