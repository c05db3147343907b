"""What the original needs around its handlers: before each request, and at the WSGI level."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, cast

from flask import request
from werkzeug.wsgi import get_input_stream

from flask_app.inputs import app
from shared_core.errors import NotAllowed
from shared_core.http.origin import CROSS_SITE, is_cross_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK = 1 << 16
# Beyond this the connection is closed on the client after all.
DRAINED_AT_MOST = 1 << 27


def refuse_cross_site() -> None:
    """Raises NotAllowed for what a page of another site makes a visitor's browser send."""
    if is_cross_site(
        request.method,
        sec_fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        home=app.settings.public_base_url,
        friends=app.settings.allowed_origins,
    ):
        raise NotAllowed(CROSS_SITE)


class DrainBody:
    """Reads what a handler left of the request body before the response leaves.

    gunicorn closes a connection whose body was not read, and the client then loses the answer (a 413, a 404) to a reset
    connection. uvicorn reads the rest by itself.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # It ends at Content-Length: a development server hands over the bare socket, and to read on there is to wait.
        declared = environ.get("CONTENT_LENGTH") or ""
        checked = CheckedInput(environ["wsgi.input"], int(declared) if declared.isdecimal() else None)
        environ["wsgi.input"] = cast("IO[bytes]", checked)
        stream = environ["wsgi.input"] = get_input_stream(environ)
        environ["wsgi.input_terminated"] = True
        response = self.app(environ, start_response)
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            drain(stream)
        return response


class CheckedInput(io.RawIOBase):
    """A request body that is whole, or an OSError: of that Werkzeug makes a 400.

    gunicorn takes a body that breaks off before its Content-Length for a whole one, against RFC 9112 section 8: a
    change would be made that its client never finished to ask for. A bad chunk it finds while a handler reads, and its
    own kind of error would be a 500.
    """

    def __init__(self, stream: IO[bytes], expected: int | None) -> None:
        self._stream = stream
        self._expected = expected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._read(len(buffer) if self._expected is None else min(len(buffer), self._expected))
        if self._expected is not None:
            if not data and self._expected and len(buffer):
                raise OSError("the body broke off")
            self._expected -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError:
            raise
        except Exception as error:  # each server has its own kinds
            raise OSError("the framing of the body is broken") from error


def drain(stream: IO[bytes]) -> None:
    """Read a request body to its end and forget it; a body that breaks off on the way is at its end."""
    try:
        for _ in range(DRAINED_AT_MOST // BLOCK):
            if not stream.read(BLOCK):
                return
    except Exception:  # each server has its own kinds; the answer is ready, and goes out whatever became of the body
        return
