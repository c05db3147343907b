"""A server is reached over sockets: every byte of a request goes out as it was given, and once."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract_tests.parity.drivers.http11 import Connection, serialised
from contract_tests.parity.messages import Request, Response

if TYPE_CHECKING:
    import ssl


# Seconds of silence after which a server is taken to wait for more of a request.
_QUIET = 2.0


def http(url: str, *, timeout: float = 10.0, reset: Callable[[], None] | None = None) -> HttpTarget:
    """A target for a server at an http or https URL without a path.

    `timeout` is in seconds, for one whole exchange. `reset` is called by `reset()`; without it the server's
    world is not rewound. Raises ValueError for any other URL.
    """
    return HttpTarget(url, timeout=timeout, reset=reset)


class HttpTarget:
    """A server under contract, on one connection for each thread that sends.

    A request is sent again, once, in one case only: the connection had been used before and the server closed it
    before the first byte of an answer, as it may whenever a connection is idle (RFC 9112, section 9.3.1).
    """

    def __init__(self, url: str, *, timeout: float = 10.0, reset: Callable[[], None] | None = None) -> None:
        self._secure, self._address, self._host = _parsed(url)
        self._timeout = timeout
        self._reset = reset
        self._server = ""
        self._closed = False
        self._context: ssl.SSLContext | None = None
        # By thread, whose number the system gives again once it has ended: no connection outlives its use by much.
        self._connections: dict[int, Connection] = {}

    @property
    def name(self) -> str:
        address = self._host.decode("ascii")
        return f"{address} ({self._server})" if self._server else address

    @property
    def on_socket(self) -> bool:
        """Whether raw bytes can be sent to it, which TLS would wrap."""
        return not self._secure

    def send(self, request: Request) -> Response:
        if self._closed:
            raise RuntimeError(f"the target {self.name} is closed")
        deadline = time.monotonic() + self._timeout
        if request.spelling:
            return self._spelled(request, deadline)
        connection = self._connections.get(threading.get_ident())
        if connection is not None and connection.usable():
            response = self._exchange(connection, request, deadline)
            if not connection.stale:
                return response
        return self._anew(request, deadline)

    def reset(self) -> None:
        if self._reset is not None:
            self._reset()

    def close(self) -> None:
        self._closed = True
        while self._connections:
            self._connections.popitem()[1].close()

    def __enter__(self) -> HttpTarget:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _anew(self, request: Request, deadline: float) -> Response:
        """Send on a new connection."""
        old = self._connections.pop(threading.get_ident(), None)
        if old is not None:
            old.close()
        try:
            connection = Connection(self._connected(deadline))
        except TimeoutError:
            return Response(0, failure="timeout")
        except OSError:
            return Response(0, failure="refused")
        self._connections[threading.get_ident()] = connection
        return self._exchange(connection, request, deadline)

    def _spelled(self, request: Request, deadline: float) -> Response:
        """Send in another way than usual, on a connection of its own, and hear how it is left."""
        from contract_tests.parity.drivers.raw import Talk
        from contract_tests.parity.drivers.spellings import SPELLINGS, steps_of

        if self._secure:
            raise ValueError(f"a request with the spelling {request.spelling} cannot be sent over https")
        try:
            sock = self._connected(deadline)
        except OSError as error:
            return Response(0, failure="timeout" if isinstance(error, TimeoutError) else "refused")
        methods = [request.method] * SPELLINGS[request.spelling].requests
        with sock:
            talk = Talk(sock, methods, min(_QUIET, self._timeout / 2), deadline)
            ending = talk.have(steps_of(request, self._host))
        answers = [each.response for each in talk.answers]
        first = answers[0] if answers else Response(0, failure="truncated")
        further = [f"{each.status or each.failure}, then " for each in answers[1:]]
        return replace(first, connection="".join(further) + ending)

    def _exchange(self, connection: Connection, request: Request, deadline: float) -> Response:
        response = connection.exchange(serialised(request, self._host), request, deadline)
        server = response.header("server")
        if server is not None:
            self._server = server.decode("latin-1")
        return response

    def _connected(self, deadline: float) -> socket.socket:
        sock = socket.create_connection(self._address, max(deadline - time.monotonic(), 0.001))
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._secured(sock) if self._secure else sock
        except BaseException:
            sock.close()
            raise

    def _secured(self, sock: socket.socket) -> socket.socket:
        import ssl

        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context.wrap_socket(sock, server_hostname=self._address[0])


def _parsed(url: str) -> tuple[bool, tuple[str, int], bytes]:
    """Whether a URL is https, its address, and its Host header."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https URL")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{url!r} has more than a scheme, a host and a port")
    default = 443 if parts.scheme == "https" else 80
    host = re.sub(f":{default}$", "", parts.netloc)
    return (
        parts.scheme == "https",
        (parts.hostname, parts.port or default),
        host.encode("idna" if not host.isascii() else "ascii"),
    )
