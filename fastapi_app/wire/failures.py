"""What becomes of an error that no handler caught."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class QuietErrors:
    """The outermost piece: what no handler caught has been answered by now, and ends here.

    Starlette answers 500 and raises the error again, and the server then logs its message, which may hold what a client
    sent. Here it goes to `log`, and to `scope["wire.exception"]`, where a test can find it. A transfer that had begun
    stays broken: the server closes the connection. Keep it after the cutover.
    """

    def __init__(self, app: ASGIApp, log: Callable[[BaseException], None]) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            scope["wire.exception"] = error
            self.log(error)
