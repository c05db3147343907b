"""Werkzeug's error pages, for the errors that a FastAPI app raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .markup import escaped


def log_failure(error: BaseException) -> None:
    logging.getLogger("uvicorn.error").error("an error that no handler caught", exc_info=error)


class Pages:
    """Answer an HTTPException, and an error that nobody caught, by the page that Flask has for it.

    FastAPI answers {"detail": ...}, and an uncaught error in plain text, after which uvicorn closes the connection;
    gunicorn keeps it. The detail that an HTTPException is raised with is shown as abort() shows its own.
    A transfer that has begun stays broken. Drop it once no client reads the pages.
    """

    def __init__(self, app: ASGIApp, log: Callable[[BaseException], None] = log_failure) -> None:
        self.app = app
        self.log = log

    @classmethod
    def install(cls, app: FastAPI) -> None:
        """Answer HTTPExceptions where the app does, and the rest around all pieces that were added before."""
        app.add_exception_handler(HTTPException, answer)
        app.add_middleware(cls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            await send(message)
            begun = True

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            scope["wire.exception"] = error
            self.log(error)
            await page(500)(scope, receive, send)


async def answer(_: Request, error: Exception) -> Response:
    """The page for an HTTPException."""
    if not isinstance(error, HTTPException):
        raise error
    given = None if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    response = page(error.status_code, given)
    for name, value in (error.headers or {}).items():
        response.headers.append(name, value)
    return response


def page(status: int, description: str | None = None) -> Response:
    """Werkzeug's page for a status, with its own description or the one given, which is text and not HTML."""
    name = NAMES.get(status, "Unknown Error")
    text = escaped(DESCRIPTIONS.get(status, "") if description is None else description).replace("\n", "<br>")
    html = f"<!doctype html>\n<html lang=en>\n<title>{status} {escaped(name)}</title>\n<h1>{escaped(name)}</h1>\n"
    return HTMLResponse(f"{html}<p>{text}</p>\n", status)


NAMES = {
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    305: "Use Proxy",
    306: "Switch Proxy",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable",
    417: "Expectation Failed",
    418: "I'm a teapot",
    421: "Misdirected Request",
    422: "Unprocessable Entity",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    449: "Retry With",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    506: "Variant Also Negotiates",
    507: "Insufficient Storage",
    508: "Loop Detected",
    510: "Not Extended",
    511: "Network Authentication Failed",
}

DESCRIPTIONS = {
    400: "The browser (or proxy) sent a request that this server could not understand.",
    401: (
        "The server could not verify that you are authorized to access the URL requested. You either "
        "supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how to "
        "supply the credentials required."
    ),
    403: (
        "You don't have the permission to access the requested resource. It is either read-protected or "
        "not readable by the server."
    ),
    404: (
        "The requested URL was not found on the server. If you entered the URL manually please check "
        "your spelling and try again."
    ),
    405: "The method is not allowed for the requested URL.",
    406: (
        "The resource identified by the request is only capable of generating response entities which "
        "have content characteristics not acceptable according to the accept headers sent in the "
        "request."
    ),
    408: (
        "The server closed the network connection because the browser didn't finish the request within "
        "the specified time."
    ),
    409: (
        "A conflict happened while processing the request. The resource might have been modified while "
        "the request was being processed."
    ),
    410: (
        "The requested URL is no longer available on this server and there is no forwarding address. If "
        "you followed a link from a foreign page, please contact the author of this page."
    ),
    411: "A request with this method requires a valid <code>Content-Length</code> header.",
    412: "The precondition on the request for the URL failed positive evaluation.",
    413: "The data value transmitted exceeds the capacity limit.",
    414: (
        "The length of the requested URL exceeds the capacity limit for this server. The request cannot be processed."
    ),
    415: "The server does not support the media type transmitted in the request.",
    416: "The server cannot provide the requested range.",
    417: "The server could not meet the requirements of the Expect header",
    418: "This server is a teapot, not a coffee machine",
    421: "The server is not able to produce a response.",
    422: "The request was well-formed but was unable to be followed due to semantic errors.",
    423: "The resource that is being accessed is locked.",
    424: (
        "The method could not be performed on the resource because the requested action depended on "
        "another action and that action failed."
    ),
    428: 'This request is required to be conditional; try using "If-Match" or "If-Unmodified-Since".',
    429: "This user has exceeded an allotted request count. Try again later.",
    431: "One or more header fields exceeds the maximum size.",
    451: "Unavailable for legal reasons.",
    500: (
        "The server encountered an internal error and was unable to complete your request. Either the "
        "server is overloaded or there is an error in the application."
    ),
    501: "The server does not support the action requested by the browser.",
    502: "The proxy server received an invalid response from an upstream server.",
    503: (
        "The server is temporarily unable to service your request due to maintenance downtime or "
        "capacity problems. Please try again later."
    ),
    504: "The connection to an upstream server timed out.",
    505: "The server does not support the HTTP protocol version used in the request.",
}
