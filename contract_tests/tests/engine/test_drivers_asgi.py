"""An ASGI application sees one long-lived server, and its outcome is what a client of that server would read."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from contract_tests.parity.drivers import asgi
from contract_tests.parity.messages import Request, Response
from contract_tests.tests.engine import asgi_apps
from contract_tests.tests.engine.asgi_apps import (
    Living,
    Message,
    Receive,
    Send,
    body,
    get,
    http_only,
    saying,
    start,
)

# pytest finds fixtures by the names of a module.
no_thread_is_left = asgi_apps.no_thread_is_left


def scope_of(request: Request) -> Message:
    seen: Message = {}

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.update(scope)
        await send(start())
        await send(body())

    with asgi(app) as target:
        target.send(request)
    return seen


def test_a_response_arrives_whole_with_header_names_in_lower_case() -> None:
    headers = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2")]
    response = get(saying(start(201, headers), body(b"one", more=True), body(b"two")))
    assert response == Response(201, ((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")), b"onetwo")
    assert response.exception is None


def test_the_scope_is_complete() -> None:
    scope = scope_of(Request("POST", b"/caf%C3%A9/a%2Fb//c?x=%C3%A9", ((b"X-Tag", b" a "), (b"x-TAG", b"b")), b"1"))
    assert scope["method"] == "POST"
    assert scope["path"] == "/caf\xe9/a/b//c"
    assert scope["raw_path"] == b"/caf%C3%A9/a%2Fb//c"
    assert scope["query_string"] == b"x=%C3%A9"
    assert scope["headers"] == [
        (b"host", b"testserver"),
        (b"x-tag", b"a"),
        (b"x-tag", b"b"),
        (b"content-length", b"1"),
    ]
    assert (scope["scheme"], scope["server"], scope["client"][0]) == ("https", ("testserver", 443), "127.0.0.1")
    assert (scope["http_version"], scope["root_path"], scope["extensions"]) == ("1.1", "", {})
    assert scope["asgi"]["version"] == "3.0"


def test_a_target_that_no_server_hands_on_is_a_bad_request() -> None:
    assert get(saying(start(), body()), target=b"/a b").status == 400


@pytest.mark.parametrize(
    ("size", "chunks"), [(0, [0]), (1, [1]), (65536, [65536]), (65537, [65536, 1]), (200000, [65536] * 3 + [3392])]
)
def test_the_body_comes_in_chunks_of_64_kib(size: int, chunks: list[int]) -> None:
    events: list[Message] = []

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        while not events or events[-1]["more_body"]:
            events.append(await receive())
        await send(start())
        await send(body())

    get(app, method="POST", body=b"x" * size)
    assert [len(event["body"]) for event in events] == chunks
    assert [event["more_body"] for event in events] == [True] * (len(chunks) - 1) + [False]


def test_disconnect_comes_after_the_response_is_complete_and_not_before() -> None:
    order: list[str] = []

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        async def wait_for_disconnect() -> None:
            order.append((await receive())["type"])

        await receive()
        waiting = asyncio.create_task(wait_for_disconnect())
        for _ in range(20):
            await asyncio.sleep(0)
        order.append("answering")
        await send(start())
        await send(body())
        await waiting

    get(app)
    assert order == ["answering", "http.disconnect"]


def test_a_body_that_was_not_read_is_gone_once_the_response_is_complete() -> None:
    events: list[Message] = []

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body())
        events.append(await receive())

    get(app, method="POST", body=b"unread")
    assert events == [{"type": "http.disconnect"}]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_body_that_may_not_follow_its_head_is_dropped(method: str, status: int) -> None:
    response = get(saying(start(status, [(b"content-length", b"9")]), body(b"dropped")), method=method)
    assert (response.status, response.body, response.failure, response.exception) == (status, b"", None, None)


def test_an_exception_before_the_head_is_a_500_with_the_exception() -> None:
    error = KeyError("broken")
    response = get(saying(error))
    assert (response.status, response.body, response.failure) == (500, b"Internal Server Error", None)
    assert response.exception is error


def test_an_application_that_never_starts_a_response_is_a_500() -> None:
    response = get(saying())
    assert response.status == 500
    assert isinstance(response.exception, RuntimeError)


def test_an_exception_in_the_body_truncates_it() -> None:
    error = ValueError("middle")
    response = get(saying(start(), body(b"some", more=True), error))
    assert (response.status, response.body, response.failure) == (200, b"some", "truncated")
    assert response.exception is error


def test_an_exception_after_the_head_and_before_the_body_is_truncated() -> None:
    assert get(saying(start(), ValueError())).failure == "truncated"


def test_an_exception_after_the_whole_declared_body_is_told_but_truncates_nothing() -> None:
    error = ValueError("afterwards")
    response = get(saying(start(200, [(b"content-length", b"4")]), body(b"some", more=True), error))
    assert (response.body, response.failure) == (b"some", None)
    assert response.exception is error


def test_an_exception_raised_after_a_complete_500_is_told() -> None:
    """Starlette's ServerErrorMiddleware answers first and raises afterwards."""
    error = ValueError("answered already")
    response = get(saying(start(500), body(b"sorry"), error))
    assert (response.status, response.body, response.failure) == (500, b"sorry", None)
    assert response.exception is error


def test_an_exception_that_the_application_answered_itself_is_taken_from_the_scope() -> None:
    caught = ValueError("caught")

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        scope["wire.exception"] = caught
        await send(start(500))
        await send(body(b"my own page"))

    assert get(app).exception is caught


def test_a_response_without_completion_is_truncated() -> None:
    response = get(saying(start(), body(b"some", more=True)))
    assert (response.status, response.body, response.failure) == (200, b"some", "truncated")


def test_a_body_shorter_than_its_content_length_is_truncated() -> None:
    response = get(saying(start(200, [(b"content-length", b"9")]), body(b"hello")))
    assert (response.status, response.body, response.failure) == (200, b"hello", "truncated")
    assert "shorter" in str(response.exception)


def test_a_body_longer_than_its_content_length_is_truncated_before_the_surplus() -> None:
    response = get(saying(start(200, [(b"content-length", b"4")]), body(b"abc", more=True), body(b"def")))
    assert (response.body, response.failure) == (b"abc", "truncated")
    assert "longer" in str(response.exception)


@pytest.mark.parametrize("header", [(b"x-bad", b"a\r\nb: c"), (b"x bad", b"a"), (b"x:bad", b"a"), ("x-bad", "a")])
def test_an_invalid_header_drops_the_connection_as_uvicorn_does(header: Any) -> None:
    response = get(saying(start(200, [header]), body(b"never")))
    assert (response.status, response.headers, response.failure) == (0, (), "truncated")
    assert response.exception is not None


def test_no_second_head_follows_one_that_was_refused() -> None:
    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await send(start(200, [(b"x-bad", b"\n")]))
        except RuntimeError:
            await send(start(500))

    assert get(app).failure == "truncated"


@pytest.mark.parametrize(
    "messages",
    [
        (body(b"early"),),
        ({"type": "http.response.start", "status": 200}, {"type": "websocket.send"}),
        (start(), start(), body()),
        (start(99), body()),
        (start(), {"type": "http.response.body", "body": "text"}),
    ],
)
def test_messages_out_of_order_or_out_of_shape_are_told(messages: tuple[Message, ...]) -> None:
    assert isinstance(get(saying(*messages)).exception, RuntimeError | ValueError | TypeError)


def test_what_is_sent_after_the_response_changes_nothing() -> None:
    response = get(saying(start(), body(b"whole"), body(b" and more")))
    assert (response.body, response.failure) == (b"whole", None)
    assert "after the response was complete" in str(response.exception)


def test_several_threads_are_in_the_application_at_once() -> None:
    waiting: list[asyncio.Future[None]] = []

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        waiting.append(asyncio.get_running_loop().create_future())
        if len(waiting) == 3:
            for future in waiting:
                future.set_result(None)
        await asyncio.wait_for(waiting[-1], 10)
        await send(start())
        await send(body(scope["raw_path"]))

    with asgi(app) as target, ThreadPoolExecutor(3) as pool:
        requests = [Request("GET", b"/%d" % number) for number in range(3)]
        assert [response.body for response in pool.map(target.send, requests)] == [b"/0", b"/1", b"/2"]


def test_context_variables_neither_reach_the_application_nor_leak_from_it() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(variable.get())
        variable.set("application")
        await send(start())
        await send(body())

    token = variable.set("caller")
    with asgi(app) as target:
        target.send(Request("GET", b"/"))
        target.send(Request("GET", b"/"))
    assert (seen, variable.get()) == (["unset", "unset"], "caller")
    variable.reset(token)


def test_a_closed_target_answers_no_more() -> None:
    target = asgi(Living())
    target.close()
    with pytest.raises(RuntimeError, match="is closed"):
        target.send(Request("GET", b"/"))


def test_reset_calls_its_hook_also_before_the_first_request() -> None:
    calls: list[str] = []
    with asgi(Living(), reset=lambda: calls.append("reset")) as target:
        target.reset()
    asgi(Living()).reset()
    assert calls == ["reset"]
