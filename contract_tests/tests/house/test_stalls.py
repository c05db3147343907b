"""The watchdog finds what holds the loop up, while it does, and is silent on what only takes long"""

import asyncio
import gc
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import pytest
import uvloop
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware

from contract_tests.migration.stalls import watch
from contract_tests.parity import Request, asgi
from contract_tests.tests.specimens import async_forms

BLOCK = 0.3
THRESHOLD = 0.1


def get(path="/"):
    return Request("GET", path.encode(), ((b"Host", b"testserver"),))


def stalls_of(app, path="/", *, requests=1, threshold=THRESHOLD):
    """What the watchdog finds while an app answers."""
    with watch(app, threshold=threshold) as stalls, asgi(stalls.app) as target, ThreadPoolExecutor(requests) as pool:
        assert {response.status for response in pool.map(target.send, [get(path)] * requests)} == {200}
    return stalls


def stalls_until(is_found, app, *, most=5, threshold=THRESHOLD):
    """What the watchdog finds while an app answers one request after the other, `most` of them, until it is found."""
    with watch(app, threshold=threshold) as stalls, asgi(stalls.app) as target:
        for _ in range(most):
            assert target.send(get()).status == 200
            if any(map(is_found, list(stalls))):
                break
    return stalls


def told(stalls):
    return "\n".join(map(str, stalls))


def names(stalls):
    """Where the stalls were, as the name of the function."""
    return [stall.where.rpartition(" in ")[2].rpartition(".")[2] for stall in stalls]


def the_problem():
    return partial(stalls_of, async_forms.problem(BLOCK), requests=10)


def test_the_problem_is_found_under_load_with_the_line_that_sleeps(watched):
    stalls = watched(the_problem)
    assert len(stalls) == 10
    for stall in stalls:
        assert stall.seconds > THRESHOLD
        assert stall.route == "GET root"
        assert re.fullmatch(
            r"contract_tests/tests/specimens/async_forms\.py:\d+ in problem\.<locals>\.root", stall.where
        )
        assert stall.stack[-1].strip().startswith("time.sleep(seconds)")


@pytest.mark.parametrize("form", ["tutorial", "solution", "other_solution"])
def test_the_other_forms_do_not_stall(form):
    stalls = stalls_of(getattr(async_forms, form)(), requests=10)
    assert not stalls, told(stalls)


def nap(seconds=BLOCK):
    time.sleep(seconds)


class Blocking:
    """A client as redis-py's: its call does not come back before the answer has."""

    def get(self, key):
        nap()
        return key


def in_a_dependency():
    async def blocked():
        nap()

    app = FastAPI()

    @app.get("/")
    async def root(_: Annotated[None, Depends(blocked)]):
        return {}

    return partial(stalls_of, app)


def in_a_generator_dependency():
    async def blocked():
        yield 1
        nap()

    app = FastAPI()

    @app.get("/")
    async def root(number: Annotated[int, Depends(blocked)]):
        return {"number": number}

    return partial(stalls_of, app)


def in_a_middleware():
    class Slow(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            response = await call_next(request)
            nap()
            return response

    app = async_forms.tutorial()
    app.add_middleware(Slow)
    return partial(stalls_of, app)


def in_a_stream():
    async def parts():
        yield b"1"
        nap()
        yield b"2"

    app = FastAPI()

    @app.get("/")
    async def root():
        return StreamingResponse(parts())

    return partial(stalls_of, app)


def in_a_client_s_call():
    client, app = Blocking(), FastAPI()

    @app.get("/")
    async def root():
        return {"value": client.get("key")}

    return partial(stalls_of, app)


def in_a_callback():
    app = FastAPI()

    @app.get("/")
    async def root():
        asyncio.get_running_loop().call_soon(nap)
        await asyncio.sleep(2 * BLOCK)
        return {}

    return partial(stalls_of, app)


def behind_a_middleware():
    """The handler runs in another task than the server's."""

    class Quick(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app = async_forms.problem(BLOCK)
    app.add_middleware(Quick)
    return partial(stalls_of, app)


NAPPING = [in_a_dependency, in_a_generator_dependency, in_a_middleware, in_a_stream, in_a_client_s_call, in_a_callback]


@pytest.mark.parametrize(("make", "last"), [*((make, "nap") for make in NAPPING), (behind_a_middleware, "root")])
def test_a_planted_stall_is_found_once(watched, make, last):
    [stall] = watched(make)
    assert (stall.route, names([stall])) == ("GET root", [last])
    assert stall.stack[-1].strip().startswith("time.sleep(")
    assert any(f"in {make.__name__}" in line or "in root" in line or "in nap" in line for line in stall.stack)


def in_the_lifespan():
    done = threading.Event()

    async def background():
        await asyncio.sleep(0.05)
        nap()
        done.set()

    @asynccontextmanager
    async def lifespan(_):
        nap()
        task = asyncio.create_task(background())
        yield
        await task

    def run(app):
        with watch(app, threshold=THRESHOLD) as stalls, asgi(stalls.app):
            assert done.wait(10)
        return stalls

    return partial(run, FastAPI(lifespan=lifespan))


def test_stalls_of_the_lifespan_and_of_a_task_it_runs_are_found(watched):
    stalls = watched(in_the_lifespan)
    assert [stall.route for stall in stalls] == ["lifespan", "lifespan"]


def two_in_one_request():
    app = FastAPI()

    @app.get("/")
    async def root():
        nap()
        await asyncio.sleep(0)
        nap()

    return partial(stalls_of, app)


def test_two_stalls_in_one_request_are_two(watched):
    assert names(watched(two_in_one_request)) == ["nap", "nap"]


def test_a_call_that_holds_the_interpreter_s_lock_is_found():
    """No other thread runs meanwhile, the watch's own included; it may come too late for one, but not for all."""
    app = FastAPI()

    @app.get("/")
    async def root():
        return {"sum": sum(range(30_000_000))}

    stalls = stalls_until(bool, app)
    assert stalls
    assert {stall.route for stall in stalls} == {"GET root"}


def test_a_busy_loop_of_python_is_found():
    app = FastAPI()

    @app.get("/")
    async def root():
        end = time.thread_time() + BLOCK
        while time.thread_time() < end:
            pass

    assert "root" in names(stalls_of(app))


def many_short_steps():
    app = FastAPI()

    @app.get("/")
    async def root():
        for _ in range(10):
            nap(0.02)
            await asyncio.sleep(0)

    return partial(stalls_of, app, requests=8)


def test_many_short_steps_in_a_row_are_no_stall(watched):
    stalls = watched(many_short_steps)
    assert not stalls, told(stalls)


def test_a_busy_thread_pool_is_no_stall():
    app = FastAPI()

    @app.get("/")
    def root():
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass

    stalls = stalls_of(app, requests=10)
    assert not stalls, told(stalls)


def test_garbage_collected_in_less_than_the_threshold_is_no_stall():
    app = FastAPI()

    @app.get("/")
    async def root():
        gc.collect()

    assert not stalls_of(app, threshold=5)


@pytest.mark.usefixtures("_no_garbage_of_other_tests")
def test_a_longer_collection_is_told_as_one():
    app, kept = FastAPI(), [[number] for number in range(1_000_000)]

    @app.get("/")
    async def root():
        gc.collect()
        gc.collect()
        return len(kept)

    def is_found(stall):
        return stall.where.endswith("root (garbage collection, whoever made it)")

    stalls = stalls_until(is_found, app, threshold=0.02)
    assert any(map(is_found, stalls)), told(stalls)


def test_the_watch_ends_with_its_context():
    stalls_of(async_forms.tutorial())
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_exceptions_and_messages_pass_unchanged():
    def broken(scope, receive, send):
        raise LookupError("mine")

    async def drive():
        with watch(broken) as stalls:
            await stalls.app({"type": "http"}, None, None)

    with pytest.raises(LookupError, match="mine"):
        asyncio.run(drive())


def on_uvloop():
    async def app(scope, receive, send):
        nap()

    def run():
        with watch(app, threshold=THRESHOLD) as stalls, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(stalls.app({"type": "http", "method": "GET"}, None, None))
        return stalls

    return run


def test_it_runs_on_uvloop_in_process(watched):
    stalls = watched(on_uvloop)
    assert [(stall.route, names([stall])) for stall in stalls] == [("GET", ["nap"])]


# Their loops only sleep: they are watched at once.
SLEEPING = [
    the_problem,
    *NAPPING,
    behind_a_middleware,
    in_the_lifespan,
    two_in_one_request,
    many_short_steps,
    on_uvloop,
]


@pytest.fixture(scope="module")
def watched():
    """Gives what the watchdog has found in each of SLEEPING."""
    runs = {make: make() for make in SLEEPING}
    with ThreadPoolExecutor(len(runs)) as pool:
        found = {make: pool.submit(run) for make, run in runs.items()}
    return lambda make: found[make].result()
