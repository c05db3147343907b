"""The port broken in one place turns the suite red, and the suite says where."""

import httpx
import pytest

from contract_tests.parity import Different, PairTransport
from contract_tests.parity.specs import resolve
from contract_tests.suite import targets
from contract_tests.suite.world import own_world
from contract_tests.tests.children import run, run_tests

ADA = {"name": "Ada", "email": "ada@example.com", "password": "test"}
TESTS = [
    "contract_tests/suite/test_register.py::test_a_created_user_is_returned_without_the_password",
    "contract_tests/suite/test_list.py::test_nobody_is_listed_in_an_empty_world",
]


def story(client):
    """Three requests of the contract, asserting nothing: what differs must be found all the same."""
    created = client.post("/user", json=ADA)
    client.get(f"/user/{created.json()['id']}")
    client.get("/users")


def run_suite(*arguments, tests=TESTS):
    return run(run_tests, *arguments, *tests)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("header", ["POST /user:", "header x-powered-by extra", "port      FastAPI"]),
        ("lost_header", ["POST /user:", "header location missing", "original  /user/1"]),
        ("status", ["POST /user:", "status status value", "original  201", "port      200"]),
        ("key_order", ["POST /user:", "json $ order"]),
        ("float_for_int", ["POST /user:", "json $.id type", "original  1", "port      1.0"]),
        ("null_for_missing", ["GET /user/{id}:", "json $.nickname extra", "port      null"]),
        ("white_space", ["POST /user:", "bytes body value"]),
        ("missing_route", ["GET /users:", "status status value", "original  200", "port      404"]),
    ],
)
def test_a_fault_of_the_port_is_found_and_named(fault, told):
    with (
        own_world() as world,
        targets.open_target("original", world) as original,
        resolve(f"contract_tests.tests.specimens.broken:{fault}()") as port,
    ):
        client = httpx.Client(transport=PairTransport(original, port), base_url="https://testserver")
        with pytest.raises(Different) as found, client:
            story(client)
    for words in told:
        assert words.lower() in str(found.value).lower()


def test_the_unbroken_port_tells_the_same_story():
    with (
        own_world() as first,
        own_world() as second,
        targets.open_target("original", first) as original,
        targets.open_target("port", second) as port,
        httpx.Client(transport=PairTransport(original, port), base_url="https://testserver") as client,
    ):
        story(client)
        assert client.get("/users").json()["items"] == [{"id": 1, "name": "Ada", "email": "ada@example.com"}]


def test_a_fault_turns_the_suite_red():
    ended = run_suite("--port", "contract_tests.tests.specimens.broken:missing_route()")
    assert ended.returncode == 1
    assert "GET /users: the port differs from the original" in ended.stdout
    assert "1 failed" not in ended.stdout
    assert "2 failed, 4 passed" in ended.stdout


def test_apps_with_a_history_of_their_own_are_alike_by_bound_ids():
    """Ids 4 and up on the original, 251 and up on the port, nothing rewound: the very same suite."""
    settled = "contract_tests.tests.specimens.settled"
    modules = [f"contract_tests/suite/test_{name}.py" for name in ("show", "list")]
    ended = run_suite("--original", f"{settled}:original", "--port", f"{settled}:port", tests=modules)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "deselected" in ended.stdout


def test_a_target_that_does_not_import_ends_the_run_with_one_line():
    ended = run_suite("--port", "nowhere.at_all:app")
    assert ended.returncode == 2
    assert "nowhere" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
