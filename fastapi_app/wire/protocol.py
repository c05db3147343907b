"""HTTP/1 on sockets as gunicorn speaks it, below any ASGI app: `uvicorn --http fastapi_app.wire.protocol:GunicornHttp`.

Source: gunicorn 27, `http/message.py`, `http/body.py`, `workers/gthread.py`, `util.py`; uvicorn 0.54,
`protocols/http/httptools_impl.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .exchange import Exchange, Header, OtherOutgoing, Outgoing, stays_open
from .heads import HeadLimits, Refused, last_answer, too_large, too_long
from .opening import PLAIN, Opening, find_last, open_head
from .refusals import check_framing, is_whole, refusal, told

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

LIMITS = HeadLimits()
# gunicorn's bound of everything between the request line and the empty line, and of the trailers.
MAX_SECTION = LIMITS.fields * (LIMITS.field_size + 2) + 4
# Of fields that are still held while the head has no end: gunicorn counts at the end, within the bound above.
MAX_HELD = 16384
BLOCK = 8192
# More than one read can hold: behind so many that wait for their turn, nothing more is taken.
MAX_QUEUED = 16384
LINGER_SECONDS = 2.0
LINGER_BYTES = 65536
# RFC 9110 section 6.5.1, as gunicorn has it.
NO_TRAILERS = frozenset({b"host", b"content-length", b"transfer-encoding", b"trailer", b"authorization", b"te"})

Stage = Literal["between", "head", "body"]


class GunicornHttp(HttpToolsProtocol):
    """uvicorn's protocol, which answers what happens before and behind an app as gunicorn does.

    | what is sent | uvicorn's own | gunicorn, and here |
    |---|---|---|
    | trailers behind a chunked body | fields of the request: a Cookie there signs in | no part of the request |
    | a trailer that frames or authorizes, or more than 100 | taken | the body is broken |
    | an Upgrade that nobody takes | the body is a request of its own | an ordinary request |
    | what stands behind CONNECT | answered, or stuck | nothing: the answer closes |
    | the end of the client's sending, after a request | closed without the answer | answered, then closed |
    | the same, within a body | closed | `http.disconnect`, answered, then closed |
    | what breaks within a body | 400 in place of the answer | `http.disconnect`, answered, then closed |
    | a broken request behind others | 400 in place of the first answer | the others' answers, then 400 |
    | a broken head | text/plain | gunicorn's page, in the words of `refusals.py` |
    | a method that httptools does not know, or HTTP/1.2 | 400 | the app is asked |
    | `GET http://host` | 400 | the app is asked for the path "" |
    | two spaces in a request line, HTTP/0.9, RTSP | the app is asked, or nothing | 400 |
    | a transfer coding that does not end in chunked | the app runs, then 400 | 501 or 400, and the app is not asked |
    | a request line that has no end | no limit, or 400 at once | 414 above 4094 bytes |
    | a head that has no end | no limit | 431 above 819204 bytes |
    | `Expect: 100-continue` in HTTP/1.0 | `100 Continue` | ignored |
    | HTTP/1.0 | `HTTP/1.1` and chunks in the answer | `HTTP/1.0`, and the end of the connection |
    | HTTP/1.0 with `Connection: keep-alive` | closed | kept |
    | `Connection: close, x`, or `Proxy-Connection` | closed | kept: the first Connection must be exactly `close` |
    | more than was read when the connection closes | reset: the answer may be lost | read for 2 s or 64 KiB |
    | requests without end, before the first answer | all are held | 16384 of them, then closed |

    It needs `RefuseHeads` for heads that are whole. A client that goes away while an app computes is noticed when the
    app writes: its FIN is no longer taken for the end. Over TLS there is no half-close, and it is taken for the end.

    Drop it when a proxy in front speaks HTTP to all clients: nginx settles every row by itself.

    It overrides these of uvicorn 0.54: the callbacks of httptools, `connection_made`, `connection_lost`,
    `data_received`, `eof_received`, `send_400_response`, `on_response_complete`, `_start_asgi_task`; and sets
    `keep_alive`, `transport`, `message_event`, `chunked_encoding`, `expected_content_length` and `disconnected` of a
    `RequestResponseCycle`.
    """

    # Where the parser is.
    stage: Stage = "between"
    # A message ended within what is being read: where the next one began in it is unknown.
    followed = False
    # Bytes of a head that has no end yet, and of a body in which nothing was heard since: both are limited.
    head_size = 0
    silence = 0
    heard = False
    trailers = 0
    # What is left of a body whose length was announced; None where only its last chunk tells its end.
    body_left: int | None = None
    # What the parser was told for a request line that it would not take.
    opening: Opening | None = None
    # The parser cannot go on, but gunicorn would wait for the end of the head: until then the fault is kept.
    fault: Refused | None = None
    # How many requests have ended in `raw`, and whether it begins where a request does.
    ended = 0
    is_known = True
    # The fields of a request whose Upgrade is not taken.
    kept: list[Header] | None = None
    # Nothing more is parsed: behind CONNECT, a fault or the end.
    is_deaf = False
    # The cycle whose body will never be whole.
    cut: RequestResponseCycle | None = None
    # What is left to say before the connection closes.
    refusal = b""
    running: RequestResponseCycle | None = None
    is_half_closed = False
    is_ending = False
    lingered = 0
    linger: asyncio.TimerHandle | None = None

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self.is_ending:
            self.lingered += len(data)
            if self.lingered > LINGER_BYTES:
                self.transport.close()
            return
        if self.is_deaf:
            return
        self._unset_keepalive_if_required()
        self.followed = self.heard = False
        rest = data
        while rest and not self.is_deaf:
            rest = self.feed(rest)
        if not self.is_deaf:
            self.check_size(len(data))

    def feed(self, data: bytes) -> bytes:
        """Parse; gives what is to be parsed next."""
        if self.fault is not None:
            self.wait(data, self.fault)
            return b""
        if self.stage == "between":
            self.ended, self.is_known = 0, True
            if self.raw or not PLAIN.match(data):
                data = self.begin(data)
                if not data:
                    return b""
        elif self.stage == "body":
            if self.body_left is not None and len(data) > (end := self.body_left) > 0:
                # What follows is read by itself: then it is known where it begins.
                return self.feed(data[:end]) + data[end:]
            self.is_known = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.kept is not None:
                return self.without_upgrade() + data[upgrade.args[0] :]
            self.is_deaf = True
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError as error:
            return self.fail(error, data)
        if self.stage == "head" and self.is_known:
            self.raw += data
        elif self.raw:
            self.raw.clear()
        return b""

    def begin(self, data: bytes) -> bytes:
        """What the parser is to read of a head; nothing, as long as gunicorn would know nothing of its first line."""
        held, head = len(self.raw), bytes(self.raw) + data
        self.raw.clear()
        try:
            opened = open_head(head, held)
        except Refused as refused:
            self.refuse(refused)
            return b""
        if opened is None:
            self.raw += head
            return b""
        self.opening, readable = opened
        return readable

    def check_size(self, received: int) -> None:
        """What has no end is refused, before it fills the memory."""
        if self.stage == "head":
            self.head_size += 0 if self.followed else received
            if self.head_size > MAX_SECTION or len(self.headers) > MAX_HELD:
                self.refuse(too_large("max buffer headers"))
        elif self.stage == "body":
            self.silence = 0 if self.heard else self.silence + received
            if self.silence > MAX_SECTION:
                self.cut_off()

    def fail(self, error: Exception, data: bytes) -> bytes:
        """The parser cannot go on; gives what another is to parse."""
        if self.is_deaf:
            return b""
        if self.stage == "body":
            self.cut_off()
            return b""
        cause = error.__context__
        fault = cause if isinstance(cause, Refused) else told(str(error), self.headers)
        head = bytes(self.raw) + data
        start = (find_last(head, self.ended) if self.ended else 0) if self.is_known else None
        if start is None:
            self.refuse(fault)
        elif start:
            # By itself the head is read from its begin, and may be one that the parser was to be told otherwise.
            self.raw.clear()
            self.parser, self.stage = self.new_parser(), "between"
            return head[start:]
        else:
            self.wait(data, fault)
        return b""

    def wait(self, data: bytes, fault: Refused) -> None:
        """gunicorn says what is wrong with a head once it has read enough; what it would take has the `fault`."""
        self.raw += data
        self.fault = fault
        if b"\n" not in data:
            return
        head = bytes(self.raw)
        refused = refusal(head, len(head) - len(data))
        if refused is not None or is_whole(head):
            self.refuse(refused or fault)

    def new_parser(self) -> httptools.HttpRequestParser:
        """One that never decides by itself that a connection is over."""
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_keep_alive=True)
        return parser

    def without_upgrade(self) -> bytes:
        """The head once more for a parser of its own: httptools takes none back of a request that would upgrade."""
        assert self.kept is not None
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % field for field in self.kept if field[0] != b"upgrade"]
        self.raw.clear()
        self.ended, self.is_known = 0, True
        self.parser = self.new_parser()
        return b"\r\n".join([*lines, b"", b""])

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client has said all it will say: what it has asked for is still answered."""
        self.is_half_closed = True
        if self.is_idle() or self.is_ending or self.scheme == "https":
            return None
        self.is_deaf = True
        if self.stage == "body":
            self.cut_off()
        elif not self.refusal:
            self.cycle.keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.linger is not None:
            self.linger.cancel()
        self.is_deaf = True
        if self.running is not None and not self.running.response_complete:
            # uvicorn tells it to the last in the queue, which may never begin.
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)

    # The parser's callbacks

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.parser = self.new_parser()
        # Of the head that is being read, from its begin or that of requests before it.
        self.raw = bytearray()

    def on_message_begin(self) -> None:
        if self.is_deaf:
            raise Refused(400, "Bad Request", "behind the last request")
        super().on_message_begin()
        self.stage, self.head_size, self.trailers = "head", 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        length = len(self.parser.get_method()) + len(self.url) + len("  HTTP/1.1")
        if length > LIMITS.request_line:
            raise too_long(length if length + len("\r\n") <= BLOCK else BLOCK, LIMITS)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.stage == "head":
            # uvicorn looks for `100-continue` without what may stand behind it.
            super().on_header(name, value.rstrip(b" \t"))
            return
        self.heard = True
        self.trailers += 1
        size = len(name) + len(value) + len(": \r\n")
        if self.trailers > LIMITS.fields or size > LIMITS.field_size or name.lower() in NO_TRAILERS:
            raise Refused(400, "Bad Request", "Invalid trailer")

    def on_headers_complete(self) -> None:
        is_connect = self.parser.get_method() == b"CONNECT"
        if self.parser.should_upgrade() and not is_connect:
            if self._should_upgrade() and self.opening is None:
                super().on_headers_complete()
            else:
                self.kept = self.headers
            return
        if self.kept is not None:
            self.headers[:] = self.kept
            self.kept = None
        version = self.parser.get_http_version()
        fields = dict(self.headers)
        if b"transfer-encoding" in fields:
            # One that does not end in chunked leaves no end of the body to find.
            check_framing(self.headers, (1, 0) if version == "1.0" else (1, 1))
            self.body_left = None
        else:
            self.body_left = int(fields.get(b"content-length", 0))
        self.expect_100_continue &= version != "1.0"
        if is_connect and not self.url.startswith(b"/"):
            # An authority is no URL, as uvicorn reads one.
            self.url = b"/" + self.url
        opening, self.opening = self.opening, None
        if opening is not None:
            self.scope["http_version"] = opening.version
        super().on_headers_complete()
        if opening is not None:
            self.scope["method"] = opening.method
            if not opening.path:
                self.scope["path"], self.scope["raw_path"] = self.root_path, self.root_path.encode("ascii")
        is_last = is_connect or len(self.pipeline) >= MAX_QUEUED
        self.cycle.keep_alive = stays_open(self.headers, version) and not is_last
        self.stage = "body"

    def on_body(self, body: bytes) -> None:
        self.heard = True
        if self.body_left is not None:
            self.body_left -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.kept is None:
            self.stage, self.followed = "between", True
            self.ended += 1
            super().on_message_complete()
            self.is_deaf = not self.cycle.keep_alive

    # What goes out

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        version = cycle.scope["http_version"]
        self.running = cycle
        outgoing = Outgoing(self.transport, self.end, self.is_closing)
        cycle.transport = (outgoing if version == "1.1" else OtherOutgoing(outgoing, version)).as_transport()
        super()._start_asgi_task(cycle, Exchange(app, cycle, lambda: self.cut is cycle))

    def is_idle(self) -> bool:
        """Nothing is left to answer: the last cycle is answered after all others."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def is_closing(self) -> bool:
        return self.is_ending or self.transport.is_closing()

    def cut_off(self) -> None:
        """The rest of the body will not come: the app hears of it, and its answer is the last."""
        self.is_deaf = True
        self.cut = self.cycle
        self.cycle.keep_alive = False
        if self.cycle.response_complete:
            self.end()
        else:
            self.cycle.message_event.set()

    def refuse(self, refused: Refused) -> None:
        """The page goes out in its turn, and is the last."""
        self.logger.warning("Invalid HTTP request received.")
        self.is_deaf = True
        self.refusal = last_answer(refused)
        if self.is_idle():
            self.answer_refusal()

    def answer_refusal(self) -> None:
        self.transport.write(self.refusal)
        self.end()

    def on_response_complete(self) -> None:
        if self.is_ending:
            # uvicorn would begin with the next request in the queue: only a transport that closes keeps it from that.
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.pipeline:
            # Else each answer would let in another packet full of requests.
            self.flow.pause_reading()
        if self.refusal and self.is_idle() and not self.is_closing():
            self._unset_keepalive_if_required()
            self.answer_refusal()

    def end(self) -> None:
        """Close; what the client still sends is read for a while, for a reset could overtake the answer."""
        if self.is_closing():
            return
        self.is_ending = True
        if self.is_half_closed or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.flow.resume_reading()
        self.transport.write_eof()
        self.linger = self.loop.call_later(LINGER_SECONDS, self.transport.close)
