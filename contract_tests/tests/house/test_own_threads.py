"""The threads of an app's own: turns, context, cancellation and the end, as with anyio's"""

import asyncio
import threading
import time
from contextvars import ContextVar

import anyio.to_thread
import pytest
from fastapi import APIRouter, FastAPI

from fastapi_app.wire.threads import ThreadRoute, Threads, run

who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def threads():
    threads = Threads(2)
    yield threads
    threads.close()


def test_a_call_gives_what_it_gives_and_raises_what_it_raises(threads):
    assert asyncio.run(threads.run(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(threads.run(divmod, 7, 0))


def test_a_call_runs_in_the_context_of_whoever_awaits_it_and_changes_nothing_in_it(threads):
    def call():
        seen = who.get()
        who.set("the call")
        return seen

    async def ask():
        who.set("the request")
        return await threads.run(call), await threads.run(call), who.get()

    assert asyncio.run(ask()) == ("the request",) * 3


def test_no_more_calls_run_at_once_than_there_are_threads(threads):
    together, running, most = threading.Barrier(2), [], []

    def call():
        running.append(1)
        most.append(len(running))
        together.wait(10)
        running.pop()

    async def ask():
        await asyncio.gather(*(threads.run(call) for _ in range(8)))

    asyncio.run(ask())
    assert max(most) == 2


def test_a_call_that_runs_is_awaited_though_its_task_is_cancelled_twice(threads):
    entered, go_on, ended = threading.Event(), threading.Event(), []

    def call():
        entered.set()
        go_on.wait(10)
        ended.append(True)

    async def ask():
        task = asyncio.create_task(threads.run(call))
        await asyncio.to_thread(entered.wait, 10)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return list(ended)

    assert asyncio.run(ask()) == [True]


def test_a_call_that_waits_for_its_turn_is_dropped_with_its_task():
    one, go_on, ran = Threads(1), threading.Event(), []

    async def ask():
        first = asyncio.create_task(one.run(go_on.wait, 10))
        await asyncio.sleep(0)
        second = asyncio.create_task(one.run(ran.append, "ran"))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first
        await one.run(int)

    asyncio.run(ask())
    one.close()
    assert ran == []


def test_an_error_of_a_call_whose_task_was_cancelled_is_not_logged_as_lost(threads, caplog):
    entered, go_on = threading.Event(), threading.Event()

    def call():
        entered.set()
        go_on.wait(10)
        raise ValueError

    async def ask():
        task = asyncio.create_task(threads.run(call))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        go_on.set()
        await asyncio.wait([task])

    asyncio.run(ask())
    assert caplog.records == []


def test_no_thread_is_started_before_the_first_call_and_none_is_left_after_the_end(threads):
    def names():
        return [each.name for each in threading.enumerate() if each.name.startswith("handler")]

    before = names()
    assert asyncio.run(threads.run(lambda: len(names()))) == len(before) + 1
    threads.close()
    assert names() == before
    # And begins anew.
    assert asyncio.run(threads.run(int)) == 0


def test_the_end_waits_for_what_runs(threads):
    ended = []

    async def ask():
        task = asyncio.create_task(threads.run(lambda: (time.sleep(0.1), ended.append(True))))
        await asyncio.sleep(0.02)
        threads.close()
        seen = list(ended)
        await task
        return seen

    assert asyncio.run(ask()) == [True]


def test_without_threads_of_the_app_s_own_anyio_s_are_used(monkeypatch):
    taken = []

    async def run_sync(call, *arguments):
        taken.append(arguments)
        return call(*arguments)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    assert asyncio.run(run(abs, -1)) == 1
    assert taken == [(-1,)]


@pytest.mark.parametrize("own", [True, False])
def test_a_handler_keeps_its_name_parameters_and_document_and_runs_where_the_app_says(own):
    router = APIRouter(route_class=ThreadRoute)

    @router.get("/{number}")
    def double(number: int) -> dict[str, str | int]:
        """Twice the number."""
        return {"double": 2 * number, "thread": threading.current_thread().name}

    @router.get("/loop/{number}")
    async def on_the_loop(number: int) -> dict[str, str]:
        return {"thread": threading.current_thread().name}

    app = FastAPI()
    app.include_router(router)
    if own:
        app.state.threads = Threads(1)
    operation = app.openapi()["paths"]["/{number}"]["get"]
    assert operation["description"] == "Twice the number."
    assert operation["parameters"][0]["schema"]["type"] == "integer"

    async def get(path):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        await app({**scope, "headers": [], "root_path": "", "http_version": "1.1"}, receive, send)
        return sent[0]["status"], sent[1]["body"].decode()

    name = "handler_0" if own else "AnyIO worker thread"
    assert asyncio.run(get("/21")) == (200, f'{{"double":42,"thread":"{name}"}}')
    assert asyncio.run(get("/loop/21")) == (200, '{"thread":"MainThread"}')
    assert asyncio.run(get("/x"))[0] == 422
    if own:
        app.state.threads.close()
