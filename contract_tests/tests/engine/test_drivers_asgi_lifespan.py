"""An ASGI application lives once: its startup, its background tasks and its end are told."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_tests.parity.drivers import LifespanError, SettleError, asgi
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
    start,
)

# pytest finds fixtures by the names of a module.
no_thread_is_left = asgi_apps.no_thread_is_left


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

    with asgi(app, timeout=0.2) as target:
        assert target.send(Request("GET", b"/")) == Response(0, failure="timeout")
        assert cancelled.wait(10)


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
