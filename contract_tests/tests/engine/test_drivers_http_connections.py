"""Over a socket: which connection a request goes out on, and when it is sent again."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_tests.parity.drivers import http
from contract_tests.parity.messages import Request
from contract_tests.tests.engine import scripted
from contract_tests.tests.engine.scripted import (
    GET,
    OK,
    Conversation,
    Serve,
    answering,
)

# pytest finds fixtures by the names of a module.
serve = scripted.serve


def test_requests_of_one_thread_share_a_connection(serve: Serve) -> None:
    server = serve(answering(OK, OK, OK))
    with http(server.url) as target:
        assert [target.send(GET).body for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 1


def test_each_thread_has_a_connection_of_its_own(serve: Serve) -> None:
    together = threading.Barrier(3, timeout=10)

    def script(conversation: Conversation) -> None:
        conversation.request()
        together.wait()
        conversation.say(OK)

    server = serve(script)
    with http(server.url) as target, ThreadPoolExecutor(3) as pool:
        assert [response.body for response in pool.map(target.send, [GET] * 3)] == [b"ok"] * 3
    assert server.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"surplus",
    ],
)
def test_a_connection_that_cannot_be_used_again_is_not(serve: Serve, answer: bytes) -> None:
    server = serve(answering(answer, answer))
    with http(server.url) as target:
        assert [target.send(GET).body for _ in range(2)] == [b"ok", b"ok"]
    assert server.connections == 2


def test_a_connection_is_not_used_again_after_a_request_with_a_wrong_length(serve: Serve) -> None:
    server = serve(answering(OK, OK))
    with http(server.url) as target:
        target.send(Request("POST", b"/", ((b"Content-Length", b"1"),), b"abc"))
        assert target.send(GET).body == b"ok"
    assert server.connections == 2


def test_a_request_is_sent_again_where_a_used_connection_closes_without_a_byte(serve: Serve) -> None:
    seen: list[bytes] = []

    def closing(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(OK)
        seen.append(conversation.request())

    server = serve(closing, answering(OK))
    with http(server.url) as target:
        target.send(GET)
        assert target.send(GET).body == b"ok"
    assert (len(seen), server.connections) == (1, 2)


def test_a_request_is_sent_again_where_a_used_connection_is_reset_without_a_byte(serve: Serve) -> None:
    def resetting(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(OK)
        conversation.request()
        conversation.reset()

    server = serve(resetting, answering(OK))
    with http(server.url) as target:
        target.send(GET)
        assert target.send(GET).body == b"ok"


def test_a_request_is_sent_again_only_once(serve: Serve) -> None:
    def closing(conversation: Conversation) -> None:
        conversation.request()

    def answering_once(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(OK)
        conversation.request()

    server = serve(answering_once, closing)
    with http(server.url) as target:
        target.send(GET)
        assert target.send(GET).failure == "truncated"
    assert server.connections == 2


def test_a_request_is_not_sent_again_on_a_fresh_connection(serve: Serve) -> None:
    server = serve(answering(b""), answering(OK))
    with http(server.url) as target:
        assert target.send(GET).failure == "truncated"
    assert server.connections == 1


@pytest.mark.parametrize("start", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_request_is_not_sent_again_after_a_byte_of_a_response(serve: Serve, start: bytes) -> None:
    server = serve(answering(OK, start), answering(OK))
    with http(server.url) as target:
        target.send(GET)
        assert target.send(GET).failure == "truncated"
    assert server.connections == 1


def test_a_request_is_not_sent_again_after_a_timeout(serve: Serve) -> None:
    def slow(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(OK)
        conversation.until(b"never")

    server = serve(slow)
    with http(server.url, timeout=0.5) as target:
        assert target.send(GET).body == b"ok"
        assert target.send(GET).failure == "timeout"
    assert server.connections == 1


def test_an_idle_connection_that_the_server_closed_is_not_written_to(serve: Serve) -> None:
    closed = threading.Event()
    written: list[bytes] = []

    def closing(conversation: Conversation) -> None:
        conversation.request()
        conversation.say(OK)
        conversation.sock.shutdown(socket.SHUT_WR)
        closed.set()
        written.append(conversation.request())

    server = serve(closing, answering(OK))
    with http(server.url) as target:
        target.send(GET)
        assert closed.wait(10)
        assert target.send(Request("POST", b"/", (), b"only once")).body == b"ok"
    server.wait()
    assert (written, server.connections) == ([b""], 2)
