"""HTTP/1.1 on the wire (RFC 9112): requests are written byte for byte, responses are read whole or found broken."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator

from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Header, Headers, Request, Response, length_of

MAX_HEAD = 256 * 1024
MAX_BODY = 256 * 1024 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: (.*))?")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_PIECE = 64 * 1024


class ProtocolError(Exception):
    """The bytes that arrived are no whole HTTP/1.1 response."""


def serialised(request: Request, host: bytes) -> bytes:
    """The request as it goes over the wire.

    Nothing is normalised. Host and Content-Length are added where it carries none; a body is sent in chunks where
    it carries `Transfer-Encoding: chunked`, and as it is otherwise.
    """
    headers = framing.completed(request, host)
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("latin-1"), request.target)]
    lines += [b"%s: %s" % header for header in headers]
    body = b"".join(_chunks(request.body)) if _chunked(headers) else request.body
    return b"\r\n".join([*lines, b"", body])


class Connection:
    """One connection and the exchanges on it; after a failure it is closed.

    `stale` is set where the server closed it without a byte of an answer to the last request.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.stale = False
        self._stream = Stream(sock)
        self._sock = sock
        self._open = True

    def usable(self) -> bool:
        """Whether another request may be sent: an idle connection with anything to read was closed by the server."""
        return self._open and not self._stream.readable()

    def exchange(self, data: bytes, request: Request, deadline: float) -> Response:
        """Send the bytes of a request and read its response, until the deadline (on the monotonic clock)."""
        self._stream.begin(deadline)
        incoming = Incoming(request.method)
        failure = self._attempt(data, incoming)
        self.stale = failure in ("reset", "truncated") and not self._stream.heard
        if failure or not incoming.keep_alive or self._stream.pending or not _well_framed(request):
            self.close()
        return Response(incoming.status, incoming.headers, bytes(incoming.body), failure)

    def close(self) -> None:
        self._open = False
        self._sock.close()

    def _attempt(self, data: bytes, incoming: Incoming) -> str | None:
        try:
            self._stream.send(data)
            incoming.read(self._stream)
        except TimeoutError:
            return "timeout"
        except ProtocolError:
            return "truncated"
        except OSError:
            return "reset"
        return None


class Stream:
    """A socket read through a buffer, with a deadline on everything."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard = False
        self._sock = sock
        self._buffer = bytearray()
        self._deadline = 0.0
        self._ended = False

    @property
    def pending(self) -> bool:
        """Whether bytes have arrived that no one has read."""
        return bool(self._buffer)

    def begin(self, deadline: float) -> None:
        self.heard = False
        self._deadline = deadline

    def readable(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def send(self, data: bytes) -> None:
        """Send it all, or as much as the peer takes: one that closes early may have answered before."""
        try:
            if len(data) <= _PIECE or type(self._sock) is not socket.socket:
                self._sock.settimeout(self._left())
                self._sock.sendall(data)
            else:
                self._send_and_hear(memoryview(data))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _send_and_hear(self, data: memoryview) -> None:
        # A server that answers while it reads would wait for us to read, as we would for it. Not over TLS,
        # where a readable socket may have nothing for the reader.
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while data and not self._ended:
                ready = selector.select(self._left())
                self._sock.settimeout(self._left())
                if any(events & selectors.EVENT_READ for _, events in ready):
                    self._fill()
                elif ready:
                    data = data[self._sock.send(data[:_PIECE]) :]

    def line(self, limit: int) -> bytes:
        """One line without its end; raises ProtocolError where it is longer than `limit`."""
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start > limit or not self._fill():
                raise ProtocolError
        if end > limit:
            raise ProtocolError
        return self._take(end + 1).removesuffix(b"\n").removesuffix(b"\r")

    def some(self, limit: int) -> bytes:
        """At least one and at most `limit` bytes; none at the end of the stream."""
        if not self._buffer:
            self._fill()
        return self._take(min(limit, len(self._buffer)))

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self) -> bool:
        if self._ended:
            return False
        self._sock.settimeout(self._left())
        data = self._sock.recv(_PIECE)
        self.heard = self.heard or bool(data)
        self._ended = not data
        self._buffer += data
        return not self._ended

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Incoming:
    """A response as it arrives: what has come is here, also where the rest never does.

    `framing` is how its body's end is marked: "length", "chunked", "close", or "none" where it can have no body.
    `interim` are the statuses of the interim responses before it.
    """

    def __init__(self, method: str) -> None:
        self.version = b""
        self.status = 0
        self.reason = b""
        self.interim: list[int] = []
        self.framing = "none"
        self.headers: Headers = ()
        self.body = bytearray()
        self.keep_alive = False
        self._method = method

    def read(self, stream: Stream) -> None:
        """Read the final response whole, past the interim ones. Raises ProtocolError, and OSError from the socket."""
        version, status, reason, headers = _head(stream)
        while 100 <= status < 200 and status != 101:
            self.interim.append(status)
            version, status, reason, headers = _head(stream)
        self.version, self.status, self.reason, self.headers = version, status, reason, headers
        framed = self._read_body(stream)
        connection = _tokens(headers, b"connection")
        self.keep_alive = framed and b"close" not in connection and (version == b"1" or b"keep-alive" in connection)

    def _read_body(self, stream: Stream) -> bool:
        """Read the body by the rules of RFC 9112, section 6.3; tells whether its end was marked."""
        if not framing.has_content(self._method, self.status):
            return self.status != 101
        codings = _tokens(self.headers, b"transfer-encoding")
        if codings[-1:] == [b"chunked"]:
            self.framing = "chunked"
            self._read_chunks(stream)
            return True
        length = None if codings else _length(self.headers)
        if length is not None:
            self.framing = "length"
            self._read_exactly(stream, length)
            return True
        self.framing = "close"
        while data := stream.some(_PIECE):
            self._add(data)
        return False

    def _read_chunks(self, stream: Stream) -> None:
        while size := _chunk_size(stream):
            self._read_exactly(stream, size)
            if stream.line(2):
                raise ProtocolError
        for _ in _fields(stream):
            pass

    def _read_exactly(self, stream: Stream, size: int) -> None:
        while size:
            data = stream.some(min(size, _PIECE))
            if not data:
                raise ProtocolError
            size -= len(data)
            self._add(data)

    def _add(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > MAX_BODY:
            raise ProtocolError


def _head(stream: Stream) -> tuple[bytes, int, bytes, Headers]:
    """The minor version, the status, the reason phrase and the headers."""
    match = _STATUS_LINE.fullmatch(stream.line(MAX_HEAD))
    if match is None:
        raise ProtocolError
    return match[1], int(match[2]), match[3] or b"", tuple(_fields(stream))


def _fields(stream: Stream) -> Iterator[Header]:
    """Header or trailer fields to the empty line, in order; folded lines are joined (RFC 9112, section 5.2)."""
    left = MAX_HEAD
    field = b""
    while line := stream.line(left):
        left -= len(line)
        if line[:1] in b" \t":
            field += b" " + line.strip(b" \t")
            continue
        if field:
            yield _field(field)
        field = line
    if field:
        yield _field(field)


def _field(line: bytes) -> Header:
    name, colon, value = line.partition(b":")
    if not colon:
        raise ProtocolError
    return name, value.strip(b" \t")


def _chunk_size(stream: Stream) -> int:
    match = _CHUNK_SIZE.fullmatch(stream.line(MAX_HEAD))
    if match is None:
        raise ProtocolError
    return int(match[1], 16)


def _length(headers: Headers) -> int | None:
    """Content-Length; repeated and equal is once (RFC 9110, section 8.6)."""
    values = set(_tokens(headers, b"content-length"))
    if not values:
        return None
    if len(values) > 1 or not (value := values.pop()).isdigit():
        raise ProtocolError
    return length_of(value)


def _tokens(headers: Headers, name: bytes) -> list[bytes]:
    """The members of a list header, in lower case and in order."""
    values = [value for key, value in headers if key.lower() == name]
    return [token.strip(b" \t").lower() for value in values for token in value.split(b",")]


def _chunked(headers: Headers) -> bool:
    return _tokens(headers, b"transfer-encoding")[-1:] == [b"chunked"]


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        piece = body[start : start + _PIECE]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _well_framed(request: Request) -> bool:
    """Whether both sides agree where the request ended, so that another may follow it on the connection."""
    lengths = _tokens(request.headers, b"content-length")
    if b"close" in _tokens(request.headers, b"connection"):
        return False
    if _tokens(request.headers, b"transfer-encoding"):
        return _chunked(request.headers) and not lengths
    return lengths in ([], [b"%d" % len(request.body)])
