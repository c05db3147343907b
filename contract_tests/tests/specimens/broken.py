"""The port with one fault each, planted at the wire or in its source: the suite must turn red and say where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contract_tests.suite import targets

Message = dict[str, Any]
Change = Callable[[Message, bytes], tuple[Message, bytes]]


def header() -> Any:
    """A header more."""
    return Altered(lambda head, body: (with_header(head, b"x-powered-by", b"FastAPI"), body))


def lost_header() -> Any:
    """Location is missing from 201."""
    return Altered(
        lambda head, body: ({**head, "headers": [pair for pair in head["headers"] if pair[0] != b"location"]}, body)
    )


def status() -> Any:
    """200 for 201."""
    return Altered(lambda head, body: ({**head, "status": 200 if head["status"] == 201 else head["status"]}, body))


def key_order() -> Any:
    """The keys of every object in the other order."""
    return Altered(as_json(lambda value: dict(reversed(value.items())) if isinstance(value, dict) else value))


def float_for_int() -> Any:
    """An id that is a float."""
    return Altered(as_json(lambda value: value | {"id": float(value["id"])} if "id" in value else value))


def null_for_missing() -> Any:
    """A key more, with null for its value."""
    return Altered(as_json(lambda value: value | {"nickname": None} if "email" in value else value))


def white_space() -> Any:
    """The same JSON with white space in it."""
    return Altered(as_json(lambda value: value, separators=(", ", ": ")))


def missing_route() -> Any:
    """GET /users was forgotten: the port knows no such path."""
    app = targets.port()

    async def without_users(scope: Message, receive: Any, send: Any) -> None:
        await app({**scope, "path": "/nowhere"} if scope.get("path") == "/users" else scope, receive, send)

    return without_users


class Altered:
    """The port behind a fault: each response is held until it is whole, changed and sent."""

    def __init__(self, change: Change) -> None:
        self.app = targets.port()
        self.change = change

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        head, body = self.change(held[0], b"".join(message.get("body", b"") for message in held[1:]))
        if any(name == b"content-length" for name, _ in head["headers"]) and scope["method"] != "HEAD":
            head = with_header(head, b"content-length", str(len(body)).encode())
        await send(head)
        await send({"type": "http.response.body", "body": body})


def with_header(head: Message, name: bytes, value: bytes) -> Message:
    """The head with this one value for a header."""
    kept = [pair for pair in head["headers"] if pair[0] != name]
    return {**head, "headers": [*kept, (name, value)]}


def as_json(change: Callable[[Any], Any], separators: tuple[str, str] = (",", ":")) -> Change:
    """A change of the value of every 2xx JSON body but the OpenAPI document."""

    def changed(head: Message, body: bytes) -> tuple[Message, bytes]:
        if head["status"] >= 300 or not body.startswith(b"{") or b"openapi" in body:
            return head, body
        return head, json.dumps(change(json.loads(body)), ensure_ascii=False, separators=separators).encode()

    return changed
