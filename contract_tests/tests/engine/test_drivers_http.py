"""Over a socket every byte of a request is the caller's, and every way to get no whole response has its name."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from contract_tests.parity.drivers import http
from contract_tests.parity.drivers.http11 import Connection
from contract_tests.parity.messages import Header, Request, Response
from contract_tests.tests.engine import scripted
from contract_tests.tests.engine.scripted import (
    GET,
    OK,
    Conversation,
    Serve,
    answering,
    once,
    sent,
)

# pytest finds fixtures by the names of a module.
serve = scripted.serve


def test_a_request_goes_out_as_it_was_given(serve: Serve) -> None:
    headers = ((b"x-Tag", b"b"), (b"X-tag", b"  a"), (b"HOST", b"elsewhere"), (b"x-tag", b"\xff"))
    target = b"/a/../b//%7e%2F?q=%zz&&a[]=\xc3\xa9"
    assert sent(serve, Request("get", target, headers)) == (
        b"get /a/../b//%7e%2F?q=%zz&&a[]=\xc3\xa9 HTTP/1.1\r\n"
        b"x-Tag: b\r\nX-tag:   a\r\nHOST: elsewhere\r\nx-tag: \xff\r\n\r\n"
    )


def test_only_host_and_the_length_of_a_body_are_added(serve: Serve) -> None:
    assert sent(serve, GET) == b"GET / HTTP/1.1\r\nHost: HOST\r\n\r\n"
    assert sent(serve, Request("POST", b"/")) == b"POST / HTTP/1.1\r\nHost: HOST\r\n\r\n"
    assert sent(serve, Request("POST", b"/", (), b"abc")) == (
        b"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc"
    )


def test_a_content_length_that_the_request_carries_is_kept(serve: Serve) -> None:
    request = Request("POST", b"/", ((b"content-length", b"2"),), b"abc")
    assert sent(serve, request).endswith(b"content-length: 2\r\n\r\nab")


def test_a_chunked_request_is_sent_in_chunks(serve: Serve) -> None:
    bodies: list[bytes] = []

    def script(conversation: Conversation) -> None:
        conversation.request()
        bodies.append(conversation.until(b"0\r\n\r\n"))
        conversation.say(OK)

    request = Request("POST", b"/", ((b"Transfer-Encoding", b"chunked"),), b"x" * 65537)
    with http(serve(script).url) as target:
        assert target.send(request).body == b"ok"
    assert bodies == [b"10000\r\n" + b"x" * 65536 + b"\r\n1\r\nx\r\n0\r\n\r\n"]


def test_repeated_response_headers_stay_apart_with_their_case_and_order(serve: Serve) -> None:
    answer = (
        b"HTTP/1.1 404 Nope\r\nset-COOKIE: a=1\r\nX-B:\t2 \r\nSet-Cookie: b\xe9=2\r\nX-Empty:\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    expected: tuple[Header, ...] = (
        (b"set-COOKIE", b"a=1"),
        (b"X-B", b"2"),
        (b"Set-Cookie", b"b\xe9=2"),
        (b"X-Empty", b""),
        (b"Content-Length", b"0"),
    )
    assert once(serve, answer) == Response(404, expected)


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (b"Content-Length: 5, 5\r\n\r\nhello", b"hello"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n003;x=y\r\nllo\r\n0\r\nX-Trailer: a\r\n\r\n", b"hello"),
        (b"transfer-encoding: Chunked\r\nContent-Length: 99\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
        (b"\r\nuntil the end", b"until the end"),
        (b"Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nabcd", b"abcd"),
    ],
)
def test_every_framing_of_a_body_is_read(serve: Serve, framing: bytes, body: bytes) -> None:
    response = once(serve, b"HTTP/1.1 200 OK\r\n" + framing)
    assert (response.status, response.body, response.failure) == (200, body, None)


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n"])
def test_a_response_that_has_no_body_ends_with_its_head(serve: Serve, head: bytes) -> None:
    with http(serve(answering(head, OK)).url) as target:
        assert target.send(GET).failure is None
        assert target.send(GET).body == b"ok"


def test_a_response_to_head_ends_with_its_head(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", OK))
    with http(server.url) as target:
        assert target.send(Request("HEAD", b"/")).header("content-length") == b"9"
        assert target.send(GET).body == b"ok"
    assert server.connections == 1


def test_interim_responses_are_skipped(serve: Serve) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    assert once(serve, interim + OK) == Response(200, ((b"Content-Length", b"2"),), b"ok")


def test_folded_header_lines_are_joined(serve: Serve) -> None:
    response = once(serve, b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 0\r\n\r\n")
    assert response.header("x-folded") == b"a b"


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"", 0, b""),
        (b"HTTP/1.1 200 OK\r\nContent-", 0, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnine\r\n", 200, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 200, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 0, b""),
        (b"220 mail.example ESMTP\r\n", 0, b""),
    ],
)
def test_what_is_no_whole_response_is_truncated(serve: Serve, answer: bytes, status: int, body: bytes) -> None:
    response = once(serve, answer)
    assert (response.status, response.body, response.failure) == (status, body, "truncated")


def test_a_head_beyond_the_limit_is_truncated(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.parity.drivers.http11.MAX_HEAD", 1000)
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 100) for number in range(11))
    assert once(serve, b"HTTP/1.1 200 OK\r\n" + many + b"\r\n").failure == "truncated"
    assert once(serve, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 3000 + b"\r\n\r\n").failure == "truncated"


def test_a_line_that_does_not_end_is_truncated_at_the_limit(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.parity.drivers.http11.MAX_HEAD", 1000)

    def endless(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(b"y" * 3000)
        conversation.until(b"never")

    with http(serve(endless).url, timeout=2) as target:
        assert target.send(GET).failure == "truncated"


def test_a_body_beyond_the_limit_is_truncated(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.parity.drivers.http11.MAX_BODY", 1000)
    assert once(serve, b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 1001).failure == "truncated"


def test_a_port_that_no_one_listens_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with http(f"http://127.0.0.1:{port}") as target:
        assert target.send(GET) == Response(0, failure="refused")


def test_a_server_that_says_nothing_is_a_timeout(serve: Serve) -> None:
    def silent(conversation: Conversation) -> None:
        conversation.until(b"never")

    with http(serve(silent).url, timeout=0.1) as target:
        assert target.send(GET) == Response(0, failure="timeout")


def test_the_timeout_is_for_the_whole_exchange_and_keeps_what_arrived(serve: Serve) -> None:
    def drip(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(b"HTTP/1.1 200 OK\r\n\r\n")
        gone = threading.Event()
        while not gone.wait(0.02):
            conversation.say(b".")

    with http(serve(drip).url, timeout=0.7) as target:
        response = target.send(GET)
    assert (response.status, response.failure) == (200, "timeout")
    assert response.body.startswith(b".")


def test_a_connection_that_is_reset_is_a_reset(serve: Serve) -> None:
    def script(conversation: Conversation) -> None:
        conversation.request()
        conversation.reset()

    with http(serve(script).url) as target:
        assert target.send(GET) == Response(0, failure="reset")


def test_an_answer_that_comes_before_the_body_is_sent_is_read(serve: Serve) -> None:
    def early(conversation: Conversation) -> None:
        conversation.say(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
        conversation.sock.shutdown(socket.SHUT_WR)
        # Read to the end: closing with unread bytes is a reset, which may overtake the answer.
        conversation.until(b"the end")

    with http(serve(early).url) as target:
        response = target.send(Request("PUT", b"/", (), b"x" * 5_000_000 + b"the end"))
    assert (response.status, response.body) == (413, b"big")


def test_an_answer_is_read_though_the_request_can_no_longer_be_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(OK)
        theirs.close()
        response = Connection(ours).exchange(b"GET / HTTP/1.1\r\n\r\n", GET, time.monotonic() + 10)
    assert (response.body, response.failure) == (b"ok", None)


def test_a_server_that_answers_while_it_reads_does_not_lock_both(serve: Serve) -> None:
    """Both sides have more to say than the buffers of the system hold."""
    size = 12_000_000

    def echo(conversation: Conversation) -> None:
        conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        left = size
        while left:
            data = conversation.sock.recv(min(65536, left))
            conversation.say(b"y" * len(data))
            left -= len(data)
        conversation.until(b"never")

    request = Request("PUT", b"/", ((b"Host", b"h"), (b"Content-Length", b"%d" % size)), b"x" * size)
    with http(serve(echo).url) as target:
        response = target.send(request)
    assert (len(response.body), response.failure) == (size, None)


def test_no_proxy_is_taken_from_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert once(serve, OK).body == b"ok"


def test_the_name_is_the_address_and_the_server_header_of_the_last_response(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Length: 0\r\n\r\n"))
    with http(server.url) as target:
        assert target.name == f"127.0.0.1:{server.port}"
        target.send(GET)
        assert target.name == f"127.0.0.1:{server.port} (gunicorn)"


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://a", "http://", "http://a/path", "http://u:p@a", "http://a?q"])
def test_any_other_url_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|scheme"):
        http(url)


def test_reset_calls_its_hook_and_a_closed_target_answers_no_more() -> None:
    calls: list[str] = []
    target = http("http://127.0.0.1:9", reset=lambda: calls.append("reset"))
    target.reset()
    http("http://127.0.0.1:9").reset()
    target.close()
    target.close()
    assert calls == ["reset"]
    with pytest.raises(RuntimeError, match="is closed"):
        target.send(GET)


def test_a_length_may_begin_with_many_zeros(serve: Serve) -> None:
    assert once(serve, b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5000 + b"2\r\n\r\nok").body == b"ok"
