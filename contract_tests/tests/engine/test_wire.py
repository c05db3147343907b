"""The wire kit on an app that is not ours: each piece makes FastAPI answer as Flask does, and is needed for it"""

from dataclasses import replace
from typing import Annotated, Any

import flask
import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.routing import Host, Mount
from werkzeug.exceptions import HTTPException as WerkzeugException

from contract_tests.parity import Pair, asgi, wsgi
from contract_tests.parity import Request as Asked
from contract_tests.suite.targets import wire

LIMIT = 100


def make_flask():
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LIMIT

    @app.get("/things/")
    @app.get("/things/<name>")
    @app.get("/é")
    def get_things(name="all"):
        return flask.jsonify(seen=name, first=flask.request.args.get("a"), every=flask.request.args.getlist("b"))

    @app.post("/things/")
    @app.put("/leaf")
    def write_things():
        return flask.jsonify(read=flask.request.get_json())

    @app.get("/leaf")
    def get_leaf():
        return flask.jsonify(leaf=True)

    @app.errorhandler(WerkzeugException)
    def refused(error):
        response = flask.jsonify(refused=error.code)
        response.status_code = error.code
        if allow := dict(error.get_headers()).get("Allow"):
            response.headers["Allow"] = allow
        return response

    return app


def make_fastapi(*, routing=True, route_class=wire.Route, limit=True):
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter(route_class=route_class)

    @router.get("/things/")
    @router.get("/things/{name}")
    @router.get("/é")
    async def get_things(request: Request, name: str = "all"):
        query = request.query_params
        return as_flask({"seen": name, "first": query.get("a"), "every": query.getlist("b")})

    @router.post("/things/")
    @router.put("/leaf")
    async def write_things(value: Annotated[dict[str, Any], Body()]):
        return as_flask({"read": value})

    @router.get("/leaf")
    async def get_leaf():
        return as_flask({"leaf": True})

    @app.exception_handler(HTTPException)
    async def refused(_, error):
        return as_flask({"refused": error.status_code}, error.status_code, (error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def unfit(_, error):
        return as_flask({"refused": 400 if error.errors()[0]["type"] == "json_invalid" else 422}, 400)

    app.include_router(router)
    if limit:
        app.add_middleware(wire.BodyLimit, max_bytes=LIMIT)
    if routing:
        wire.Routing.install(app)
    return app


def as_flask(value, status=200, headers=None):
    return PlainTextResponse(
        flask.json.provider.DefaultJSONProvider(flask.Flask("x")).dumps(
            dict(sorted(value.items())), separators=(",", ":")
        )
        + "\n",
        status,
        headers,
        "application/json",
    )


def asked(method, target, body=b"", media_type=None, **headers):
    given = [(b"Host", b"shop.example:8080")]
    given += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    given += [(b"Content-Type", media_type.encode())] if media_type else []
    given += [(b"Content-Length", str(len(body)).encode())] if body and "Content_Length" not in headers else []
    return Asked(method, target.encode("latin-1"), tuple(given), body)


ROUTING = [
    asked("GET", "/things/"),
    asked("HEAD", "/things/"),
    asked("HEAD", "/leaf"),
    asked("OPTIONS", "/leaf"),
    asked("OPTIONS", "/things/"),
    asked("OPTIONS", "/things/a"),
    asked("OPTIONS", "/nowhere"),
    asked("DELETE", "/leaf"),
    asked("PATCH", "/things/"),
    asked("HEAD", "/nowhere"),
    asked("GET", "/things"),
    asked("GET", "/things?a=1&b=%20+%C3%A9"),
    asked("POST", "/things", b"{}", "application/json"),
    asked("DELETE", "/things"),
    asked("HEAD", "/things"),
    asked("OPTIONS", "/things"),
    asked("GET", "/leaf/"),
    asked("PUT", "/leaf/", b"{}", "application/json"),
    asked("GET", "//leaf"),
    asked("GET", "///leaf"),
    asked("GET", "/things//a"),
    asked("GET", "/things///a?a=1"),
    asked("GET", "//things"),
    asked("GET", "/things//"),
    asked("DELETE", "/things//a"),
    asked("GET", "/leaf//"),
    asked("GET", "//nowhere"),
    asked("GET", "/no//where"),
    asked("GET", "/leaf%0A"),
    asked("GET", "/%6Ceaf"),
    asked("GET", "/%C3%A9"),
    asked("GET", "/things/a%2Fb"),
    asked("GET", "/things/a%20b%25"),
    asked("GET", "/"),
    asked("GET", "/things//a?a=[1]&b=\"<|^{}'"),
    asked("GET", "/things//a'\"<"),
    Asked("GET", b"/things//a", ((b"Host", b"SHOP.example:443"),)),
    Asked("GET", b"/things//a", ((b"Host", b"shop.example:80"),)),
    Asked("GET", b"/things//a", ((b"Host", b"user@shop.example"),)),
    Asked("GET", b"/things//a", ((b"Host", b'a"<b'),)),
    asked("get", "/leaf"),
    asked("head", "/leaf"),
    asked("options", "/leaf"),
]
QUERY = [asked("GET", "/things/?a=1&a=2&b=3&b=4"), asked("GET", "/things/?a=&a=2"), asked("GET", "/things/?b=1")]
BODIES = [
    asked("PUT", "/leaf", b'{"a": 1}', "application/json"),
    asked("PUT", "/leaf", b'{"a": 1}', "Application/Problem+JSON; charset=utf-8"),
    asked("PUT", "/leaf", b'{"a": 1}', "text/plain"),
    asked("PUT", "/leaf", b'{"a": 1}'),
    asked("PUT", "/leaf", b'{"a": 1', "application/json"),
]
SIZES = [
    asked("PUT", "/leaf", b"{" + b" " * (LIMIT - 2) + b"}", "application/json"),
    asked("PUT", "/leaf", b"{" + b" " * (LIMIT - 1) + b"}", "application/json"),
    asked("PUT", "/leaf", b"{}", "application/json", Content_Length=str(LIMIT + 1)),
    asked("GET", "/leaf", b" " * 2 * LIMIT, "text/plain"),
    asked("PUT", "/leaf", b" " * 2 * LIMIT, "text/plain"),
]


def different(port, requests):
    """The requests that the port answers otherwise than Flask."""
    with wsgi(make_flask()) as original, asgi(port) as target:
        pair = Pair(original, target)
        exchanges = [pair.exchange(request) for request in requests]
    return [(each.request.method, each.request.target, each.differences) for each in exchanges if each.differences]


@pytest.mark.parametrize("requests", [ROUTING, QUERY, BODIES, SIZES], ids=["routing", "query", "bodies", "sizes"])
def test_the_whole_kit_leaves_no_difference(requests):
    assert different(make_fastapi(), requests) == []


@pytest.mark.parametrize(
    ("without", "requests", "least"),
    [
        ({"routing": False}, ROUTING, 18),
        ({"route_class": APIRouter().route_class}, QUERY + BODIES, 3),
        ({"limit": False}, SIZES, 2),
    ],
    ids=["Routing", "Route", "BodyLimit"],
)
def test_each_piece_is_needed(without, requests, least):
    assert len(different(make_fastapi(**without), requests)) >= least


def test_a_mounted_app_answers_for_itself():
    app = make_fastapi()

    async def inner(scope, receive, send):
        await PlainTextResponse(f"{scope['method']} {scope['path']}")(scope, receive, send)

    app.router.routes.append(Mount("/inner", app=inner))
    with asgi(app) as target:
        for method in ("GET", "OPTIONS", "DELETE"):
            answer = target.send(asked(method, "/inner/x//y"))
            assert (answer.status, answer.body) == (200, f"{method} /inner/x//y".encode())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_an_app_under_a_root_path_is_routed_as_it_is_without(method):
    outer = FastAPI()
    outer.mount("/api", make_fastapi())
    with asgi(outer) as target:
        assert target.send(asked(method, "/api/leaf")).status == 200
        assert target.send(asked(method, "/api/nowhere")).status == 404
        moved = target.send(asked("GET", "/api/things"))
        assert moved.header("location") == b"https://shop.example:8080/api/things/"


def test_a_host_route_answers_for_itself():
    app = make_fastapi()
    app.router.routes.append(Host("other.example", app=PlainTextResponse("other")))
    with asgi(app) as target:
        assert target.send(Asked("GET", b"/x", ((b"Host", b"other.example"),))).body == b"other"
        assert target.send(asked("GET", "/leaf")).status == 200


def test_an_app_s_own_head_and_options_come_before_the_automatic_ones():
    app = make_fastapi()

    @app.options("/leaf")
    @app.head("/leaf")
    async def own():
        return PlainTextResponse("own", 202)

    with asgi(app) as target:
        assert [target.send(asked(method, "/leaf")).status for method in ("HEAD", "OPTIONS", "GET")] == [202, 202, 200]
        assert target.send(asked("OPTIONS", "/things/")).status == 200


def test_the_routes_are_read_once():
    app = make_fastapi()
    reads = []
    app.router.middleware_stack = wire.Routing(app.router.app, lambda: reads.append(1) or app.routes)
    with asgi(app) as target:
        assert [target.send(asked("GET", "/leaf")).status for _ in range(3)] == [200, 200, 200]
    assert reads == [1]


def test_an_unhandled_error_is_logged_and_goes_no_further():
    logged = []

    async def failing(scope, receive, send):
        if scope["type"] == "http":
            raise ValueError("hunter2")

    with asgi(wire.QuietErrors(failing, logged.append)) as target:
        answer = target.send(asked("GET", "/"))
    assert isinstance(answer.exception, ValueError)
    assert [type(error) for error in logged] == [ValueError]
    assert answer.status == 500


def test_errors_of_the_shared_parser_are_the_cause_of_a_400():
    class Strict(wire.Route):
        @staticmethod
        def loads(body):
            raise ArithmeticError(len(body))

    app, router, causes = FastAPI(), APIRouter(route_class=Strict), []

    @router.put("/leaf")
    async def write(value: dict):
        return JSONResponse(value)

    @app.exception_handler(HTTPException)
    async def refused(_, error):
        causes.append(error.__cause__)
        return JSONResponse({}, error.status_code)

    app.include_router(router)
    with asgi(app) as target:
        assert target.send(asked("PUT", "/leaf", b"{}", "application/json")).status == 400
    assert [type(cause) for cause in causes] == [ArithmeticError]


async def nobody():
    raise HTTPException(401)


async def somebody():
    return "Ada"


def with_bodies(who):
    """An app whose routes ask who is there, and take bodies of several kinds; each counts its calls."""
    app, router, calls = FastAPI(), APIRouter(route_class=wire.Route, dependencies=[Depends(who)]), []

    @router.put("/model")
    async def model(value: dict[str, int]):
        calls.append(value)

    @router.put("/optional")
    async def optional(value: dict[str, int] | None = None):
        calls.append(value)

    @router.put("/anything")
    async def anything(value: Annotated[Any, Body()]):
        calls.append(value)

    @router.put("/two")
    async def two(one: Annotated[int, Body()], other: Annotated[int, Body()] = 1):
        calls.append((one, other))

    async def read(value: dict[str, int]):
        calls.append(value)
        return value

    @router.put("/dependency")
    async def dependency(value: Annotated[dict[str, int], Depends(read)]):
        calls.append(value)

    @app.exception_handler(HTTPException)
    async def refused(_, error):
        return JSONResponse({}, error.status_code)

    app.include_router(router)
    app.add_middleware(wire.BodyLimit, max_bytes=LIMIT)
    return app, calls


UNREAD = {
    400: asked("PUT", "", b"{", "application/json"),
    413: asked("PUT", "", b"{" + b" " * LIMIT + b"}", "application/json"),
    415: asked("PUT", "", b"{}", "text/plain"),
}
PATHS = ["/model", "/optional", "/anything", "/two", "/dependency"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("status", UNREAD)
def test_a_body_that_cannot_be_read_is_refused_and_calls_nothing(path, status):
    app, calls = with_bodies(somebody)
    with asgi(app) as target:
        assert target.send(replace(UNREAD[status], target=path.encode())).status == status
    assert calls == []


@pytest.mark.parametrize("path", ["/model", "/two", "/dependency"])
@pytest.mark.parametrize("status", [*UNREAD, 422])
def test_who_asks_is_decided_before_the_body_is_looked_at(path, status):
    app, calls = with_bodies(nobody)
    unfit = asked("PUT", "", b"[]", "application/json")
    with asgi(app) as target:
        assert target.send(replace(UNREAD.get(status, unfit), target=path.encode())).status == 401
    assert calls == []


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_fits_is_handed_on(path):
    app, calls = with_bodies(somebody)
    with asgi(app) as target:
        assert target.send(asked("PUT", path, b'{"one": 1}', "application/json")).status == 200
    assert calls
    assert all(call in ({"one": 1}, (1, 1)) for call in calls)
