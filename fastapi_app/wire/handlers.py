"""Which handler answers an error, chosen as Flask chooses it; and abort()."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

import fastapi
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .pages import DESCRIPTIONS, log_failure, page

ErrorHandler = Callable[[Request, Any], Awaitable[Response]]
Key = int | type[Exception]


class Abort(fastapi.HTTPException):
    """What abort() raises: the description is told apart from none, and a whole response may stand in for the page."""

    def __init__(
        self, status: int, description: str | None, headers: Mapping[str, str] | None, response: Response | None
    ) -> None:
        # A ready response may have a status that no enumeration knows.
        super().__init__(status, description if response is None else "", headers)
        self.description = description
        self.response = response


def abort(
    status: int | Response, description: str | None = None, *, headers: Mapping[str, str] | None = None
) -> NoReturn:
    """Flask's abort(): raises for a status, with Werkzeug's words for it or the ones given, or for a ready response.

    `headers` stand for what Werkzeug's exceptions take apart: Retry-After, WWW-Authenticate, Allow. A status for which
    Werkzeug has no exception (402, 407, 425, 426, 506 to 511) is a LookupError, and thereby a 500, as it is there. A
    ready response needs Handlers. Drop it for FastAPI's HTTPException when the pages go.
    """
    if isinstance(status, Response):
        raise Abort(status.status_code, None, None, status)
    if status not in DESCRIPTIONS:
        raise LookupError(f"no exception for {status!r}")
    raise Abort(status, description, headers, None)


class Handlers:
    """Error handlers for statuses and classes of errors, chosen as Flask's `errorhandler` chooses them.

    | error | FastAPI's exception_handlers | Flask, and here |
    |---|---|---|
    | HTTPException, and only Exception has a handler | `{"detail"}` | the handler for Exception |
    | unhandled, and HTTPException has a handler | 500 in plain text | the handler, with a 500 |
    | unhandled, and 500 has a handler | the handler, and the error again in the server's log | the handler |
    | HTTPException(500), and 500 has a handler | `{"detail"}` | the handler |
    | an error in a handler | 500 in plain text | the handler for 500, or the page |
    | abort(Response(...)) | no such thing | the response, past all handlers |

    A status goes before a class, and a class before those it derives from. What has no handler gets Werkzeug's page.
    A handler for 500 is given an HTTPException whose cause is what was raised.

    Not closed: handlers of one blueprint alone, which FastAPI's routers have no place for.

    Install it with `Handlers.install(app, {404: not_found, Problem: on_problem})`, in place of Pages. Drop it once each
    error has one handler, by its class.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[Key, ErrorHandler]) -> None:
        self.app = app
        self.handlers = handlers

    @classmethod
    def install(cls, app: FastAPI, handlers: Mapping[Key, ErrorHandler]) -> None:
        """Answer errors where the app does, and unhandled ones around all pieces that were added before."""
        # Starlette's own is the base of FastAPI's, and what its router raises: one handler is for both.
        handlers = {HTTPException if key is fastapi.HTTPException else key: handlers[key] for key in handlers}

        async def answer(request: Request, error: Exception) -> Response:
            return await answer_to(request, error, handlers)

        # These have handlers of FastAPI's own; a status is an HTTPException's.
        classes = {HTTPException, RequestValidationError, *(key for key in handlers if isinstance(key, type))}
        for each in classes - {Exception}:
            app.add_exception_handler(each, answer)
        app.add_middleware(cls, handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            response = await answer_to(Request(scope, receive), error, self.handlers)
            scope["wire.exception"] = error
            await response(scope, receive, send)


async def answer_to(request: Request, error: Exception, handlers: Mapping[Key, ErrorHandler]) -> Response:
    """The answer to an error; what nobody handles is logged, and answered as a 500."""
    if isinstance(error, Abort) and error.response is not None:
        return error.response
    try:
        if (handler := chosen(error, handlers)) is not None:
            return await handler(request, error)
        if isinstance(error, HTTPException):
            return page_of(error)
    except Exception as another:
        error = another
    log_failure(error)
    request.scope["wire.exception"] = error
    failure = Abort(500, None, None, None)
    failure.__cause__ = error
    handler = chosen(failure, handlers)
    return page(500) if handler is None else await handler(request, failure)


def chosen(error: Exception, handlers: Mapping[Key, ErrorHandler]) -> ErrorHandler | None:
    """The handler for an error, if there is one: by its status first, then by its class and those it derives from."""
    keys: list[Any] = [error.status_code] if isinstance(error, HTTPException) else []
    return next((handlers[key] for key in (*keys, *type(error).__mro__) if key in handlers), None)


def page_of(error: HTTPException) -> Response:
    """The page for an HTTPException."""
    response = page(error.status_code, described(error))
    for name, value in (error.headers or {}).items():
        response.headers.append(name, value)
    return response


def described(error: HTTPException) -> str | None:
    """What the page says: what abort() was given, or the detail that FastAPI did not make from the status alone."""
    if isinstance(error, Abort):
        return error.description
    try:
        unsaid = HTTPStatus(error.status_code).phrase
    except ValueError:
        unsaid = ""
    return None if error.detail == unsaid else str(error.detail)


async def list_violations(_: Request, error: RequestValidationError) -> Response:
    """A handler for teams who keep FastAPI's 422 and its list: without `input` and `ctx`, which repeat what was sent.

    FastAPI's own echoes the whole body where one field is missing, a password too. Keep it after the cutover.
    """
    shown = [{key: each[key] for key in ("type", "loc", "msg") if key in each} for each in error.errors()]
    return JSONResponse({"detail": shown}, 422)
