"""Errors are answered as Flask answers them: its pages, its choice of a handler, and its hooks on every answer."""

import asyncio
import json

import flask
import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from werkzeug import exceptions

from contract_tests.parity import asgi, compare, wsgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.after import AfterRequest
from fastapi_app.wire.handlers import Handlers, abort, list_violations

STATUSES = [*exceptions.default_exceptions, 402, 407, 425, 426, 449, 499, 506, 507, 511, 200, 0, 999]
TEXTS = ["", "mine", "%3Cb%3E%22it's%22%3C/b%3E%20%26%0Aso", "Not%20Found", "%C3%BC%E2%82%AC", "%3Cbr%3E%0A%0D%0A"]
PATHS = [
    "fine",
    "replaced",
    "streamed/replaced",
    "hook-fails",
    "hook-aborts",
    "hook-changes-status",
    "fail",
    "responded",
    "trouble/trouble",
    "trouble/deeper",
    "trouble/deepest",
    "trouble/broken",
    "trouble/other",
    "trouble/unknown",
    "later/429",
    "later/503",
    "who",
    "wanted",
    "wanted?wanted=it",
    "only-post",
    "nowhere",
    "nowhere/replaced",
    "nowhere/hook-fails",
    "abort/abc",
    "fine/",
    "/fine",
]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_an_error(apps, path, method):
    assert not apps.differences(ask(f"/errors/{path}", method))


@pytest.mark.parametrize("status", STATUSES)
def test_abort_by_status(apps, status):
    assert not apps.differences(ask(f"/errors/abort/{status}"))


@pytest.mark.parametrize("status", [400, 404, 418, 500, 503, 402])
@pytest.mark.parametrize("text", TEXTS)
def test_abort_with_a_description(apps, status, text):
    assert not apps.differences(ask(f"/errors/described/{status}?text={text}"))


@pytest.mark.parametrize(
    "path",
    [
        "fail",
        "abort/404",
        "abort/402",
        "responded",
        "hook-fails",
        "hook-aborts",
        "trouble/broken",
        "wanted",
        "nowhere",
        "described/404?text=Not%20Found",
        "stream-fails",
    ],
)
def test_the_naive_port_answers_otherwise(apps, path):
    assert apps.naive_differences(ask(f"/errors/{path}"))


def test_hooks_are_on_errors_and_run_in_flasks_order(apps):
    for path in ("fail", "nowhere", "abort/402", "fine"):
        answer = apps.answer(ask(f"/errors/{path}"))
        assert answer.header("X-Last") == b"first"
        assert [value for name, value in answer.headers if name.lower() == b"x-after"] == [b"second", b"first"]


def test_no_hook_runs_on_the_servers_own_page(apps):
    answer = apps.ported.send(ask("/errors/stream-fails"))
    assert (answer.status, answer.header("X-After")) == (500, None)


async def on_http_exception(_, error):
    return JSONResponse({"status": error.status_code, "cause": repr(error.__cause__)}, error.status_code)


async def on_exception(_, error):
    return PlainTextResponse(f"any: {type(error).__name__}", 400)


async def on_key_error(_, __):
    return PlainTextResponse("lookup", 404)


async def fail_again(_, __):
    raise RuntimeError("the handler fails")


def flask_app(handlers):
    app = flask.Flask(__name__)

    def add(key, handler):
        @app.errorhandler(key)
        def answer(error):
            return handler(error)

    for key, handler in handlers.items():
        add(key, handler)

    @app.get("/fail/<kind>")
    def get_failing(kind):
        if kind.isdigit():
            flask.abort(int(kind))
        raise {"key": KeyError, "value": ValueError}[kind]("x")

    return app


def port(handlers):
    app = FastAPI(openapi_url=None)

    @app.get("/fail/{kind}")
    def get_failing(kind: str):
        if kind.isdigit():
            abort(int(kind))
        raise {"key": KeyError, "value": ValueError}[kind]("x")

    Handlers.install(app, handlers)
    return app


def said(text, status=400):
    return lambda _: (flask.Response(text, mimetype="text/plain"), status)


async def fails(_):
    raise RuntimeError


def text(words, status=400):
    async def answer(_, __):
        return PlainTextResponse(words, status)

    return answer


KEYS = {
    "a status before its class": [404, exceptions.HTTPException],
    "Exception takes HTTPExceptions too": [Exception],
    "HTTPException takes unhandled errors": [exceptions.HTTPException],
    "500 takes unhandled errors": [500],
    "500 before HTTPException": [500, exceptions.HTTPException],
    "a class before its base": [KeyError, LookupError, Exception],
    "a base": [LookupError],
    "Exception before 500, for what is no HTTPException": [Exception, 500],
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("kind", ["key", "value", "404", "403", "500", "402"])
def test_flask_chooses_the_same_handler(keys, kind):
    theirs = {key: said(f"{key}") for key in keys}
    ours = {HTTPException if key is exceptions.HTTPException else key: text(f"{key}") for key in keys}
    with wsgi(flask_app(theirs)) as original, asgi(port(ours)) as ported:
        assert not compare(original.send(ask(f"/fail/{kind}")), ported.send(ask(f"/fail/{kind}")))


def test_a_handler_for_fastapis_exception_takes_what_the_router_raises():
    with asgi(port({HTTPException: text("none", 404)})) as target:
        assert target.send(ask("/nowhere")).body == b"none"


def test_a_handler_for_500_is_told_what_was_raised():
    with asgi(port({500: on_http_exception})) as target:
        assert json.loads(target.send(ask("/fail/key")).body) == {"status": 500, "cause": "KeyError('x')"}


def test_a_handler_that_fails_is_an_unhandled_error():
    with asgi(port({404: fail_again, 500: text("sorry", 500)})) as target:
        failed = target.send(ask("/fail/404"))
    assert (failed.status, failed.body, str(failed.exception)) == (500, b"sorry", "the handler fails")


def test_a_status_that_no_one_knows_has_a_page():
    app = FastAPI()

    @app.get("/")
    def get_root():
        raise HTTPException(499, "gone")

    Handlers.install(app, {})
    with asgi(app) as target:
        answer = target.send(ask("/"))
    assert answer.status == 499
    assert b"<title>499 Unknown Error</title>" in answer.body
    assert b"<p>gone</p>" in answer.body


class Secret(BaseModel):
    name: str
    password: str


def takes_secret():
    app = FastAPI()

    @app.post("/")
    def post_root(body: Secret):
        return body

    return app


def test_a_list_of_violations_does_not_repeat_what_was_sent():
    naive, quiet = takes_secret(), takes_secret()
    Handlers.install(quiet, {RequestValidationError: list_violations})
    request = ask("/", "POST", ("Content-Type", "application/json"), body=b'{"password": "hunter2"}')
    with asgi(naive) as echoing, asgi(quiet) as target:
        assert b"hunter2" in echoing.send(request).body
        answer = target.send(request)
    violation = {"type": "missing", "loc": ["body", "name"], "msg": "Field required"}
    assert (answer.status, json.loads(answer.body)) == (422, {"detail": [violation]})


def hooked(*hooks):
    app = FastAPI()

    @app.get("/fine")
    def get_fine():
        return "fine"

    @app.get("/fail")
    def get_failing():
        raise RuntimeError

    @app.get("/stream")
    def get_stream():
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    @app.get("/broken")
    def get_broken():
        return StreamingResponse((str(1 // (1 - number)) for number in range(2)), media_type="text/plain")

    AfterRequest.install(app, *hooks)
    return asgi(app)


def mark(request: Request, answer):
    answer.headers["X-Path"] = request.url.path


def test_hooks_work_on_any_app():
    with hooked(mark) as target:
        for path in ("/fine", "/fail", "/nowhere", "/stream"):
            assert target.send(ask(path)).header("X-Path") == path.encode()
        assert target.send(ask("/stream")).body == b"ab"


def test_a_stream_is_not_gathered_and_stays_broken():
    bodies = []
    with hooked(lambda _, answer: bodies.append(answer.body)) as target:
        assert target.send(ask("/fine")).status == 200
        broken = target.send(ask("/broken"))
    assert bodies == [b'"fine"', None]
    assert (broken.body, broken.failure) == (b"1", "truncated")


def replace(_, answer):
    answer.body = b"other"


@pytest.mark.parametrize("path", ["/fine", "/stream", "/nowhere"])
def test_a_body_can_be_replaced(path):
    with hooked(replace) as target:
        answer = target.send(ask(path))
    assert (answer.body, answer.header("Content-Length"), answer.failure) == (b"other", b"5", None)


def test_nothing_of_a_replaced_stream_follows():
    sent = []

    async def send(message):
        sent.append(message.get("body"))

    async def wait():
        await asyncio.Event().wait()

    app = AfterRequest(StreamingResponse(iter(["a", "b"])), replace)
    asyncio.run(app({"type": "http", "method": "GET", "headers": []}, wait, send))
    assert sent == [None, b"other"]
