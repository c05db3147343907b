"""Below the app: what a client sends is answered as by gunicorn, and with uvicorn's own class it is not."""

import asyncio
import importlib
import importlib.metadata
import inspect
import socket
import threading
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from fastapi_app.wire.protocol import GunicornHttp

OURS = "fastapi_app.wire.protocol:GunicornHttp"
LOOPS = ["asyncio", "uvloop"]
MEBIBYTE = 1 << 20
# Limits for hangs; uvicorn's own class hangs on some rows, and is not waited for.
PATIENCE = {OURS: 20.0, "httptools": 0.5}


class App:
    """Tells what it was asked; `gone` is set where an app hears that its client has gone."""

    def __init__(self):
        self.asked = []
        self.protocols = set()
        self.entered, self.gone = threading.Event(), threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.append(path)
        body, whole = b"", path in ("/unread", "/forever")
        while not whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                break
            body += message["body"]
            whole = not message["more_body"]
        if path == "/silent" and not whole:
            return
        while path == "/half" and not self.is_half_closed(scope["client"]):  # noqa: ASYNC110 - only uvicorn knows when
            await asyncio.sleep(0)
        names = ",".join(name.decode() for name, _ in scope["headers"] if name != b"host")
        told = f"{scope['method']} {path} {len(body)} [{names}]".encode()
        lengths = [] if path in ("/stream", "/forever") else [(b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": 200 if whole else 400, "headers": lengths})
        if path == "/forever":
            await self.send_for_ever(receive, send)
        if path == "/stream":
            await send({"type": "http.response.body", "body": told, "more_body": True})
            told = b"!"
        await send({"type": "http.response.body", "body": told})

    def is_half_closed(self, client):
        """The server has seen the end of what the client sends: ours keeps the connection, uvicorn's closes it."""
        mine = [each for each in self.protocols if each.client == client]
        return all(getattr(each, "is_half_closed", False) or each.transport.is_closing() for each in mine)

    async def send_for_ever(self, receive, send):
        gone = asyncio.ensure_future(self.hear(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
            self.entered.set()
            await asyncio.sleep(0)

    async def hear(self, receive):
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


class Served:
    """uvicorn in a thread."""

    def __init__(self, http, loop, **options):
        self.app, self.http = App(), http
        config = uvicorn.Config(
            self.app, port=0, http=http, loop=loop, lifespan="off", log_config=None, access_log=False, **options
        )
        self.server = uvicorn.Server(config)
        self.app.protocols = self.server.server_state.connections
        self.thread = threading.Thread(target=self.server.run)

    @property
    def address(self):
        return self.server.servers[0].sockets[0].getsockname()

    def __enter__(self):
        started = threading.Event()
        startup = self.server.startup

        async def told(sockets=None):
            await startup(sockets)
            started.set()

        self.server.startup = told
        self.thread.start()
        assert started.wait(20)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()

    @contextmanager
    def client(self):
        with socket.create_connection(self.address, timeout=PATIENCE[self.http]) as client:
            yield client

    def talk(self, *packets, shut=False):
        """What comes until the connection ends, as (version, status, type, body); None where it does not end."""
        with self.client() as client:
            answers = []
            try:
                for packet in packets:
                    client.sendall(packet)
                if shut:
                    client.shutdown(socket.SHUT_WR)
                with client.makefile("rb") as file:
                    while file.peek(1):
                        answers.append(answer(file))
            except (TimeoutError, ConnectionError):
                return None
            return answers


def answer(file):
    response = HTTPResponse(Opened(file), method="GET")
    response.begin()
    while response.status == 100:
        response = HTTPResponse(Opened(file), method="GET")
        response.begin()
    return response.version, response.status, response.getheader("content-type"), response.read().decode()


class Opened:
    """http.client closes the file that it reads; there may be more answers in it."""

    def __init__(self, file):
        self.file = file

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        pass


@pytest.fixture(scope="module", params=LOOPS)
def ours(request):
    # A connection that is kept by mistake is not closed by this timer.
    with Served(OURS, request.param, timeout_keep_alive=60) as served:
        yield served


@pytest.fixture(scope="module")
def own():
    with Served("httptools", "asyncio") as served:
        yield served


def head(target, *fields, version="1.1"):
    lines = [f"{target} HTTP/{version}", "Host: x", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def page(reason, told):
    return f"""<html>
  <head>
    <title>{reason}</title>
  </head>
  <body>
    <h1><p>{reason}</p></h1>
    {told}
  </body>
</html>
"""


def refused(status, reason, told):
    return (11, status, "text/html", page(reason, told))


def ok(told, version=11):
    return (version, 200, None, told)


def no_line(line):
    return refused(
        400, "Bad Request", f"Invalid Request Line &#x27;Invalid HTTP request line: &#x27;{line}&#x27;&#x27;"
    )


def no_field(name):
    return refused(400, "Bad Request", f"Invalid HTTP header name: &#x27;{name}&#x27;")


CHUNKED = "Transfer-Encoding: chunked"
LAST = head("GET /last", "Connection: close")
LAST_ANSWER = ok("GET /last 0 [connection]")
BROKEN_OFF = (11, 400, None, "POST /p 3 [content-length]")
UPGRADE = ("Connection: Upgrade", "Upgrade: zqx")
LARGE = b"x" * 3 * MEBIBYTE

# Name: the packets, whether the client's side is closed behind them, the answers.
ROWS = {
    "trailers are no fields": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\n0\r\nCookie: a=b\r\nX-Request-ID: t\r\n\r\n" + LAST],
        False,
        [ok("POST /p 3 [transfer-encoding]"), LAST_ANSWER],
    ),
    "a trailer that frames breaks the body": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\n0\r\nHost: y\r\n\r\n" + LAST],
        False,
        [(11, 400, None, "POST /p 3 [transfer-encoding]")],
    ),
    "an upgrade that nobody takes, and its body": (
        [head("POST /p", *UPGRADE, "Content-Length: 3") + b"abc" + LAST],
        False,
        [ok("POST /p 3 [connection,upgrade,content-length]"), LAST_ANSWER],
    ),
    "an upgrade in pieces": (
        [
            head("POST /p", *UPGRADE, CHUNKED)[:40],
            head("POST /p", *UPGRADE, CHUNKED)[40:],
            b"3\r\nabc\r\n0\r\n\r\n" + LAST,
        ],
        False,
        [ok("POST /p 3 [connection,upgrade,transfer-encoding]"), LAST_ANSWER],
    ),
    "CONNECT closes": ([head("CONNECT other:80") + LAST], False, [ok("CONNECT /other:80 0 []")]),
    "half-closed behind a request": (
        [head("GET /half") + head("GET /b")],
        True,
        [ok("GET /half 0 []"), ok("GET /b 0 []")],
    ),
    "half-closed within a head": ([head("GET /half") + b"GET /b HT"], True, [ok("GET /half 0 []")]),
    "half-closed within a body": ([head("POST /p", "Content-Length: 9") + b"abc"], True, [BROKEN_OFF]),
    "a chunk that breaks": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\nzz\r\n"],
        False,
        [(11, 400, None, "POST /p 3 [transfer-encoding]")],
    ),
    "a broken request behind others": (
        [head("GET /a") + head("GET /b") + b"BROKEN\r\n\r\n" + LAST],
        False,
        [ok("GET /a 0 []"), ok("GET /b 0 []"), no_line("BROKEN")],
    ),
    "a broken head": ([head("GET /", "X Y: z")], False, [no_field("X Y")]),
    "a broken head in pieces": ([b"GET / HTTP/1.1\r\nX Y", b": z\r\n\r", b"\n"], False, [no_field("X Y")]),
    "a broken head in pieces behind others": (
        [head("GET /a") + head("GET /b") + b"GET / HT", b"TP/1.1\r\nX Y", b": z\r\n\r", b"\n"],
        False,
        [ok("GET /a 0 []"), ok("GET /b 0 []"), no_field("X Y")],
    ),
    "a broken head behind more of a body than one read": (
        [head("POST /p", f"Content-Length: {len(LARGE)}") + LARGE + head("GET /", "X Y: z")],
        False,
        [ok(f"POST /p {len(LARGE)} [content-length]"), no_field("X Y")],
    ),
    "a method that httptools does not know": ([head("BREW /a") + LAST], False, [ok("BREW /a 0 []"), LAST_ANSWER]),
    "the same in pieces": (
        [b"B", b"REW /a HTTP/1.1\r", b"\n\r", b"\n" + LAST],
        False,
        [ok("BREW /a 0 []"), LAST_ANSWER],
    ),
    "the same behind others": (
        [head("POST /p", "Content-Length: 3") + b"abc" + head("BREW /a") + head("FOO /b") + LAST],
        False,
        [ok("POST /p 3 [content-length]"), ok("BREW /a 0 []"), ok("FOO /b 0 []"), LAST_ANSWER],
    ),
    "the same with a body and an upgrade": (
        [head("BREW /a", *UPGRADE, "Content-Length: 3") + b"abc" + LAST],
        False,
        [ok("BREW /a 3 [connection,upgrade,content-length]"), LAST_ANSWER],
    ),
    "the same with a line as long as it may be": (
        [b"FOO /" + b"a" * 4080 + b" HTTP/1.1\r\n\r\n" + LAST],
        False,
        [ok("FOO /" + "a" * 4080 + " 0 []"), LAST_ANSWER],
    ),
    "the same with a WebSocket's upgrade": (
        [head("BREW /a", "Connection: Upgrade", "Upgrade: websocket") + LAST],
        False,
        [ok("BREW /a 0 [connection,upgrade]"), LAST_ANSWER],
    ),
    "a broken head behind an upgrade in pieces": (
        [head("GET /q", *UPGRADE)[:30], head("GET /q", *UPGRADE)[30:] + head("GET /", "X Y: z")],
        False,
        [ok("GET /q 0 [connection,upgrade]"), no_field("X Y")],
    ),
    "a host without a path": ([head("GET http://x?y") + LAST], False, [ok("GET  0 []"), LAST_ANSWER]),
    "a host without a port": ([head("GET http://x:y/a?b") + LAST], False, [ok("GET /a 0 []"), LAST_ANSWER]),
    "a file of no host": ([head("GET file:///a") + LAST], False, [ok("GET /a 0 []"), LAST_ANSWER]),
    "two empty lines": ([b"\r\n\r\n" + LAST], False, [no_line("")]),
    "two spaces": ([head("GET  /")], False, [no_line("GET  / HTTP/1.1")]),
    "HTTP/0.9": ([b"GET /\r\n"], False, [no_line("GET /")]),
    "RTSP": (
        [b"SETUP / RTSP/1.0\r\n"],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Version &#x27;Invalid HTTP Version: &#x27;RTSP/1.0&#x27;&#x27;")],
    ),
    "a broken length": (
        [head("GET /", "Content-Length: -1")],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Header: &#x27;CONTENT-LENGTH&#x27;")],
    ),
    "a coding that nobody knows": (
        [head("POST /coding", "Transfer-Encoding: zqx") + b"abc"],
        False,
        [refused(501, "Bad Request", "Unsupported transfer coding: &#x27;zqx&#x27;")],
    ),
    "a coding that does not end": (
        [head("POST /coding", "Transfer-Encoding: gzip") + b"abc"],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Header: &#x27;TRANSFER-ENCODING&#x27;")],
    ),
    "letters without end": (
        [b"A" * 70000],
        False,
        [refused(414, "URI Too Long", "Request Line is too large (8192 &gt; 4094)")],
    ),
    "a target without end": (
        [b"GET /" + b"a" * 70000],
        False,
        [refused(414, "URI Too Long", "Request Line is too large (8192 &gt; 4094)")],
    ),
    "a head without end": (
        [b"GET / HTTP/1.1\r\nX: " + b"a" * MEBIBYTE],
        False,
        [refused(431, "Request Header Fields Too Large", "Error parsing headers: &#x27;max buffer headers&#x27;")],
    ),
    "fields without end": (
        [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000],
        False,
        [refused(431, "Request Header Fields Too Large", "Error parsing headers: &#x27;max buffer headers&#x27;")],
    ),
    "HTTP/1.0 is answered as such": ([head("GET /a", version="1.0")], False, [ok("GET /a 0 []", 10)]),
    "no chunks for HTTP/1.0": ([head("GET /stream", version="1.0")], False, [ok("GET /stream 0 []!", 10)]),
    "HTTP/1.0 is kept": (
        [head("GET /a", "Connection: Keep-Alive", version="1.0") + LAST],
        False,
        [ok("GET /a 0 [connection]", 10), LAST_ANSWER],
    ),
    "close among others is no close": (
        [head("GET /a", "Connection: close, x") + LAST],
        False,
        [ok("GET /a 0 [connection]"), LAST_ANSWER],
    ),
    "Proxy-Connection is not read": (
        [head("GET /a", "Proxy-Connection: close"), LAST],
        False,
        [ok("GET /a 0 [proxy-connection]"), LAST_ANSWER],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_it_is_answered_as_by_gunicorn(ours, row):
    packets, shut, answers = ROWS[row]
    assert ours.talk(*packets, shut=shut) == answers


@pytest.mark.parametrize("row", ROWS)
def test_uvicorn_s_own_class_answers_otherwise(own, row):
    packets, shut, answers = ROWS[row]
    assert own.talk(*packets, shut=shut) != answers


def test_an_http_1_0_client_is_not_told_to_continue(ours, own):
    said = {}
    for served in (ours, own):
        with served.client() as client:
            fields = ("Expect: 100-continue", "Content-Length: 3", "Connection: close")
            client.sendall(head("POST /p", *fields, version="1.0"))
            if served is own:
                said[served] = client.recv(12)
                continue
            client.sendall(b"abc")
            said[served] = client.recv(12)
    assert (said[ours], said[own]) == (b"HTTP/1.0 200", b"HTTP/1.1 100")


def test_a_coding_that_does_not_end_reaches_no_app(ours):
    ours.talk(head("POST /never", "Transfer-Encoding: gzip") + b"abc")
    assert "/never" not in ours.app.asked


def test_nothing_behind_the_last_request_is_run(ours):
    for last in (head("GET /a", "Connection: close"), head("GET /a", version="1.0"), head("CONNECT other:80")):
        assert len(ours.talk(last + head("GET /behind"))) == 1
    assert "/behind" not in ours.app.asked


def test_nothing_behind_the_last_request_waits_for_its_turn():
    async def send():
        protocol = GunicornHttp(uvicorn.Config(App(), log_config=None, access_log=False), ServerState(), {})
        protocol.connection_made(Flood(protocol))
        protocol.data_received(head("GET /a", "Connection: close") + head("GET /behind"))
        protocol.data_received(head("GET /behind"))
        return len(protocol.pipeline)

    assert asyncio.run(send()) == 0


def test_an_http_1_0_client_is_told_that_its_connection_is_kept(ours):
    with ours.client() as client:
        client.sendall(head("GET /a", "Connection: keep-alive", version="1.0"))
        assert b"\r\nconnection: keep-alive\r\n" in client.recv(4096)


def test_a_later_version_is_answered_as_such(ours):
    with ours.client() as client, client.makefile("rb") as file:
        client.sendall(head("GET /a", version="1.2"))
        assert file.readline() == b"HTTP/1.2 200 OK\r\n"
        assert b"connection: keep-alive\r\n" in iter(file.readline, b"\r\n")


def test_a_later_version_is_told_to_continue_as_by_gunicorn(ours):
    with ours.client() as client, client.makefile("rb") as file:
        client.sendall(head("POST /p", "Expect: 100-continue", "Content-Length: 3", version="1.2"))
        assert [file.readline(), file.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        client.sendall(b"abc")
        assert file.readline() == b"HTTP/1.2 200 OK\r\n"


def test_a_request_is_never_looked_for_in_a_body(ours):
    """Where a read began within chunks, no begin of what is broken behind them can be found."""
    hidden = head("GET /hidden") * 2
    with ours.client() as client, client.makefile("rb") as file:
        client.sendall(head("POST /p", "Expect: 100-continue", CHUNKED))
        assert [file.readline(), file.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        client.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden) + head("GET /", "X Y: z"))
        assert answer(file) == ok(f"POST /p {len(hidden)} [expect,transfer-encoding]")
        assert answer(file) == refused(400, "Bad Request", "Invalid HTTP request")
    assert "/hidden" not in ours.app.asked


def test_what_follows_a_body_of_known_length_is_read_by_itself(ours):
    """The read began within the body, as when a client sends the body and the next request at once."""
    hidden = head("GET /hidden") * 2
    with ours.client() as client, client.makefile("rb") as file:
        client.sendall(head("POST /p", "Expect: 100-continue", f"Content-Length: {len(hidden)}"))
        assert [file.readline(), file.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        client.sendall(hidden + head("GET /q") + head("GET /", "X Y: z"))
        assert answer(file) == ok(f"POST /p {len(hidden)} [expect,content-length]")
        assert answer(file) == ok("GET /q 0 []")
        assert answer(file) == no_field("X Y")
    assert "/hidden" not in ours.app.asked


def test_an_app_may_leave_a_broken_body_without_a_word(ours):
    assert ours.talk(head("POST /silent", "Content-Length: 9") + b"abc", shut=True) == []


def test_answers_keep_their_order(ours):
    requests = [head(f"POST /{n}", "Content-Length: 2") + b"ab" for n in range(500)]
    answers = ours.talk(b"".join(requests) + LAST)
    assert answers == [ok(f"POST /{n} 2 [content-length]") for n in range(500)] + [LAST_ANSWER]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_request_may_come_in_any_pieces(ours, size):
    sent = head("POST /p", CHUNKED) + b"3\r\nabc\r\n2;a=b\r\nde\r\n0\r\nX: y\r\n\r\n" + head("GET /q", *UPGRADE) + LAST
    packets = [sent[at : at + size] for at in range(0, len(sent), size)]
    answers = [ok("POST /p 5 [transfer-encoding]"), ok("GET /q 0 [connection,upgrade]"), LAST_ANSWER]
    assert ours.talk(*packets) == answers


def test_a_line_that_is_no_request_is_refused_once_it_ends(ours):
    assert ours.talk(b"GARB", b"AGE", b"\r\n\r\n") == [no_line("GARBAGE")]


def test_large_bodies_arrive_whole(ours):
    length = f"Content-Length: {len(LARGE)}"
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(LARGE), LARGE)
    answers = ours.talk(head("POST /p", length) + LARGE + head("POST /p", CHUNKED) + chunk + LAST)
    told = [f"POST /p {len(LARGE)} [content-length]", f"POST /p {len(LARGE)} [transfer-encoding]"]
    assert answers == [*map(ok, told), LAST_ANSWER]


def test_a_refusal_reaches_a_client_that_still_sends(ours):
    """A connection that is closed on unread bytes is reset, and the answer is lost."""
    for _ in range(20):
        assert ours.talk(b"BROKEN\r\n\r\n", b"x" * 32768) == [no_line("BROKEN")]


def test_a_trailer_without_end_breaks_the_body(ours):
    sent = head("POST /p", CHUNKED) + b"3\r\nabc\r\n0\r\nX: " + b"a" * MEBIBYTE
    assert ours.talk(sent) == [(11, 400, None, "POST /p 3 [transfer-encoding]")]


class Flood(asyncio.Transport):
    """A client that sends requests whenever it is read."""

    def __init__(self, protocol):
        super().__init__()
        self.protocol, self.packet = protocol, head("GET /a") * 4096
        self.is_read, self.is_closed = True, False

    def write(self, data):
        pass

    def can_write_eof(self):
        return False

    def pause_reading(self):
        self.is_read = False

    def resume_reading(self):
        self.is_read = True

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    async def most_held(self, turns):
        most = 0
        for _ in range(turns):
            if self.is_read and not self.is_closed:
                self.protocol.data_received(self.packet)
            most = max(most, len(self.protocol.pipeline))
            await asyncio.sleep(0)
        return most


@pytest.mark.parametrize(("cls", "is_limited"), [(GunicornHttp, True), (HttpToolsProtocol, False)])
def test_requests_that_wait_for_their_turn_are_limited(cls, is_limited):
    async def flood():
        protocol = cls(uvicorn.Config(App(), log_config=None, access_log=False), ServerState(), {})
        transport = Flood(protocol)
        protocol.connection_made(transport)
        return await transport.most_held(30)

    assert (asyncio.run(flood()) <= 16385) is is_limited


def test_an_app_hears_that_its_client_has_gone(ours):
    ours.app.gone.clear()
    ours.app.entered.clear()
    with ours.client() as client:
        client.sendall(head("GET /forever") + head("GET /behind-it"))
        assert ours.app.entered.wait(20)
    assert ours.app.gone.wait(20)
    assert "/behind-it" not in ours.app.asked


@pytest.mark.parametrize("loop", LOOPS)
def test_a_kept_connection_is_closed_in_time(loop):
    with Served(OURS, loop, timeout_keep_alive=0) as served:
        assert served.talk(head("GET /a")) == [ok("GET /a 0 []")]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_shutdown_lets_a_request_finish(loop):
    with Served(OURS, loop) as served, served.client() as client, served.client() as idle:
        idle.sendall(head("GET /a"))
        assert idle.recv(12) == b"HTTP/1.1 200"
        client.sendall(head("POST /p", "Content-Length: 3", "Expect: 100-continue"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        served.server.should_exit = True
        while idle.recv(4096):
            pass
        client.sendall(b"abc")
        with client.makefile("rb") as file:
            assert answer(file) == ok("POST /p 3 [content-length,expect]")
            assert file.read() == b""


SIGNATURES = {
    "connection_made": ["transport"],
    "connection_lost": ["exc"],
    "data_received": ["data"],
    "eof_received": [],
    "handle_websocket_upgrade": [],
    "on_message_begin": [],
    "on_url": ["url"],
    "on_header": ["name", "value"],
    "on_headers_complete": [],
    "on_body": ["body"],
    "on_message_complete": [],
    "on_response_complete": [],
    "_start_asgi_task": ["cycle", "app"],
    "_should_upgrade": [],
    "_unset_keepalive_if_required": [],
}
ATTRIBUTES = "pipeline cycle headers scheme flow transport parser loop logger server_state expect_100_continue"
OF_A_CYCLE = (
    "scope transport message_event keep_alive disconnected body more_body response_started response_complete"
    " chunked_encoding expected_content_length"
)


def test_uvicorn_is_built_as_the_class_takes_it_to_be():
    """When this fails after an update: read the diff of uvicorn's httptools_impl.py, then fit GunicornHttp to it."""
    version = importlib.metadata.version("uvicorn")
    found = {
        name: list(inspect.signature(getattr(HttpToolsProtocol, name)).parameters)[1:]
        for name in SIGNATURES
        if hasattr(HttpToolsProtocol, name)
    }
    assert found == SIGNATURES, f"uvicorn {version} has other methods"
    for cls, names in ((HttpToolsProtocol, ATTRIBUTES), (RequestResponseCycle, OF_A_CYCLE)):
        source = inspect.getsource(cls.__init__)
        assert not [name for name in names.split() if f"self.{name}" not in source], (
            f"uvicorn {version}: {cls.__name__}"
        )
    known = {name for name in vars(GunicornHttp) if callable(getattr(GunicornHttp, name))} & set(
        vars(HttpToolsProtocol)
    )
    assert known <= set(SIGNATURES), "an override that is not watched here"


def test_the_kit_itself_needs_no_server():
    source = inspect.getsource(importlib.import_module("fastapi_app.wire"))
    assert "protocol" not in source
