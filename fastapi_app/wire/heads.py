"""What gunicorn refuses by a request's head alone, before the app is asked: httptools lets it pass.

Source: gunicorn 27, `http/message.py` and `workers/base.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

# A second field of these cannot be merged with the first (RFC 9110 section 5.3).
SINGLE = frozenset({b"host", b"content-type"})
# All others may say what they will.
CHECKED = SINGLE | {b"content-length", b"expect"}
# A server of HTTP/1.1 takes any later 1.x (RFC 9110 section 2.5).
VERSIONS = frozenset(f"1.{minor}" for minor in range(10))
BLOCK = 8192
# Python makes no number of more.
MAX_DIGITS = 4300
TOO_MANY = "limit request headers fields"
TOO_LARGE = "limit request headers fields size"
KNOWN_CODINGS = frozenset({"chunked", "identity", "compress", "deflate", "gzip"})


class Refused(Exception):
    """The head is refused, with gunicorn's own page."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """gunicorn's limits of a head: bytes of the request line, number of fields, bytes of a field with its end."""

    request_line: int = 4094
    fields: int = 100
    field_size: int = 8190


class RefuseHeads:
    """Reads a request's head as gunicorn does, and refuses what it refuses.

    | head | FastAPI on uvicorn | gunicorn, and here |
    |---|---|---|
    | a request line over 4094 bytes | served | 414 |
    | more than 100 fields, or one over 8190 bytes | served | 431 |
    | `Host` or `Content-Type` twice | one of the two | 400 |
    | `Expect` that is not 100-continue | ignored | 417 |
    | a transfer coding that nobody knows | served | 501 |
    | a transfer coding twice, or in an HTTP/1.0 request | served | 400 |
    | a version that is not 1.x | served | 400 |
    | white space behind a value | a part of it | stripped (RFC 9110 section 5.5) |
    | a Content-Length of thousands of digits | an error where an app reads it | 400 |
    | gzip, deflate or compress under chunked | served, kept | served, then closed |
    | CONNECT | served, kept | served, then closed |
    | `*` with another method than OPTIONS | 404 | 400 |
    | a field name with an underscore | a field | dropped: `X_User` must not pass for `X-User` |

    The outermost piece: what it refuses has neither a request id nor a log line, as under gunicorn. Keep the limits
    after the cutover, and drop the rest when a proxy in front checks it.
    """

    def __init__(self, app: ASGIApp, limits: HeadLimits | None = None) -> None:
        self.app = app
        self.limits = limits or HeadLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            check_request_line(scope, self.limits)
            fields = kept_fields(scope["headers"], self.limits)
            closes = check_codings(fields, scope.get("http_version", "1.1")) or scope["method"] == "CONNECT"
        except Refused as refused:
            await page(refused)(scope, receive, as_server(send))
            return
        # Always a list of our own: uvicorn adds the trailers of a chunked body to its own while the body comes.
        scope["headers"] = fields
        await self.app(scope, receive, closing(send) if closes else send)


def check_request_line(scope: Scope, limits: HeadLimits) -> None:
    """Raises Refused."""
    target: bytes = scope.get("raw_path") or b""
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    method, version = scope["method"], scope.get("http_version", "1.1")
    length = len(method) + len(target) + len(version) + len("  HTTP/")
    if length > limits.request_line:
        # gunicorn looks at what it has read so far, a block at most.
        raise too_long(length if length + len("\r\n") <= BLOCK else BLOCK, limits)
    if version not in VERSIONS:
        raise invalid_version(tuple(int(number) for number in version.split(".")))
    if target == b"*" and method != "OPTIONS":
        raise invalid_line(f"{method} * HTTP/{version}")


def kept_fields(fields: list[Header], limits: HeadLimits) -> list[Header]:
    """The fields without those whose name has an underscore. Raises Refused."""
    seen: set[bytes] = set()
    kept: list[Header] = []
    # The space that usually stands after the colon is not seen here, and counted.
    most = limits.field_size - len(": \r\n")
    for name, sent in fields:
        value = sent.strip(b" \t")
        if len(kept) >= limits.fields:
            raise too_large(TOO_MANY)
        if len(name) + len(sent) > most:
            raise too_large(TOO_LARGE)
        if name in CHECKED:
            if name == b"content-length" and len(value) > MAX_DIGITS:
                raise invalid(name)
            check_field(name, value, seen)
        if b"_" not in name:
            kept.append((name, value))
    return kept


def check_field(name: bytes, value: bytes, seen: set[bytes]) -> None:
    """What a field may not say whatever the rest of the head is; adds it to those seen. Raises Refused."""
    if name in SINGLE and name in seen:
        raise invalid(name)
    if name == b"expect" and value.lower() != b"100-continue":
        expected = value.decode("latin-1")
        raise Refused(417, "Expectation Failed", f"Unable to comply with expectation: {expected!r}")
    seen.add(name)


def check_codings(fields: list[Header], version: str) -> bool:
    """Whether the connection is to be closed after the answer. Raises Refused."""
    codings = [value.decode("latin-1") for name, value in fields if name == b"transfer-encoding"]
    if not codings:
        return False
    closes = chunked = False
    for value in codings:
        for coding in (each.strip(" \t").lower() for each in value.split(",")):
            if coding not in KNOWN_CODINGS:
                raise Refused(501, "Bad Request", f"Unsupported transfer coding: {value!r}")
            if chunked:
                raise invalid(b"transfer-encoding")
            chunked = coding == "chunked"
            closes |= coding not in ("chunked", "identity")
    if version == "1.0":
        raise invalid(b"transfer-encoding")
    return closes


def page(refused: Refused) -> HTMLResponse:
    """gunicorn's page, byte for byte, after which the connection is closed."""
    lines = (
        "<html>",
        "  <head>",
        f"    <title>{refused.reason}</title>",
        "  </head>",
        "  <body>",
        f"    <h1><p>{refused.reason}</p></h1>",
        f"    {escape(refused.message)}",
        "  </body>",
        "</html>",
        "",
    )
    content = "\n".join(lines).encode("latin-1")
    # Content-Type as it is: Starlette would add a charset to its own.
    return HTMLResponse(content, refused.status, {"Content-Type": "text/html", "Connection": "close"})


def last_answer(refused: Refused) -> bytes:
    """The same page as bytes, for a head that no app is asked about."""
    content = bytes(page(refused).body)
    head = f"HTTP/1.1 {refused.status} {refused.reason}\r\nConnection: close\r\nContent-Type: text/html\r\n"
    return head.encode("latin-1") + b"Content-Length: %d\r\n\r\n%s" % (len(content), content)


def as_server(send: Send) -> Send:
    """Mark an answer as the server's own: no hook of an application sees it."""

    async def send_marked(message: Message) -> None:
        await send({**message, "wire.server": True} if message["type"] == "http.response.start" else message)

    return send_marked


def closing(send: Send) -> Send:
    """Close the connection after the answer."""

    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return send_closing


def invalid(name: bytes) -> Refused:
    return Refused(400, "Bad Request", f"Invalid HTTP Header: {name.decode('latin-1').upper()!r}")


def invalid_line(line: str) -> Refused:
    wrong = f"Invalid HTTP request line: {line!r}"
    return Refused(400, "Bad Request", f"Invalid Request Line '{wrong}'")


def invalid_version(version: object) -> Refused:
    return Refused(400, "Bad Request", f"Invalid HTTP Version 'Invalid HTTP Version: {version!r}'")


def too_long(read: int, limits: HeadLimits) -> Refused:
    return Refused(414, "URI Too Long", f"Request Line is too large ({read} > {limits.request_line})")


def too_large(message: str) -> Refused:
    return Refused(431, "Request Header Fields Too Large", f"Error parsing headers: '{message}'")
