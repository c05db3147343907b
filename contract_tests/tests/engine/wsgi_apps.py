"""WSGI applications for tests of their driver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

from contract_tests.parity.drivers import wsgi
from contract_tests.parity.messages import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ = dict[str, Any]

TEXT = [("Content-Type", "text/plain")]


def answering(
    status: str = "200 OK", headers: list[tuple[str, str]] = TEXT, body: Iterable[bytes] = (b"hello",)
) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, headers)
        return body

    return app


def get(app: Any, **kwargs: Any) -> Response:
    return wsgi(app).send(Request(**{"method": "GET", "target": b"/", **kwargs}))


def environ_of(request: Request) -> Environ:
    """The environ that an application gets for a request, checked by wsgiref."""
    seen: Environ = {}

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read(-1)
        start_response("200 OK", TEXT)
        return [b"ok"]

    response = wsgi(validator(app)).send(request)
    assert response.exception is None
    return seen
