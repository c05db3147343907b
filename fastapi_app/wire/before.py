"""What is asked before any route, as by Flask's before_request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# Must not block: it runs on the event loop.
Check = Callable[[Request], Awaitable[Response | None]]


class BeforeRequest:
    """Checks that run before every request, in their order; the first that gives a response has answered.

    | request, where a check refuses | a dependency of routers | before_request, and here |
    |---|---|---|
    | a path that nobody routes | 404 | refused |
    | a wrong method, OPTIONS, a missing slash | 405, 405, 307 | refused |
    | a route that a router without the dependency brings | served: open to anyone | refused |
    | a body that cannot be read | 422 or 415 | refused |

    An HTTPException that a check raises is answered by the app's own handler. A blueprint's before_request is not this,
    but a dependency of its router: Flask asks it only where a route of the blueprint was found.

    Install it with `BeforeRequest.install(app, check, ...)`, once and after Routing. It shows nothing in the OpenAPI
    document; a security scheme belongs there all the same. Keep it: what it guards stays guarded when routes are added.
    """

    def __init__(self, app: ASGIApp, *checks: Check) -> None:
        self.app = app
        self.checks = checks

    @classmethod
    def install(cls, app: FastAPI, *checks: Check) -> None:
        """Put it before the app's router, and within its exception handlers."""
        app.router.middleware_stack = cls(app.router.middleware_stack, *checks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            for check in self.checks:
                response = await check(request)
                if response is not None:
                    await response(scope, receive, send)
                    return
        await self.app(scope, receive, send)
