"""Ways to write a request on a connection that no client library uses: the request is the same, its bytes are not.

A way has a name, which a case's step may hold as `spelling`. What is written follows RFC 9112, or breaks it on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Headers, Request
from contract_tests.parity.probes import Act, Send

Steps = tuple[Send | Act, ...]

_LENGTH, _CODING = b"content-length", b"transfer-encoding"
_LONG_TARGET, _LONG_HEADER, _MANY = 9_000, 20_000, 120
_SHUT, _PAUSE, _NEXT = Act("shut"), Act("pause"), Act("next")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A way to write a request: what is special about it, and its bytes. `bodied`: it says something of a body."""

    special: str
    write: Callable[[_Parts], Steps]
    bodied: bool = False
    requests: int = 1


@dataclass(frozen=True, slots=True)
class _Parts:
    """A request in the parts that a way may change."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes

    def head(
        self,
        *more: bytes,
        line: bytes | None = None,
        without: Iterable[bytes] = (),
        end: bytes = b"\r\n",
    ) -> bytes:
        """The head with other lines: `more` after its own, and `without` some of these."""
        left_out = set(without)
        lines = [line if line is not None else self.method + b" " + self.target + b" HTTP/1.1"]
        lines += [b"%s: %s" % pair for pair in self.headers if pair[0].lower() not in left_out]
        return end.join([*lines, *more, b"", b""])

    def whole(self, *more: bytes, line: bytes | None = None, without: Iterable[bytes] = ()) -> Steps:
        return (Send(self.head(*more, line=line, without=without) + self.body),)

    def framed(self, *more: bytes, body: bytes) -> Steps:
        """With another framing of the body in place of its length."""
        return (Send(self.head(*more, without=(_LENGTH, _CODING)) + body),)

    @property
    def chunks(self) -> bytes:
        return b"%x\r\n%s\r\n" % (len(self.body), self.body)


def steps_of(request: Request, host: bytes) -> Steps:
    """What is done on a connection to send a request in its way. Raises KeyError for a way that is none."""
    parts = _Parts(request.method.encode("latin-1"), request.target, framing.completed(request, host), request.body)
    return SPELLINGS[request.spelling].write(parts)


def _line(first: bytes, last: bytes) -> Callable[[_Parts], Steps]:
    return lambda parts: parts.whole(line=first.replace(b"%", parts.method) + b" " + parts.target + last)


def _more(*lines: bytes, without: Iterable[bytes] = ()) -> Callable[[_Parts], Steps]:
    return lambda parts: parts.whole(*lines, without=without)


def _chunked(*more: bytes, end: bytes = b"0\r\n\r\n") -> Callable[[_Parts], Steps]:
    return lambda parts: parts.framed(*more, body=parts.chunks + end)


def _length(text: str) -> Callable[[_Parts], Steps]:
    """With another Content-Length; `{}` stands for the right one."""
    return lambda parts: parts.whole(
        b"Content-Length: " + text.format(len(parts.body)).encode(), without=(_LENGTH, _CODING)
    )


def _target(make: Callable[[bytes, bytes], bytes]) -> Callable[[_Parts], Steps]:
    def write(parts: _Parts) -> Steps:
        host = next((value for name, value in parts.headers if name.lower() == b"host"), b"localhost")
        return parts.whole(line=parts.method + b" " + make(parts.target, host) + b" HTTP/1.1")

    return write


def _joined(target: bytes, more: bytes) -> bytes:
    return target + (b"&" if b"?" in target else b"?") + more


SPELLINGS: dict[str, Spelling] = {
    # The request line
    "http-1.0": Spelling("as HTTP/1.0", _line(b"%", b" HTTP/1.0")),
    "http-1.0-kept": Spelling(
        "as HTTP/1.0, to be kept open",
        lambda parts: parts.whole(
            b"Connection: keep-alive", line=parts.method + b" " + parts.target + b" HTTP/1.0", without=(b"connection",)
        ),
    ),
    "http-0.9": Spelling(
        "without a version", lambda parts: (Send(parts.method + b" " + parts.target + b"\r\n"), _SHUT)
    ),
    "http-2.0": Spelling("as HTTP/2.0", _line(b"%", b" HTTP/2.0")),
    "http-1.9": Spelling("as HTTP/1.9", _line(b"%", b" HTTP/1.9")),
    "version-unknown": Spelling("with a version that is none", _line(b"%", b" HTTX/1.1")),
    "method-lower": Spelling(
        "with its method in lower case",
        lambda parts: parts.whole(line=parts.method.lower() + b" " + parts.target + b" HTTP/1.1"),
    ),
    "two-spaces": Spelling("with two spaces behind its method", _line(b"% ", b" HTTP/1.1")),
    "blank-line-first": Spelling("behind an empty line", lambda parts: (Send(b"\r\n"), *parts.whole())),
    "target-absolute": Spelling("with an absolute target", _target(lambda target, host: b"http://" + host + target)),
    "target-fragment": Spelling("with a fragment", _target(lambda target, _: target + b"#part")),
    "target-raw-bytes": Spelling(
        "with bytes over 127 in its target", _target(lambda target, _: _joined(target, b"parity=\xc3\xa9"))
    ),
    "target-long": Spelling(
        "with a target of 9000 bytes", _target(lambda target, _: _joined(target, b"parity=" + b"a" * _LONG_TARGET))
    ),
    # The headers
    "lines-by-lf": Spelling(
        "with lines that end with LF alone", lambda parts: (Send(parts.head(end=b"\n") + parts.body),)
    ),
    "no-host": Spelling("without Host", _more(without=(b"host",))),
    "two-hosts": Spelling("with two Hosts", _more(b"Host: other.example")),
    "host-empty": Spelling("with an empty Host", _more(b"Host:", without=(b"host",))),
    "space-before-colon": Spelling("with a space before a colon", _more(b"X-Parity : a")),
    "header-folded": Spelling("with a folded header", _more(b"X-Parity: a\r\n b")),
    "header-without-colon": Spelling("with a header that has no colon", _more(b"X-Parity")),
    "header-without-name": Spelling("with a header that has no name", _more(b": a")),
    "header-underscore": Spelling("with an underscore in a header's name", _more(b"X_Parity: a")),
    "header-nul": Spelling("with a NUL in a header", _more(b"X-Parity: a\x00b")),
    "header-raw-bytes": Spelling("with bytes over 127 in a header", _more(b"X-Parity: \xff\xfe")),
    "header-long": Spelling("with a header of 20000 bytes", _more(b"X-Parity: " + b"a" * _LONG_HEADER)),
    "headers-many": Spelling("with 120 headers", _more(*(b"X-Parity-%d: a" % at for at in range(_MANY)))),
    "cookie-twice": Spelling("with two Cookie headers", _more(b"Cookie: parity=1", b"Cookie: parity=2")),
    # The connection
    "close": Spelling("to be closed after it", _more(b"Connection: close", without=(b"connection",))),
    "upgrade-websocket": Spelling(
        "with an Upgrade to websocket", _more(b"Connection: Upgrade", b"Upgrade: websocket", without=(b"connection",))
    ),
    "upgrade-h2c": Spelling(
        "with an Upgrade to h2c",
        _more(
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
            without=(b"connection",),
        ),
    ),
    "twice-at-once": Spelling(
        "twice at once on a connection", lambda parts: (*parts.whole(), _NEXT, *parts.whole()), requests=2
    ),
    "in-pieces": Spelling(
        "in two pieces", lambda parts: (Send(parts.head()[:20]), _PAUSE, Send(parts.head()[20:] + parts.body))
    ),
    "cut-in-its-head": Spelling("cut off within its head", lambda parts: (Send(parts.head()[:-4]), _SHUT)),
    # The body
    "chunked": Spelling("with a chunked body", _chunked(b"Transfer-Encoding: chunked"), bodied=True),
    "chunked-capitals": Spelling("chunked, in capitals", _chunked(b"Transfer-Encoding: CHUNKED"), bodied=True),
    "chunked-trailer": Spelling(
        "chunked, with a trailer", _chunked(b"Transfer-Encoding: chunked", end=b"0\r\nX-Parity: a\r\n\r\n"), bodied=True
    ),
    "chunked-extension": Spelling(
        "chunked, with an extension",
        lambda parts: parts.framed(
            b"Transfer-Encoding: chunked", body=parts.chunks.replace(b"\r\n", b";parity=1\r\n", 1) + b"0\r\n\r\n"
        ),
        bodied=True,
    ),
    "chunked-broken": Spelling(
        "with a chunk that has no size",
        lambda parts: parts.framed(b"Transfer-Encoding: chunked", body=b"zz\r\n" + parts.body + b"\r\n0\r\n\r\n"),
        bodied=True,
    ),
    "chunked-cut-off": Spelling(
        "chunked, and cut off",
        lambda parts: (*parts.framed(b"Transfer-Encoding: chunked", body=parts.chunks), _SHUT),
        bodied=True,
    ),
    "chunked-and-length": Spelling(
        "chunked, and with a length",
        lambda parts: (Send(parts.head(b"Transfer-Encoding: chunked") + parts.chunks + b"0\r\n\r\n"),),
        bodied=True,
    ),
    "coding-unknown": Spelling("with a transfer coding that is none", _more(b"Transfer-Encoding: parity"), bodied=True),
    "coding-gzip": Spelling("with gzip, chunked", _chunked(b"Transfer-Encoding: gzip, chunked"), bodied=True),
    "length-twice": Spelling(
        "with its length twice", lambda parts: parts.whole(b"Content-Length: %d" % len(parts.body)), bodied=True
    ),
    "length-two": Spelling(
        "with two lengths", lambda parts: parts.whole(b"Content-Length: %d" % (len(parts.body) + 1)), bodied=True
    ),
    "length-plus": Spelling("with a plus before its length", _length("+{}"), bodied=True),
    "length-minus": Spelling("with a negative length", _length("-1"), bodied=True),
    "length-word": Spelling("with a length that is no number", _length("many"), bodied=True),
    "length-zeros": Spelling("with zeros before its length", _length("000{}"), bodied=True),
    "length-huge": Spelling("with a length that nothing holds", _length("99999999999999999999{}"), bodied=True),
    "body-cut-off": Spelling(
        "with a body that is cut off", lambda parts: (Send(parts.head() + parts.body[:-1]), _SHUT), bodied=True
    ),
    "body-late": Spelling(
        "with a body that comes late", lambda parts: (Send(parts.head()), _PAUSE, Send(parts.body)), bodied=True
    ),
    "expect-continue": Spelling("with Expect: 100-continue", _more(b"Expect: 100-continue"), bodied=True),
    "expect-other": Spelling("with another Expect", _more(b"Expect: parity"), bodied=True),
}
# What any request may be met with in practice, and is tried for each operation; the others are for one of each kind.
USUAL = ("http-1.0", "close", "twice-at-once", "in-pieces", "chunked", "expect-continue", "body-late")
