"""The port keeps its shape: one thread hop, Flask's reading on every route, and it closes what it built alone"""

import asyncio
import inspect

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.middleware.base import BaseHTTPMiddleware

from contract_tests import targets
from contract_tests.world import environment, own_world, settings


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
    found = [call for route in routes(app) if isinstance(route, APIRoute) for call in calls(route.dependant)]
    assert found
    assert all(inspect.iscoroutinefunction(call) for call in found)


def test_no_middleware_hides_a_broken_stream(app):
    """BaseHTTPMiddleware ends a broken transfer cleanly, and turns an HTTPException of a hook into a 500."""
    assert not [middleware for middleware in app.user_middleware if middleware.cls is BaseHTTPMiddleware]


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
