"""A WSGI application is called as a strict server calls it: by PEP 3333, and as gunicorn does where that is silent."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from contract_tests.parity.drivers import framing
from contract_tests.parity.drivers.worker import Late, Worker
from contract_tests.parity.messages import Header, Headers, Request, Response

if TYPE_CHECKING:
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
    WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# A response, and what was written to wsgi.errors.
_Outcome = tuple[Response, str]

_STATUS = re.compile(r"[1-9][0-9]{2}(?: [\t \x21-\x7e\x80-\xff]*)?")
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t \x21-\x7e\x80-\xff]*")

# The connection is the server's affair: gunicorn drops these from what an application sends (PEP 3333,
# "Other HTTP Features", forbids them).
_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailers",
    b"transfer-encoding",
    b"upgrade",
    b"server",
    b"date",
}
# The heads of one app are much alike, and each request is sent to two: so many are remembered.
_KEPT = 512


def wsgi(app: WSGIApp, *, reset: Callable[[], None] | None = None, timeout: float | None = None) -> WsgiTarget:
    """A target for a WSGI application, called by several at once where several send.

    `reset` is called by `reset()`; without it the application's world is not rewound. `timeout` is in seconds,
    for a response to be complete. The application is called on a thread of its own for each thread that sends;
    one that does not end in time is abandoned there, on a daemon thread, since no thread can be stopped.
    With None it is called on the thread of whoever sends, for as long as it takes: as Flask's test client does, so that
    an application works whose database lives on the thread that made it.
    """
    return WsgiTarget(app, reset=reset, timeout=timeout)


class WsgiTarget:
    """A WSGI application under contract. `errors` is what the last request wrote to wsgi.errors."""

    def __init__(self, app: WSGIApp, *, reset: Callable[[], None] | None = None, timeout: float | None = None) -> None:
        self._app = app
        self._reset = reset
        self._timeout = timeout
        self._local = threading.local()
        self.errors = ""

    @property
    def name(self) -> str:
        return framing.name_of(self._app)

    @property
    def app(self) -> object:
        """The application itself: what it shows of its routes is read from it."""
        return self._app

    def send(self, request: Request) -> Response:
        if framing.split_target(request.target) is None:
            return framing.bad_request(request.method)
        # An empty context, as a server's thread has: nothing of the caller's reaches the application, nor comes back.
        context, environ = Context(), environ_of(request)
        try:
            if self._timeout is None:
                response, self.errors = context.run(self._call, environ)
            else:
                response, self.errors = self._bounded(lambda: context.run(self._call, environ), self._timeout)
        except Late:
            return Response(0, failure="timeout")
        return response

    def _bounded(self, call: Callable[[], _Outcome], timeout: float) -> _Outcome:
        # Taken out for the call: whatever ends the wait for it early leaves a worker that is not used again.
        worker: Worker[_Outcome] | None = self._local.__dict__.pop("worker", None)
        if worker is None or not worker.alive:
            worker = Worker()
        outcome = worker.call(call, timeout)
        self._local.worker = worker
        return outcome

    def _call(self, environ: dict[str, Any]) -> _Outcome:
        # The application may replace the stream in its environ.
        errors = environ["wsgi.errors"]
        call = _Call(environ["REQUEST_METHOD"])
        exception: BaseException | None = None
        try:
            call.run(self._app, environ)
        except (Exception, SystemExit) as error:
            exception = error
        return call.response(exception or environ.get("wire.exception")), errors.getvalue()

    def reset(self) -> None:
        if self._reset is not None:
            self._reset()

    def close(self) -> None:
        # Dropped workers end.
        self._local = threading.local()

    def __enter__(self) -> WsgiTarget:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def environ_of(request: Request) -> dict[str, Any]:
    """The environ of one request (PEP 3333, "environ Variables"); its target must be a valid one."""
    path, query = framing.split_target(request.target) or ("", "")
    scheme, host, port = framing.reached()
    raw = request.target.decode("latin-1")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": raw,
        "RAW_URI": raw,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "parity",
        "REMOTE_ADDR": framing.CLIENT[0],
        "REMOTE_PORT": str(framing.CLIENT[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": _Input(framing.received_body(request)),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        **_header_variables(framing.received(request)),
    }


@lru_cache(_KEPT)
def _header_variables(headers: Headers) -> dict[str, str]:
    """Headers by their CGI names, as gunicorn 27 gives them.

    Repeated ones are joined by commas, Cookie too. Names with an underscore are dropped: they could pass
    for another header.
    """
    variables: dict[str, str] = {}
    for raw_name, raw_value in headers:
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variables[name] = value
        else:
            key = f"HTTP_{name}"
            variables[key] = f"{variables[key]},{value}" if key in variables else value
    return variables


class _Input:
    """A request body with the four methods that PEP 3333 promises, and no more."""

    def __init__(self, body: bytes) -> None:
        self._body = io.BytesIO(body)

    def read(self, size: int | None = -1) -> bytes:
        return self._body.read(size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._body.readline(size)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return self._body.readlines(-1 if hint is None else hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)


class _Call:
    """One call of the application, from the environ to the end of its body."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._status: int | None = None
        self._headers: tuple[Header, ...] = ()
        self._body = bytearray()
        self._head_sent = False
        self._ended = False

    def run(self, app: WSGIApp, environ: dict[str, Any]) -> None:
        """Call the application, read its body, close it. Raises what the application raises."""
        chunks = app(environ, self.start_response)
        try:
            for chunk in chunks:
                self._take(chunk)
            self._head_sent = True
            self._ended = True
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Keep the head until the first byte of the body (PEP 3333, "The start_response() Callable")."""
        try:
            if exc_info is not None and self._head_sent:
                raise exc_info[1].with_traceback(exc_info[2])
            if exc_info is None and self._status is not None:
                raise AssertionError("start_response() was called twice without exc_info")
        finally:
            exc_info = None  # a traceback kept in this frame would hold the frame
        code = _checked_status(status)
        checked = [_checked_header(name, value) for name, value in headers]
        self._headers = tuple(header for header in checked if not is_the_servers(header[0].lower(), code))
        self._status = code
        return self.write

    def write(self, data: bytes) -> None:
        """Send the head and some body at once (PEP 3333, "The write() Callable")."""
        self._take(data)
        self._head_sent = True

    def response(self, exception: BaseException | None) -> Response:
        if self._status is None or not self._head_sent:
            return framing.server_error(self._method, exception or AssertionError("the application sent no response"))
        body = bytes(self._body)
        return framing.delivered(
            self._method, self._status, self._headers, body, ended=self._ended, exception=exception
        )

    def _take(self, data: bytes) -> None:
        self._started()
        if not isinstance(data, bytes):
            raise TypeError(f"a body consists of bytes, not of {type(data).__name__}")
        if data:
            self._head_sent = True
            self._body += data

    def _started(self) -> None:
        if self._status is None:
            raise AssertionError("the application did not call start_response() before its body")


def is_the_servers(name: bytes, status: int) -> bool:
    """Whether a header, by its name in lower case, is for the server to send, who drops it from the application's."""
    # RFC 9110, section 8.6: no Content-Length in 1xx and 204.
    if name == b"content-length":
        return status < 200 or status == 204
    return name in _HOP_BY_HOP


def _checked_status(status: object) -> int:
    if not isinstance(status, str):
        raise TypeError(f"a status is a str, not {status!r}")
    return _status_code(status)


@lru_cache(_KEPT)
def _status_code(status: str) -> int:
    if not _STATUS.fullmatch(status):
        raise ValueError(f"invalid status {status!r}")
    return int(status[:3])


def _checked_header(name: object, value: object) -> Header:
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"a header is a pair of str, not {name!r}: {value!r}")
    return _encoded_header(name, value)


@lru_cache(_KEPT)
def _encoded_header(name: str, value: str) -> Header:
    # The value may be a secret and stays out of the message.
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"invalid header {name!r}")
    value = value.strip(" \t")
    if name.lower() == "content-length" and not (value.isascii() and value.isdigit()):
        raise ValueError(f"invalid Content-Length {value!r}")
    return name.encode("latin-1"), value.encode("latin-1")
