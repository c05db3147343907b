"""What surrounds an application's answer is the server's, and is the same whichever interface the application has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import urlsplit

from contract_tests.parity.messages import Headers, Request, Response, length_of

SCHEME = "https"
HOST = "testserver"
PORT = 443
CLIENT = ("127.0.0.1", 50000)

# Scheme, host and port by which an application is reached: a suite's own client may speak http to localhost.
_REACHED: ContextVar[tuple[str, str, int]] = ContextVar("reached", default=(SCHEME, HOST, PORT))

# RFC 9112, section 3.2: what is not a printable ASCII character must be percent-encoded.
_UNPRINTABLE = re.compile(rb"[^\x21-\x7e]")


def reached() -> tuple[str, str, int]:
    """Scheme, host and port by which an application in this process is reached."""
    return _REACHED.get()


@contextmanager
def reached_by(scheme: str, host: str, port: int) -> Iterator[None]:
    """Requests that are sent within reach an application by this scheme, host and port."""
    before = _REACHED.set((scheme, host, port))
    try:
        yield
    finally:
        _REACHED.reset(before)


def completed(request: Request, host: bytes) -> Headers:
    """The request's headers with what a valid HTTP/1.1 request cannot lack: Host, and a length for its body.

    A request that carries Content-Length or Transfer-Encoding keeps them as they are, right or wrong.
    """
    names = {name.lower() for name, _ in request.headers}
    headers = request.headers
    if b"host" not in names:
        headers = ((b"Host", host), *headers)
    if request.body and not names & {b"content-length", b"transfer-encoding"}:
        headers = (*headers, (b"Content-Length", b"%d" % len(request.body)))
    return headers


def received(request: Request) -> Headers:
    """The headers as a server hands them on: completed, and without the white space around values (RFC 9110, 5.5)."""
    return tuple((name, value.strip(b" \t")) for name, value in completed(request, HOST.encode()))


def received_body(request: Request) -> bytes:
    """The bytes that belong to this request: no more than its Content-Length says."""
    length = declared_length(request.headers)
    return request.body if length is None else request.body[:length]


@lru_cache(64)
def split_target(target: bytes) -> tuple[str, str] | None:
    """Path and query of a request target, still percent-encoded; None where a server answers 400 by itself.

    Takes origin, absolute and asterisk form (RFC 9112, section 3.2) and drops a fragment, as gunicorn and httptools do.
    """
    if not target or _UNPRINTABLE.search(target):
        return None
    text = target.decode("ascii")
    if text.startswith("/") or text == "*":
        path, _, query = text.partition("#")[0].partition("?")
        return path, query
    parts = urlsplit(text)
    return (parts.path or "/", parts.query) if parts.netloc else None


def has_content(method: str, status: int) -> bool:
    """Whether a body may follow this head on the wire (RFC 9110, section 6.4.1)."""
    return method != "HEAD" and status >= 200 and status not in (204, 304)


def declared_length(headers: Headers) -> int | None:
    """The number of bytes that Content-Length promises; None where there is none, or no number."""
    value = next((value.strip() for name, value in headers if name.lower() == b"content-length"), b"")
    return length_of(value) if value.isdigit() else None


def delivered(
    method: str, status: int, headers: Headers, body: bytes, *, ended: bool, exception: BaseException | None
) -> Response:
    """The response as a client reads it from the wire.

    `ended` tells whether the application came to its proper end. Without one, a body of known length is
    whole as soon as it is all there; any other is truncated.
    """
    if not has_content(method, status):
        return Response(status, headers, exception=exception)
    length = declared_length(headers)
    whole = ended if length is None else len(body) >= length
    return Response(status, headers, body[:length], None if whole else "truncated", exception)


def plain(method: str, status: int, text: bytes, exception: BaseException | None = None) -> Response:
    """A server's own answer, given where the application gave none."""
    headers = ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text)))
    return Response(status, headers, text if has_content(method, status) else b"", exception=exception)


def server_error(method: str, exception: BaseException) -> Response:
    """The answer to an exception that escapes the application before its head is sent."""
    return plain(method, 500, b"Internal Server Error", exception)


def bad_request(method: str) -> Response:
    """The answer to a target that no server hands to an application."""
    return plain(method, 400, b"Bad Request")


def name_of(app: object) -> str:
    """An application's class, or the name of the function it is."""
    named = app if hasattr(app, "__qualname__") else type(app)
    return f"{named.__module__}.{named.__qualname__}"
