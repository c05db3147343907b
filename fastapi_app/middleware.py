"""What the port needs around its routes, as pure ASGI."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_app import outputs, wire
from shared_core import problems
from shared_core.errors import NotAllowed
from shared_core.http.origin import CROSS_SITE, is_cross_site


class RefuseCrossSite:
    """Answers 403 to what a page of another site makes a visitor's browser send; `home` is the service's own origin."""

    def __init__(self, app: ASGIApp, home: str) -> None:
        self.app = app
        self.home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            site, origin = wire.field(scope, b"sec-fetch-site"), wire.field(scope, b"origin")
            if is_cross_site(scope["method"], sec_fetch_site=site, origin=origin, home=self.home):
                app = outputs.problem(problems.of_error(NotAllowed(CROSS_SITE)))
        await app(scope, receive, send)
