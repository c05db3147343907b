"""What no request shows by itself: transfers that break off, ids that stay with their request, lines of real servers"""

import asyncio
import json
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import fastapi
import flask
import httpx
import pytest
from fastapi.responses import StreamingResponse
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import create_environ

from contract_tests.live.servers import SERVERS
from contract_tests.parity import asgi, wsgi
from contract_tests.parity.servers import Server
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.world import environment, own_world, settings
from shared_core import access, logs

SECRET = "hunter2-in-a-stream"
CHUNK = b"12345"


def broken(chunks):
    for _ in range(chunks):
        yield CHUNK
    raise RuntimeError(SECRET)


@pytest.fixture
def world():
    with own_world(pool_timeout=0.05) as world:
        yield world


@pytest.fixture(params=sorted(SERVERS))
def api(request, world):
    """A client of an app with routes whose bodies break off."""
    if request.param == "original":
        app = targets.make_original(world.services)
        app.add_url_rule("/broken/<int:chunks>", "broken", lambda chunks: flask.Response(broken(chunks)))
        app.add_url_rule("/whole", "whole", lambda: flask.Response(iter([CHUNK, CHUNK])))
        target = wsgi(app)
    else:
        app = targets.make_port(world.services)
        router = fastapi.APIRouter(route_class=targets.fastapi_app.inputs.Route)

        @router.get("/broken/{chunks}")
        async def break_off(chunks: int):
            return StreamingResponse(broken(chunks))

        @router.get("/whole")
        async def end():
            return StreamingResponse(iter([CHUNK, CHUNK]))

        app.include_router(router)
        target = asgi(app)
    with target, httpx.Client(transport=TargetTransport(target), base_url="https://testserver") as api:
        yield api


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "access")
    return lambda: [json.loads(record.getMessage()) for record in caplog.records if record.name == "access"]


def in_progress(api):
    families = {family.name: family for family in text_string_to_metric_families(api.get("/metrics").text)}
    return families["http_requests_in_progress"].samples[0].value


def test_a_transfer_that_breaks_off_is_told_so(api, lines, caplog):
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/broken/2", headers={"X-Request-ID": "mine"})
    (line,) = lines()
    told = {name: line[name] for name in ("request_id", "route", "status", "bytes", "broken")}
    assert told == {"request_id": "mine", "route": "/broken/{chunks}", "status": 200, "bytes": 10, "broken": True}
    (failure,) = [record for record in caplog.records if record.name == "service"]
    assert failure.getMessage().startswith("unhandled RuntimeError at ")
    assert failure.request_id == "mine"
    assert SECRET not in caplog.text
    assert in_progress(api) == 1


def test_a_transfer_that_breaks_off_at_once_is_told_so_too(api, lines):
    with suppress(httpx.RemoteProtocolError):
        api.get("/broken/0")
    (line,) = lines()
    assert (line["bytes"], line["broken"]) == (0, True)


def test_a_stream_that_ends_is_whole(api, lines):
    assert api.get("/whole").content == CHUNK * 2
    (line,) = lines()
    assert line["bytes"] == 10
    assert "broken" not in line


def test_an_exchange_ends_once(world, lines):
    from shared_core.http.forwarded import Client

    log = access.AccessLog("original", metrics=world.services.metrics, clock=world.services.clock, lines=True)
    exchange = log.begin(request_id="mine", client=Client("::1", "http"), method="GET")
    exchange.end(broken=False)
    exchange.end(broken=True)
    assert ["broken" in line for line in lines()] == [False]


class Outside:
    """An app that fails before Flask has an error handler, or after it answered."""

    def __init__(self, app, *, after):
        self.app = app
        self.after = after

    def __call__(self, environ, start_response):
        if self.after:
            self.app(environ, start_response).close()
        raise RuntimeError(SECRET)


@pytest.mark.parametrize("after", [False, True])
def test_an_error_outside_flask_is_answered_and_logged_like_any_other(world, lines, caplog, after):
    app = targets.make_original(world.services)
    quiet = app.wsgi_app
    while type(quiet).__name__ != "QuietErrors":
        quiet = getattr(quiet, "app", None)
    quiet.app = Outside(quiet.app, after=after)
    with wsgi(app) as target, httpx.Client(transport=TargetTransport(target), base_url="https://testserver") as api:
        answer = api.get("/", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine"
    assert [line["status"] for line in lines()] == [500]
    assert SECRET not in caplog.text


def test_the_id_stays_on_no_thread_of_a_wsgi_server(world):
    """Nor between the chunks of a body: a server may take turns."""
    app, during = targets.make_original(world.services), []

    def body():
        for _ in range(2):
            during.append(logs.request_id.get())
            yield CHUNK

    app.add_url_rule("/stream", view_func=lambda: flask.Response(body()))
    around = []
    chunks = app(create_environ("/stream", headers={"X-Request-ID": "mine"}), lambda *_: None)
    for _ in chunks:
        around.append(logs.request_id.get())
    chunks.close()
    around.append(logs.request_id.get())
    assert during == ["mine", "mine"]
    assert around == ["-", "-", "-"]


def test_the_id_stays_in_no_task_of_an_asgi_server(world):
    app = targets.make_port(world.services)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_):
        pass

    async def ask(id):
        scope = {"type": "http", "method": "GET", "path": "/healthz", "query_string": b""}
        await app(scope | {"headers": [(b"x-request-id", id)]}, receive, send)
        return logs.request_id.get()

    async def main():
        return [await ask(b"one"), await ask(b"two"), *await asyncio.gather(*(ask(b"%d" % n) for n in range(20)))]

    assert set(asyncio.run(main())) == {"-"}


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_requests_at_once_keep_their_own_ids(world, caplog, lines, role):
    """Each of them logs a line of its own, on a thread of its own."""
    caplog.set_level(logging.INFO)
    ids = [f"request.{n}" for n in range(24)]
    with (
        targets.open_target(role, world) as target,
        world.services.database.begin(),
        httpx.Client(transport=TargetTransport(target), base_url="https://testserver") as api,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda each: api.get("/users", headers={"X-Request-ID": each}), ids))
    assert [answer.headers["x-request-id"] for answer in answers] == ids
    told = [record.request_id for record in caplog.records if record.name == "service"]
    assert sorted(told) == sorted(ids)
    assert sorted(line["request_id"] for line in lines()) == sorted(ids)


ASKED = [("GET", "/user/7?password=hunter2"), ("GET", "/hunter2"), ("HEAD", "/healthz"), ("GET", "/user//1")]
FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "Authorization": "hunter2",
    "X-Request-ID": "mine",
}


def logged(server, count):
    """The lines of JSON that a server wrote, once there are so many."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = [line for line in server.log_tail(1000).splitlines() if line.startswith("{")]
        if len(found) >= count:
            break
        time.sleep(0.02)
    return [json.loads(line) for line in found]


@pytest.mark.servers
def test_both_servers_write_the_same_lines_of_json(tmp_path):
    """And none of their own; a proxy that nobody trusts changes neither address nor scheme."""
    told = {}
    for role, command in SERVERS.items():
        env = environment(settings(trusted_proxies="", public_base_url="http://localhost:8000"))
        home = tmp_path / role
        home.mkdir()
        with Server([sys.executable, "-m", *command.split()], env=env, cwd=home, ready="/healthz") as server:
            with httpx.Client(base_url=server.url, trust_env=False) as api:
                for method, path in ASKED:
                    answer = api.request(method, server.url + path, headers=FORGED)
                assert answer.headers["location"].startswith("http://")
            told[role] = [line for line in logged(server, len(ASKED) + 1) if line["request_id"] == "mine"]
            assert "hunter2" not in server.log_tail(1000)
    for lines in told.values():
        for line in lines:
            assert line.pop("time").endswith("Z")
            assert line.pop("seconds") > 0
            assert (line["client"], line["scheme"]) == ("127.0.0.1", "http")
    assert len(told["original"]) == len(ASKED)
    # The page of a redirect names its host.
    assert [line.pop("bytes") > 0 for line in told["original"]] == [line.pop("bytes") > 0 for line in told["port"]]
    assert told["original"] == told["port"]
    assert [list(line) for line in told["original"]] == [list(line) for line in told["port"]]


def test_a_thread_that_answers_nothing_names_no_request():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(logs.request_id.get()))
    thread.start()
    thread.join()
    assert seen == ["-"]
