"""The real port's security headers, on the naive port too: they are a piece of no step, and every answer has them."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_tests.suite.targets import fastapi_app as port
from shared_core.http.security import SecurityHeaders
from shared_core.services import Services


class Secure:
    """Adds the security headers to each answer that passes."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.headers = SecurityHeaders(hsts_seconds=services.settings.hsts_seconds, write=port.access.as_field)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers, path = message.get("headers", []), scope["path"]
                unstored = port.access.is_unstored(path, message["status"], headers)
                fields = self.headers.fields(path, scheme=scope["scheme"], unstored=unstored)
                message = {**message, "headers": [*headers, *fields]}
            await send(message)

        await self.app(scope, receive, send_secured)
