"""Who asks, under which id, and what came of it: the original's outermost pieces, as WSGI.

Hooks see neither an error outside the handlers nor a transfer that breaks off, and `g` is gone by then.
"""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, request

from flask_app import outputs
from shared_core import logs, problems
from shared_core.access import AccessLog, Exchange
from shared_core.http.forwarded import UNKNOWN, Client, Proxies
from shared_core.http.request_ids import HEADER, choose_request_id
from shared_core.http.security import SecurityHeaders, must_not_be_stored
from shared_core.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Result = TypeVar("Result")

HeaderField = tuple[str, str]

# This app's name in the metrics.
APP = "original"
CLIENT, REQUEST_ID, EXCHANGE = "service.client", "service.request_id", "service.exchange"


def install_access(app: Flask, services: Services) -> None:
    """Put these pieces around an app that is otherwise finished, the outermost last."""
    log = AccessLog(APP, metrics=services.metrics, clock=services.clock, lines=services.settings.access_log)
    security = SecurityHeaders(hsts_seconds=services.settings.hsts_seconds, write=lambda name, value: (name, value))
    pieces: list[Callable[[WSGIApplication], WSGIApplication]] = [
        QuietErrors,
        partial(LogAccess, log=log),
        partial(NameRequests, make=services.new_request_id, security=security),
        partial(TrustProxies, proxies=services.settings.proxies),
    ]
    app.before_request(note_route)
    for piece in pieces:
        app.wsgi_app = piece(app.wsgi_app)  # type: ignore[method-assign, assignment]


def get_client() -> Client:
    """Who sends the request that is being answered."""
    return cast("Client", request.environ[CLIENT])


def note_route() -> None:
    """Note whose handler is about to be asked; the last of the hooks, so that what they refuse has no route."""
    rule = request.url_rule
    if rule is not None and request.method != "OPTIONS":  # Flask answers that by itself
        request.environ[EXCHANGE].route = template(rule.rule)


@cache
def template(rule: str) -> str:
    """A Werkzeug rule as the OpenAPI document writes it: `/user/<id:id>` is `/user/{id}`."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule)


class TrustProxies:
    """Gives everything inside the client's own address and scheme."""

    def __init__(self, app: WSGIApplication, proxies: Proxies) -> None:
        self.app = app
        self.proxies = proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = environ[CLIENT] = self.proxies.client(
            environ.get("REMOTE_ADDR") or UNKNOWN,
            environ["wsgi.url_scheme"],
            forwarded_for=environ.get("HTTP_X_FORWARDED_FOR"),
            forwarded_proto=environ.get("HTTP_X_FORWARDED_PROTO"),
        )
        environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = client.address, client.scheme
        return self.app(environ, start_response)


class NameRequests:
    """Gives each request an id, its answer the same one and the security headers, and each log line of it the id.

    One pass over an answer's start adds them, outside all that answers: an error has them, too. The app runs in a
    context of its own, to the end of its body: a server's thread keeps nothing for the next request.
    """

    def __init__(self, app: WSGIApplication, make: Callable[[], str], security: SecurityHeaders[HeaderField]) -> None:
        self.app = app
        self.make = make
        self.security = security

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        id = environ[REQUEST_ID] = choose_request_id(environ.get("HTTP_X_REQUEST_ID"), make=self.make)
        path, scheme = environ["PATH_INFO"], environ["wsgi.url_scheme"]

        def start(status: str, headers: list[HeaderField], exc_info: Any = None, /) -> Callable[[bytes], object]:
            security = self.security.fields(path, scheme=scheme, unstored=is_unstored(path, int(status[:3]), headers))
            return start_response(status, [*headers, (HEADER, id), *security], exc_info)

        context = copy_context()
        context.run(logs.request_id.set, id)
        return Body(context.run(self.app, environ, start), run=context.run)


def is_unstored(path: str, status: int, headers: Iterable[HeaderField]) -> bool:
    """Whether no cache may keep an answer."""
    told = {name.lower(): value for name, value in headers}
    return must_not_be_stored(path, status, says_itself="cache-control" in told, vary=told.get("vary", ""))


class LogAccess:
    """Writes and counts what came of each request, at the end of its body."""

    def __init__(self, app: WSGIApplication, log: AccessLog) -> None:
        self.app = app
        self.log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = environ[EXCHANGE] = self.log.begin(
            request_id=environ[REQUEST_ID], client=environ[CLIENT], method=environ["REQUEST_METHOD"]
        )

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            exchange.start(int(status[:3]))
            return start_response(status, headers, exc_info)

        try:
            return LoggedBody(self.app(environ, start), exchange)
        except BaseException:
            exchange.end(broken=True)
            raise


class QuietErrors:
    """Ends every error here: a server would log its message, and the raw path, which hold what a client sent.

    An error outside Flask is answered; a transfer that had begun is broken off as if the connection had been reset,
    which servers pass over in silence.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return Body(self.app(environ, start_response), run=reset_on_error)
        except Exception as error:
            logs.log_failure(error)
            exc_info = sys.exc_info()

            def start(status: str, headers: list[tuple[str, str]], _: Any = None, /) -> Callable[[bytes], object]:
                return start_response(status, headers, exc_info)

            return outputs.problem(problems.of_status(500))(environ, start)


def reset_on_error(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a step of a body. Raises ConnectionResetError for whatever it raises."""
    try:
        return function(*arguments)
    except StopIteration:
        raise
    except Exception as error:
        logs.log_failure(error)
        raise ConnectionResetError(errno.ECONNRESET, "the transfer broke off") from error


class Body:
    """A body each of whose steps is called by `run`, up to its close()."""

    def __init__(self, chunks: Iterable[bytes], run: Callable[..., Any]) -> None:
        self._run = run
        self._chunks: Iterator[bytes] = run(iter, chunks)
        self._close: Callable[[], object] = getattr(chunks, "close", lambda: None)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return cast("bytes", self._run(next, self._chunks))

    def close(self) -> None:
        self._run(self._close)


class LoggedBody:
    """A body that is counted, and logged when the server closes it."""

    def __init__(self, chunks: Iterable[bytes], exchange: Exchange) -> None:
        self._chunks = iter(chunks)
        self._close: Callable[[], object] = getattr(chunks, "close", lambda: None)
        self._exchange = exchange
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._whole = True
            raise
        self._exchange.send(len(chunk))
        return chunk

    def close(self) -> None:
        try:
            self._close()
        finally:
            self._exchange.end(broken=not self._whole)
