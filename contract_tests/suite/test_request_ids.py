"""X-Request-ID: a client's own id comes back unchanged, every other request gets one"""

import logging
import re
from dataclasses import replace

import pytest

FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")
GIVEN = ["a", "7", "4bf92f35-77b3.4da6_A3CE", "-", "...", "x" * 64]
UNFIT = ["", "x" * 65, "a b", "a,b", "a/b", "a:b", "a;b", "a%20b", "{}", "<b>", "é", "a\tb", '"a"', "a=b", "$(a)"]

# One request for each kind of answer.
ANSWERS = [
    ("GET", "/", 200), ("HEAD", "/", 200), ("OPTIONS", "/user", 200), ("GET", "/user/0", 404), ("GET", "/nope", 404),
    ("DELETE", "/user", 405), ("GET", "/user//1", 308), ("POST", "/user", 415), ("GET", "/users?limit=0", 422),
    ("GET", "/whoami", 401), ("DELETE", "/session", 204), ("GET", "/docs/start.js", 200), ("TRACE", "/", 405),
]  # fmt: skip


def sent(id):
    return {"X-Request-ID": id.encode("latin-1")}


@pytest.mark.parametrize("id", GIVEN)
def test_a_given_id_comes_back_unchanged(api, id):
    assert api.get("/", headers=sent(id)).headers.get_list("x-request-id") == [id]


@pytest.mark.parametrize("id", UNFIT)
def test_an_id_that_is_not_fit_is_replaced(api, id):
    (made,) = api.get("/", headers=sent(id)).headers.get_list("x-request-id")
    assert made != id
    assert FIT.fullmatch(made)


def test_two_given_ids_are_none(api):
    """Joined by a comma, as every server and proxy may join them."""
    (made,) = api.get("/", headers=[("X-Request-ID", "one"), ("X-Request-ID", "two")]).headers.get_list("x-request-id")
    assert made not in {"one", "two", "one,two"}


def test_each_request_gets_an_id_of_its_own(api):
    made = [api.get("/").headers["x-request-id"] for _ in range(5)]
    assert len(set(made)) == 5


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_the_id(api, method, path, status):
    answer = api.request(method, path, headers=sent("mine"))
    assert answer.status_code == status
    assert answer.headers.get_list("x-request-id") == ["mine"]


def test_what_is_refused_before_its_route_has_the_id(api):
    refused = api.post("/user", headers=sent("mine") | {"Origin": "https://elsewhere.example"})
    assert refused.status_code == 403
    assert refused.headers["x-request-id"] == "mine"


def test_a_body_that_is_too_large_is_refused_with_the_id(api):
    headers = sent("mine") | {"Content-Type": "application/json"}
    refused = api.post("/user", content=b" " * (1 << 21), headers=headers)
    assert refused.status_code == 413
    assert refused.headers["x-request-id"] == "mine"


class Down:
    """A part that fails, whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.in_process
def test_an_unforeseen_error_has_the_id_and_its_log_line_too(start, services, caplog):
    answer = start(replace(services, database=Down())).get("/user/1", headers=sent("mine"))
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "mine"
    (record,) = [record for record in caplog.records if record.name == "service"]
    assert record.request_id == "mine"


@pytest.mark.in_process
def test_a_line_that_is_written_deep_in_the_core_names_the_request(start, services, caplog):
    """On the port it comes from another thread."""
    api = start(services)
    with services.database.begin():
        for id in ("one", "two"):
            assert api.get("/users", headers=sent(id)).status_code == 503
    lines = [record for record in caplog.records if record.name == "service" and record.levelno == logging.WARNING]
    assert [record.request_id for record in lines] == ["one", "two"]
