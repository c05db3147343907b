"""Below the app: a connection is kept, closed and ended as by gunicorn, whatever its packets hold."""

import asyncio
import importlib
import importlib.metadata
import inspect

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from contract_tests.tests.house import uvicorn_threads
from contract_tests.tests.house.uvicorn_threads import (
    CHUNKED,
    LARGE,
    LAST,
    LAST_ANSWER,
    LOOPS,
    MEBIBYTE,
    OURS,
    UPGRADE,
    App,
    Served,
    answer,
    head,
    no_field,
    no_line,
    ok,
    refused,
)
from fastapi_app.wire.protocol import GunicornHttp

# pytest finds fixtures by the names of a module.
ours = uvicorn_threads.ours
own = uvicorn_threads.own


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


MOST_WAITING = 16385


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

    async def most_held(self, turns, *, enough):
        """How many requests wait at most, in so many turns or until there are more than enough."""
        most = 0
        for _ in range(turns):
            if most > enough:
                break
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
        return await transport.most_held(30, enough=MOST_WAITING)

    assert (asyncio.run(flood()) <= MOST_WAITING) is is_limited


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
