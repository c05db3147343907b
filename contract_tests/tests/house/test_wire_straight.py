"""A route that Routing has chosen is called straight away, and finds everything as it does on FastAPI's own way."""

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask
from fastapi_app.wire.routing import Routing

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


def note(request: Request):
    request.state.noted = "by a dependency of the router"


def seen(request: Request):
    """What a handler can know of the way that its request took."""
    scope = request.scope
    return JSONResponse(
        {
            "route": scope["route"].path,
            "endpoint": scope["endpoint"].__name__,
            "path_params": {name: repr(value) for name, value in scope["path_params"].items()},
            "router": type(scope["router"]).__name__,
            "noted": getattr(request.state, "noted", None),
            "url": str(request.url_for("show", id=7)),
        }
    )


def make_app(*, route_class=APIRoute, **limits):
    """An app with a route of its own, and routers in routers."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False})
    inner = APIRouter(prefix="/inner", route_class=route_class)
    outer = APIRouter(prefix="/outer", dependencies=[Depends(note)], route_class=route_class)

    @app.get("/own/{id:int}")
    def show(id: int, request: Request):
        return seen(request)

    @inner.get("/{name}/{rest:path}")
    def deep(name: str, rest: str, request: Request):
        return seen(request)

    @outer.post("/form")
    async def form(a: str = Form(), b: str = Form("")):
        return JSONResponse({"a": a, "b": b})

    outer.include_router(inner)
    app.include_router(outer, prefix="/v1", **limits)
    Routing.install(app)
    return app


def answers(app, *requests):
    with asgi(app) as target:
        return [(answer.status, answer.body) for answer in map(target.send, requests)]


def not_straight(monkeypatch):
    monkeypatch.setattr("fastapi_app.wire.routing.straight_to", lambda *_: None)


REQUESTS = [
    ask("/own/5"),
    ask("/v1/outer/inner/ada/x/y"),
    ask("/v1/outer/inner/%C3%A9/"),
    ask("/own/x"),
    ask("/own/5", "POST"),
    ask("/own/5", "HEAD"),
    ask("/v1/outer/form", "POST", *FORM, body=b"a=1&b=2"),
    ask("/v1/outer/form", "POST", *FORM, body=b"b=2"),
]


def test_a_handler_finds_the_same_on_the_straight_way(monkeypatch):
    straight = answers(make_app(), *REQUESTS)
    not_straight(monkeypatch)
    assert straight == answers(make_app(), *REQUESTS)
    assert [status for status, _ in straight] == [200, 200, 200, 404, 405, 200, 200, 422]


def test_a_chosen_route_is_called_without_a_search(monkeypatch):
    asked = []
    found = APIRoute.matches
    monkeypatch.setattr(APIRoute, "matches", lambda route, scope: asked.append(route) or found(route, scope))
    assert answers(make_app(), *REQUESTS[:2])[1][0] == 200
    assert not asked


@pytest.mark.parametrize("limits", [{}, {"max_body_size": 4}, {"form_limits": {"max_fields": 1}}])
def test_the_limits_of_a_router_hold(monkeypatch, limits):
    straight = answers(make_app(**limits), *REQUESTS)
    not_straight(monkeypatch)
    assert straight == answers(make_app(**limits), *REQUESTS)
    assert straight[6][0] == (200 if not limits else 413 if "max_body_size" in limits else 400)


class Refusing(APIRoute):
    async def handle(self, scope, receive, send):
        await JSONResponse({"handled": "by the route itself"}, 418)(scope, receive, send)


def test_a_route_that_handles_requests_itself_is_asked():
    assert answers(make_app(route_class=Refusing), REQUESTS[1])[0][0] == 418
