"""The session bridge: Flask-Session's sessions for any ASGI app. It knows neither this service nor Flask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app import wire
from shared_core.sessions import AsyncStore, Codec, Session, SessionPolicy, open_session, save_session
from shared_core.sessions.session import begin_session

# Makes the answer to an error of the store, or of what was to be stored.
Failed = Callable[[Exception], ASGIApp]


class Sessions:
    """Opens the session of each request before it, and saves it before the response leaves.

    Wrap the finished app (`build_middleware_stack`), do not add it: Starlette's error middleware would be outside, and
    a session that was changed before an unhandled error would be lost, which Flask saves. Where saving fails,
    `failed(error)` answers; where opening does, RefuseWithoutSession does, further in. Handlers find the session by
    get_session(). It stays after the cutover: these sessions are the port's own by then.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: SessionPolicy,
        store: AsyncStore,
        clock: Callable[[], datetime],
        failed: Failed,
    ) -> None:
        self.app = app
        self.policy = policy
        self.store = store
        self.clock = clock
        self.failed = failed
        self.codec = Codec(policy.format)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            cookie_header = wire.field(scope, b"cookie") or ""
            session = await open_session(self.store, self.policy, self.codec, cookie_header=cookie_header)
        except Exception as error:
            # Not saved at the end: nobody knows what it would replace.
            scope["session"], scope["session.failure"] = begin_session(self.policy), error
            await self.app(scope, receive, send)
            return
        scope["session"] = session
        await self.app(scope, receive, self._saving(session, scope, receive, send))

    def _saving(self, session: Session, scope: Scope, receive: Receive, send: Send) -> Send:
        replaced = False

        async def send_saved(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                try:
                    headers = await save_session(self.store, self.policy, self.codec, session, now=self.clock())
                except Exception as error:
                    if message["status"] != 500:
                        replaced = True
                        await self.failed(error)(scope, receive, send)
                        return
                    # As in Flask, the first failure is the one that is told.
                    headers = [("Vary", "Cookie")] if session.accessed else []
                add_headers(message, headers)
            if not replaced:
                await send(message)

        return send_saved


class RefuseWithoutSession:
    """Answers by `failed(error)` what cannot be answered because its session could not be opened, but for some paths.

    A piece of its own, so that checks that need no session may come before it.
    """

    def __init__(self, app: ASGIApp, failed: Failed, without_session: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.failed = failed
        self.without_session = without_session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if "session.failure" in scope and "/" + scope["path"].lstrip("/") not in self.without_session:
            app = self.failed(scope["session.failure"])
        await app(scope, receive, send)


async def get_session(connection: HTTPConnection) -> Session:
    """The session of a request, for Depends; asking for it is not yet using it."""
    session: Session = connection.scope["session"]
    return session


def add_headers(message: Message, headers: list[tuple[str, str]]) -> None:
    """Add to a response's headers; Vary is one field."""
    if not headers:
        return
    fields = MutableHeaders(raw=message.setdefault("headers", []))
    for name, value in headers:
        if name == "Vary":
            fields.add_vary_header(value)
        else:
            fields.append(name, value)
