"""The access log: one line of JSON for each request, with the same fields from both apps and nothing a client chose"""

import json
import logging
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from contract_tests.suite.world import NOW, own_world
from shared_core.sessions.stores import SqliteStore

pytestmark = pytest.mark.in_process

FIELDS = ["time", "request_id", "client", "method", "route", "status", "seconds", "bytes", "scheme"]


@pytest.fixture
def lines(caplog):
    """Gives the fields of each line that was written since it was asked the last time."""
    caplog.set_level(logging.INFO, "access")

    def lines():
        found = [json.loads(record.getMessage()) for record in caplog.records if record.name == "access"]
        caplog.clear()
        return found

    return lines


def test_a_line_tells_what_came_of_a_request(start, services, lines):
    answer = start(services).get("/healthz", headers={"X-Request-ID": "mine"})
    (line,) = lines()
    assert list(line) == FIELDS
    assert 0 < line.pop("seconds") < 10
    assert line == {
        "time": "2026-01-02T03:04:05.000Z",
        "request_id": "mine",
        "client": "127.0.0.1",
        "method": "GET",
        "route": "/healthz",
        "status": 200,
        "bytes": len(answer.content),
        "scheme": "https",
    }


def test_the_time_is_the_service_s_own(start, services, lines):
    start(replace(services, clock=lambda: NOW + timedelta(milliseconds=1234))).get("/")
    assert [line["time"] for line in lines()] == ["2026-01-02T03:04:06.234Z"]


# What is asked, and what the line says of it: method, route and status.
TOLD = [
    ("GET", "/", "GET", "/", 200),
    ("GET", "//healthz", "GET", "/healthz", 200),
    ("HEAD", "/users", "HEAD", "/users", 200),
    ("GET", "/user/1", "GET", "/user/{id}", 404),
    ("GET", "/user/0?password=hunter2", "GET", "/user/{id}", 404),
    ("HEAD", "/user/0", "HEAD", "/user/{id}", 404),
    ("PATCH", "/user/1", "PATCH", "/user/{id}", 401),
    ("POST", "/user", "POST", "/user", 415),
    ("GET", "/users?limit=0", "GET", "/users", 422),
    ("GET", "/session/data/colour", "GET", "/session/data/{key}", 404),
    ("DELETE", "/session", "DELETE", "/session", 204),
    ("GET", "/docs/hunter2", "GET", "/docs/{name}", 404),
    ("GET", "/signin", "GET", "/signin", 501),
    ("OPTIONS", "/user/1", "OPTIONS", "-", 200),
    ("DELETE", "/user", "DELETE", "-", 405),
    ("GET", "/user//1", "GET", "-", 308),
    ("GET", "/hunter2", "GET", "-", 404),
    ("GET", "/user/hunter2", "GET", "-", 404),
    ("get", "/healthz", "GET", "/healthz", 200),
    ("HUNTER2", "/healthz", "OTHER", "-", 405),
    ("PROPFIND", "/nope", "OTHER", "-", 404),
]


@pytest.mark.parametrize(("method", "path", "known", "route", "status"), TOLD)
def test_a_line_has_the_route_and_never_the_path(start, services, lines, method, path, known, route, status):
    start(services).request(method, f"https://testserver{path}")
    (line,) = lines()
    assert (line["method"], line["route"], line["status"]) == (known, route, status)
    assert "hunter2" not in json.dumps(line).lower()


def test_a_request_of_another_site_has_no_route(start, services, lines):
    start(services).post("/user", headers={"Origin": "https://elsewhere.example"})
    assert [(line["route"], line["status"]) for line in lines()] == [("-", 403)]


def test_a_body_that_is_too_large_is_its_route_s_affair(start, services, lines):
    start(services).post("/user", content=b" " * (1 << 21), headers={"Content-Type": "application/json"})
    assert [(line["route"], line["status"]) for line in lines()] == [("/user", 413)]


def test_what_goes_out_of_the_body_is_counted(start, services, lines):
    api = start(services)
    asked = [("GET", "/docs/start.js"), ("HEAD", "/docs/start.js"), ("DELETE", "/session"), ("GET", "/nope")]
    lengths = [len(api.request(method, path).content) for method, path in asked]
    assert [line["bytes"] for line in lines()] == lengths
    assert lengths[1:3] == [0, 0]


class Down:
    """A part that fails, whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_an_unforeseen_error_has_its_line(start, services, lines):
    answer = start(replace(services, database=Down())).get("/user/1")
    (line,) = lines()
    assert (line["route"], line["status"], line["bytes"]) == ("/user/{id}", 500, len(answer.content))
    assert "broken" not in line


def test_a_store_that_is_down_has_its_lines(start, services, lines, caplog):
    store = SqliteStore("/dev/null/sessions.sqlite3", clock=time.time)
    api = start(replace(services, session_store=store))
    headers = {"Cookie": f"__Host-session={'x' * 43}", "X-Request-ID": "mine"}
    assert [api.get(path, headers=headers).status_code for path in ("/whoami", "/healthz")] == [503, 200]
    told = {record.request_id for record in caplog.records if record.name == "service"}
    assert told == {"mine"}
    assert [(line["route"], line["status"]) for line in lines()] == [("-", 503), ("/healthz", 200)]


def test_the_log_can_be_turned_off(start, lines):
    with own_world(access_log=False) as world:
        assert start(world.services).get("/").status_code == 200
    assert lines() == []
