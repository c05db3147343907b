"""An ASGI application sees one long-lived server, and its outcome is what a client of that server would read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from contract_tests.parity.drivers import LifespanError, SettleError, asgi
from contract_tests.parity.messages import Header, Request, Response

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def start(status: int = 200, headers: list[Header] | None = None) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers or []}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def http_only(handler: App) -> App:
    """An application that knows no lifespan."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await handler(scope, receive, send)

    return app


def saying(*messages: Message | Exception) -> App:
    """An application that sends these messages, or raises what is an exception."""

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            if isinstance(message, Exception):
                raise message
            await send(message)

    return app


def get(app: App, **kwargs: Any) -> Response:
    with asgi(app) as target:
        return target.send(Request(**{"method": "GET", "target": b"/", **kwargs}))


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


def test_the_outcome_is_returned_while_a_background_task_is_still_running() -> None:
    order: list[str] = []
    go_on = threading.Event()

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"answered"))
        await asyncio.to_thread(go_on.wait, 10)
        order.append("background")

    with asgi(app, reset=lambda: order.append("reset")) as target:
        assert target.send(Request("GET", b"/")).body == b"answered"
        order.append("answered")
        go_on.set()
        target.reset()
    assert order == ["answered", "background", "reset"]


def test_close_waits_for_a_background_task_before_the_lifespan_ends() -> None:
    order: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            order.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(start())
        await send(body())
        for _ in range(100):
            await asyncio.sleep(0)
        order.append("background")

    with asgi(app) as target:
        target.send(Request("GET", b"/"))
    assert order == ["background", "shutdown"]


def test_a_background_task_that_does_not_end_fails_the_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.parity.drivers.loop.PATIENCE", 0.05)

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body())
        await asyncio.Event().wait()

    with asgi(app) as target:
        target.send(Request("GET", b"/"))
        with pytest.raises(SettleError, match="still at work"):
            target.reset()
        # It was cancelled, and is not waited for again.
        target.reset()


def test_an_application_that_never_answers_is_a_timeout() -> None:
    cancelled = threading.Event()

    @http_only
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with asgi(app, timeout=0.5) as target:
        assert target.send(Request("GET", b"/")) == Response(0, failure="timeout")
        assert cancelled.wait(10)


class Living:
    """An application with a lifespan, which notes what happens to it."""

    def __init__(self, *, startup: Message | None = None, shutdown: Message | None = None) -> None:
        self.startup = startup or {"type": "lifespan.startup.complete"}
        self.shutdown = shutdown or {"type": "lifespan.shutdown.complete"}
        self.events: list[str] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.loops.add(asyncio.get_running_loop())
        self.events.append(scope["type"])
        if scope["type"] == "http":
            await send(start())
            await send(body(str(scope["state"].get("number")).encode()))
            scope["state"]["number"] = "changed by a request"
            return
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["number"] = 41
        await send(self.startup)
        if self.startup["type"] == "lifespan.startup.failed":
            return
        assert (await receive())["type"] == "lifespan.shutdown"
        self.events.append("shutdown")
        await send(self.shutdown)


def test_the_lifespan_starts_once_on_entering_and_ends_on_close() -> None:
    app = Living()
    with asgi(app) as target:
        assert app.events == ["lifespan"]
        target.send(Request("GET", b"/"))
        target.close()
        target.close()
    assert app.events == ["lifespan", "http", "shutdown"]


def test_the_lifespan_starts_with_the_first_request_where_no_one_entered() -> None:
    app = Living()
    target = asgi(app)
    assert app.events == []
    target.send(Request("GET", b"/"))
    target.send(Request("GET", b"/"))
    target.close()
    assert app.events == ["lifespan", "http", "http", "shutdown"]


def test_each_request_gets_its_own_copy_of_the_lifespan_state() -> None:
    with asgi(Living()) as target:
        assert [target.send(Request("GET", b"/")).body for _ in range(2)] == [b"41", b"41"]


def test_all_requests_and_the_lifespan_share_one_loop() -> None:
    app = Living()
    with asgi(app) as target, ThreadPoolExecutor(4) as pool:
        list(pool.map(target.send, [Request("GET", b"/")] * 8))
    assert len(app.loops) == 1


def test_a_failed_startup_is_a_clear_error() -> None:
    app = Living(startup={"type": "lifespan.startup.failed", "message": "Traceback ...\nKeyError: 'DATABASE_URL'"})
    with pytest.raises(LifespanError, match=r"startup failed: KeyError: 'DATABASE_URL'$"), asgi(app):
        pass


def test_a_failed_startup_is_raised_by_the_first_request_too() -> None:
    target = asgi(Living(startup={"type": "lifespan.startup.failed"}))
    with pytest.raises(LifespanError):
        target.send(Request("GET", b"/"))
    target.close()


def test_a_failed_shutdown_is_a_clear_error() -> None:
    target = asgi(Living(shutdown={"type": "lifespan.shutdown.failed", "message": "the pool is busy"}))
    target.send(Request("GET", b"/"))
    with pytest.raises(LifespanError, match="shutdown failed: the pool is busy"):
        target.close()
    target.close()


def test_a_startup_that_does_not_end_is_a_clear_error() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    with pytest.raises(LifespanError, match="startup did not end"), asgi(app, timeout=0.05):
        pass


def test_an_application_that_fails_between_startup_and_shutdown_is_told_at_close() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise ValueError("lost")

    target = asgi(app)
    target.__enter__()
    with pytest.raises(LifespanError, match="ValueError"):
        target.close()


@pytest.mark.parametrize("silent", [True, False])
def test_an_application_without_a_lifespan_is_tolerated(*, silent: bool) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            if silent:
                return
            raise NotImplementedError
        await send(start())
        await send(body(b"ok"))

    assert get(app).body == b"ok"


def test_an_application_may_leave_its_lifespan_after_the_startup() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    with asgi(app) as target:
        assert target.name.endswith(".app")


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


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    # The suite's own port may be open in this process.
    before = set(threading.enumerate())
    yield
    assert [thread for thread in set(threading.enumerate()) - before if thread.name == "parity-asgi"] == []
