"""What is done to every answer, as by Flask's after_request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .pages import page


@dataclass(slots=True)
class Answer:
    """An answer on its way out, which hooks may change. The body is None while it is streamed; set it to replace it."""

    status: int
    headers: MutableHeaders
    body: bytes | None


# Must not block: it runs on the event loop.
Hook = Callable[[Request, Answer], None]


class AfterRequest:
    """Hooks for every answer, the last one first, as Flask calls what was registered by after_request.

    | answer | `@app.middleware("http")` | after_request, and here |
    |---|---|---|
    | 404 and 405 of the routing | after-code runs | hooks run |
    | an unhandled exception | skips the after-code | hooks run on the 500 |
    | a hook fails | 500 in plain text | 500, the page, and the hooks run once more on it |
    | HTTPException in a hook | 500 in plain text | the same 500 |
    | a stream that fails on the way | ended cleanly | broken off |
    | a stream that fails before its first chunk (wire.streams) | ended cleanly | the server's own page, no hook runs |

    The head waits for the first of the body, as a WSGI server holds it. Install it with `AfterRequest.install(app,
    hook, ...)`, once. Keep it, or have headers that all answers need set by the proxy.
    """

    def __init__(self, app: ASGIApp, *hooks: Hook) -> None:
        self.app = app
        self.hooks = hooks

    @classmethod
    def install(cls, app: FastAPI, *hooks: Hook) -> None:
        """Put it around everything, the app's own answer to an unhandled exception included."""
        build = app.build_middleware_stack
        app.build_middleware_stack = lambda: cls(build(), *hooks)  # type: ignore[method-assign]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sender = Sender(Request(scope), self.hooks, send)
        await self.app(scope, receive, sender.send)


class Sender:
    """Holds the head of one response until the first of its body is known, and lets the hooks see both."""

    def __init__(self, request: Request, hooks: tuple[Hook, ...], send: Send) -> None:
        self._request = request
        self._hooks = hooks
        self._send = send
        self._head: Message | None = None
        self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and "wire.server" not in message:
            self._head = message
        elif self._head is not None and message["type"] == "http.response.body":
            await self._begin(self._head, message)
        elif not self._replaced:
            await self._send(message)

    async def _begin(self, head: Message, first: Message) -> None:
        self._head = None
        whole = None if first.get("more_body", False) else bytes(first.get("body", b""))
        answer = self._answer(Answer(head["status"], MutableHeaders(raw=list(head["headers"])), whole))
        self._replaced = answer.body is not whole
        if answer.body is not None and self._replaced:
            answer.headers["content-length"] = str(len(answer.body))
            first = {"type": "http.response.body", "body": answer.body}
        await self._send({**head, "status": answer.status, "headers": answer.headers.raw})
        await self._send(first)

    def _answer(self, answer: Answer) -> Answer:
        try:
            self._run(answer)
        except Exception as error:
            self._request.scope["wire.exception"] = error
            log_failure(error)
            failed = page(500)
            answer = Answer(500, failed.headers, bytes(failed.body))
            try:
                self._run(answer)
            except Exception as again:
                log_failure(again)
        return answer

    def _run(self, answer: Answer) -> None:
        for hook in reversed(self._hooks):
            hook(self._request, answer)


def log_failure(error: BaseException) -> None:
    """Flask logs it, too: a client sees a 500 alone."""
    logging.getLogger("uvicorn.error").error("a hook failed", exc_info=error)
