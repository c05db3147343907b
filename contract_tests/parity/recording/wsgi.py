"""The WSGI piece: the app and the server see each other as before (PEP 3333), and no body is held back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .captured import DISCONNECTED, RAISED, TRUNCATED, Body, Captured
from .recorder import Recorder

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

# What a path may hold as it is (RFC 3986, pchar), beside what quote leaves alone.
_PATH = "/!$&'()*+,;=:@~"
_UNKNOWN = -1
_REMEMBERED = 500
_HEADER_KEYS: dict[tuple[str, ...], tuple[tuple[str, ...], Callable[[Environ], tuple[str, ...]]]] = {}


class WSGIRecorder:
    """Records a WSGI app: `app.wsgi_app = WSGIRecorder(app.wsgi_app, "recordings/original", sample=0.1)`.

    Takes what Recorder takes, or a Recorder in the folder's place.
    """

    def __init__(self, app: App, folder: Path | str | Recorder, **options: Any) -> None:
        self.app = app
        self.recorder = folder if isinstance(folder, Recorder) else Recorder(folder, **options)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        recorder = self.recorder
        key = environ.get("HTTP_X_REQUEST_ID")
        if recorder.sample < 1 and not recorder.samples(key):
            return self.app(environ, start_response)
        try:
            exchange = _Exchange(recorder, environ, key, start_response)
        except Exception as error:  # the app answers what the recorder cannot read
            recorder.fail(error)
            return self.app(environ, start_response)
        if exchange.request_body is not None:
            environ["wsgi.input"] = _Input(environ["wsgi.input"], exchange.request_body)
        try:
            result = self.app(environ, exchange.start)
        except BaseException:
            exchange.end(TRUNCATED if exchange.status else RAISED)
            raise
        return exchange.passed(result, environ.get("wsgi.file_wrapper"))


class _Exchange(Captured):
    """One request's way through the app; also the iterable that the server gets."""

    __slots__ = ("_next", "_recorder", "_result", "_start", "_whole", "_write")

    def __init__(self, recorder: Recorder, environ: Environ, key: str | None, start_response: StartResponse) -> None:
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or _target(environ)
        limit = recorder.body_bytes
        super().__init__(key, environ["REQUEST_METHOD"], target, _headers(environ), limit)
        self._recorder: Recorder | None = recorder
        self._start, self._whole = start_response, False
        length = environ.get("CONTENT_LENGTH")
        if (length and length != "0") or "HTTP_TRANSFER_ENCODING" in environ:
            self.request_body = Body(limit)
            self.unread = int(length) if length and length.isdecimal() else _UNKNOWN

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        write = self._start(status, headers) if exc_info is None else self._start(status, headers, exc_info)
        # The last one counts: what an earlier one said has not been sent (PEP 3333).
        self.status, self.headers, self._write = status, tuple(headers), write
        return self.write

    def write(self, data: bytes) -> object:
        """The old way to send a body: what `start_response` gives."""
        self.answer.add(data)
        return self._write(data)

    def passed(self, result: Iterable[bytes], file_wrapper: Any) -> Iterable[bytes]:
        """The app's result for the server, which may know it by its class or its length."""
        if isinstance(file_wrapper, type) and isinstance(result, file_wrapper):
            self.seen = False
            self.end()
            return result
        if type(result) is list and self.status:
            for chunk in result:
                self.answer.add(chunk)
            self.end()
            return result
        self._result: Any = result
        self._next = iter(result).__next__
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = self._next()
        except StopIteration:
            self._whole = True
            raise
        except BaseException:
            self.end(TRUNCATED if self.status else RAISED)
            raise
        self.answer.add(chunk)
        return chunk

    def close(self) -> None:
        result, self._result = self._result, None
        try:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        finally:
            self.end(None if self._whole else DISCONNECTED)

    def end(self, failure: str | None = None) -> None:
        """Hand the exchange over, once, and let go of what is the server's and the app's."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self.seconds = time.perf_counter() - self.began
            self.failure = failure
            self._start = self._write = self._next = _nothing
            recorder.put(self)


class _Input:
    """The request's body, noted as the app reads it."""

    def __init__(self, stream: Any, body: Body) -> None:
        self._stream, self._body = stream, body

    def read(self, *size: int) -> bytes:
        return self._noted(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._noted(self._stream.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._noted(line) for line in self._stream.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._noted, self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _noted(self, data: bytes) -> bytes:
        self._body.add(data)
        return data


def _headers(environ: Environ) -> Iterable[tuple[str, str]]:
    """The request's headers. Which keys are headers is found once for all requests that have the same keys."""
    keys = tuple(environ)
    known = _HEADER_KEYS.get(keys)
    if known is None:
        if len(_HEADER_KEYS) >= _REMEMBERED:
            _HEADER_KEYS.clear()
        found = tuple(key for key in keys if key.startswith("HTTP_") or key == "CONTENT_TYPE")
        known = _HEADER_KEYS[keys] = found, itemgetter(*found, "REQUEST_METHOD")
    names, values = known
    return zip(names, values(environ), strict=False)


def _target(environ: Environ) -> str:
    """The target written again, where the server does not tell the raw one as gunicorn and Werkzeug do."""
    path = quote((environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1"), safe=_PATH)
    query = environ.get("QUERY_STRING")
    return f"{path or '/'}?{query}" if query else path or "/"


def _nothing(*_: Any) -> Any:
    raise StopIteration
