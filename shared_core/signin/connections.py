"""HTTPS connections over which every answer ends: within MOST_BYTES, and within the timeout however it trickles.

Imported where the provider is asked first: it loads requests. What is raised here is requests' own kind of error.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Event, Timer
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

# Decoded. A description of a provider, its keys and its tokens have some kilobytes each.
MOST_BYTES = 1 << 20
_CHUNK = 1 << 14


class AnswerTooLarge(requests.RequestException):
    """The answer has more than MOST_BYTES, and was not read any further."""


class _Connection(urllib3.connection.HTTPSConnection):
    """Waits for an answer's head no longer than its timeout, which counts each byte that comes otherwise."""

    def getresponse(self) -> Any:
        sock, seconds = self.sock, self.timeout
        if sock is None or not isinstance(seconds, (int, float)):
            return super().getresponse()
        with _ending(seconds, lambda: sock.shutdown(socket.SHUT_RD)):
            return super().getresponse()


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    """Where a session of requests takes these connections from."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}


def read_whole(answer: requests.Response, *, seconds: float) -> None:
    """Read a streamed answer, so that `content` has it. Raises AnswerTooLarge, ReadTimeout or ConnectionError."""
    raw = answer.raw
    try:
        with _ending(seconds, raw.shutdown):
            body = b"".join(_bounded(raw.stream(_CHUNK, decode_content=True)))
    except TimeoutError:
        raise requests.ReadTimeout from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__qualname__) from None
    finally:
        raw.close()
    answer.raw = BytesIO(body)


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    length = 0
    for chunk in chunks:
        length += len(chunk)
        if length > MOST_BYTES:
            raise AnswerTooLarge
        yield chunk


@contextmanager
def _ending(seconds: float, shutdown: Callable[[], object]) -> Iterator[None]:
    """Shut a connection down if what is done within takes longer. Raises TimeoutError then, whatever was read."""
    over = Event()

    def end() -> None:
        over.set()
        with suppress(OSError, ValueError, RuntimeError):  # it has ended by itself
            shutdown()

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:  # each layer has its own word for an end that came too soon
        if not over.is_set():
            raise
    finally:
        timer.cancel()
    if over.is_set():
        raise TimeoutError
