"""What a handler left of a request's body."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Beyond this the answer goes out, and the server reads the rest or closes the connection.
DRAINED_AT_MOST = 1 << 27


class DrainBody:
    """Answers once the whole body has come, as a WSGI app does that leaves nothing unread; FastAPI answers at once.

    A client that sends its body to the end before it reads the answer sees the same. One that waits for `100 Continue`
    is sent it in any case, and the connection can be used again: without this, uvicorn answers 415 or 404 without it,
    the client keeps its body to itself, and the next request on the connection is read as that body.

    Drop it once no client keeps its connections; or keep it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        ended = False
        received = 0

        async def receive_noted() -> Message:
            nonlocal ended, received
            message = await receive()
            received += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            while not ended and received < DRAINED_AT_MOST:
                await receive_noted()
            await send(message)

        await self.app(scope, receive_noted, send_after_body)


def has_body(scope: Scope) -> bool:
    """Whether a body was declared."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
