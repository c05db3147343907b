"""The port keeps its shape: one thread hop, Flask's reading on every route, and it closes what it built alone"""

import asyncio
import inspect
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Semaphore

import anyio.to_thread
import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.middleware.base import BaseHTTPMiddleware

from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.world import World, environment, own_world, settings


@pytest.fixture
def app():
    return targets.port()


def routes(app):
    return [context.original_route for context in iter_route_contexts(app.routes)]


def calls(dependant):
    """Everything that a route's dependencies call."""
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


def test_every_route_reads_requests_as_the_original_does(app):
    assert routes(app)
    assert all(isinstance(route, targets.wire.Route) for route in routes(app))


def test_no_dependency_costs_a_thread_hop(app):
    """Decision 0005: a `def` dependency is a hop of its own, and one with `yield` holds what it opened across hops."""
    found = {call for route in routes(app) if isinstance(route, APIRoute) for call in calls(route.dependant)}
    held = [call for call in found if inspect.isasyncgenfunction(call)]
    hops = [call for call in found if not inspect.iscoroutinefunction(call) and call not in held]
    assert hops == []
    # It holds a file that is thrown away unless it is kept, and no connection.
    assert [call.__name__ for call in held] == ["receive_upload"]


def test_no_middleware_hides_a_broken_stream(app):
    """BaseHTTPMiddleware ends a broken transfer cleanly, and turns an HTTPException of a hook into a 500."""
    assert not [middleware for middleware in app.user_middleware if middleware.cls is BaseHTTPMiddleware]


def client(services):
    target = targets.open_target("port", World(services))
    return httpx.Client(transport=TargetTransport(target), base_url="https://testserver")


@pytest.fixture
def world():
    with own_world(pool_timeout=1) as world:
        yield world


@pytest.mark.parametrize(
    ("method", "path", "body", "hops"),
    [
        ("GET", "/", None, 0),
        ("GET", "/healthz", None, 0),
        ("GET", "/nope", None, 0),
        ("GET", "/readyz", None, 1),
        ("GET", "/metrics", None, 1),
        ("GET", "/user/1", None, 1),
        ("GET", "/users", None, 1),
        ("POST", "/user", {"name": "Ada", "email": "ada@example.com", "password": "test"}, 1),
        ("GET", "/whoami", None, 0),
        ("DELETE", "/session", None, 1),
        ("PUT", "/session/data/colour", {"value": "blue"}, 1),
        ("POST", "/session", {"email": "ada@example.com", "password": "test"}, 2),
    ],
)
def test_a_request_takes_one_thread_hop_at_most(world, monkeypatch, method, path, body, hops):
    """Two hops with a connection in hand stop the service for good (decision 0005)."""
    taken = []

    def counting(run):
        async def counted(*arguments, **options):
            taken.append(arguments)
            return await run(*arguments, **options)

        return counted

    monkeypatch.setattr(anyio.to_thread, "run_sync", counting(anyio.to_thread.run_sync))
    monkeypatch.setattr(targets.wire.Threads, "run", counting(targets.wire.Threads.run))
    with client(world.services) as api:
        api.request(method, path, json=body)
    assert len(taken) == hops, taken


def test_no_more_handlers_run_at_once_than_there_are_threads(world):
    together = Barrier(2)
    running, most = Semaphore(2), []

    class Slow:
        def check(self):
            most.append(running.acquire(blocking=False))
            together.wait(timeout=10)
            running.release()

    services = replace(world.services, settings=settings(threads=2), database=Slow())
    with client(services) as api, ThreadPoolExecutor(8) as pool:
        assert [answer.status_code for answer in pool.map(lambda _: api.get("/readyz"), range(8))] == [200] * 8
    assert most == [True] * 8


def test_the_server_s_access_log_is_silent_while_the_port_runs(world, monkeypatch):
    """Its lines hold raw paths and queries; uvicorn asks hasHandlers() for each connection."""
    access = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(access, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(access, "propagate", True)
    with client(world.services) as api:
        api.get("/healthz")
        assert not access.hasHandlers()


def test_an_unforeseen_error_ends_in_the_port(world):
    """Raised on, the server would log its message."""
    sent = []
    app = targets.make_port(replace(world.services, database=None))
    scope = {"type": "http", "method": "GET", "path": "/readyz", "query_string": b"", "headers": []}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 500


def run_lifespan(app):
    async def live():
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(live())


def test_services_that_were_given_stay_open():
    with own_world() as world:
        run_lifespan(targets.make_port(world.services))
        assert world.services.passwords.hash("test").startswith("$argon2id$")


def test_services_that_it_built_are_closed_with_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in environment(settings(database_url=f"sqlite:///{tmp_path}/service.sqlite3")).items():
        monkeypatch.setenv(name, value)
    app = targets.fastapi_app.create_app()
    run_lifespan(app)
    with pytest.raises(RuntimeError, match="shutdown"):
        app.state.services.passwords.hash("test")
