"""The gate: an undocumented answer, an answer that does not fit its schema and a documented one that nobody saw"""

import pytest

from contract_tests.parity import Request, Response
from contract_tests.suite.gate import Gate
from contract_tests.tests.children import run, run_tests
from contract_tests.tests.house.test_house import ROOT

JSON = ((b"Content-Type", b"application/json"),)
PROBLEM = ((b"Content-Type", b"application/problem+json"),)
SPEC = {
    "openapi": "3.1.0",
    "paths": {
        "/user/{id}": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/User"}}}},
                    "404": {"$ref": "#/components/responses/NotFound"},
                    "500": {"$ref": "#/components/responses/NotFound"},
                }
            },
            "delete": {"responses": {"204": {"description": "gone"}}},
        }
    },
    "components": {
        "schemas": {
            "User": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "Problem": {"type": "object", "required": ["title"]},
        },
        "responses": {
            "NotFound": {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        },
    },
}


@pytest.fixture
def gate():
    return Gate(SPEC)


def get(gate, response, target=b"/user/1?x=1"):
    gate.observe("port", Request("GET", target), response)
    return gate.faults


def test_a_documented_answer_that_fits_is_no_fault(gate):
    assert not get(gate, Response(200, JSON, b'{"name":"Ada"}'))
    assert not get(gate, Response(404, PROBLEM, b'{"title":"Not Found"}'))
    assert gate.seen == {("port", "GET /user/{id}", 200), ("port", "GET /user/{id}", 404)}


def test_an_undocumented_status_is_a_fault(gate):
    assert get(gate, Response(418, JSON, b"{}")) == {"port: GET /user/{id} answered 418, which is not documented"}


@pytest.mark.parametrize("body", [b"{}", b'{"name":1}', b"[]"])
def test_a_response_that_does_not_fit_its_schema_is_a_fault(gate, body):
    (fault,) = get(gate, Response(200, JSON, body))
    assert "does not fit its schema" in fault


def test_a_response_that_is_no_json_at_all_is_a_fault(gate):
    (fault,) = get(gate, Response(200, JSON, b"{"))
    assert "is not JSON" in fault


@pytest.mark.parametrize("headers", [PROBLEM, ((b"Content-Type", b"text/html"),), ()])
def test_a_media_type_that_is_not_documented_is_a_fault(gate, headers):
    (fault,) = get(gate, Response(200, headers, b'{"name":"Ada"}'))
    assert "is not documented" in fault


def test_a_reference_to_a_shared_response_is_followed(gate):
    (fault,) = get(gate, Response(404, PROBLEM, b"{}"))
    assert "$ does not fit its schema (required)" in fault


def test_a_body_where_none_is_documented_is_a_fault(gate):
    gate.observe("port", Request("DELETE", b"/user/1"), Response(204))
    assert not gate.faults
    gate.observe("port", Request("DELETE", b"/user/1"), Response(204, JSON, b"{}"))
    assert gate.faults


def test_what_was_not_seen_is_told_for_each_target_but_for_the_shared_statuses(gate):
    get(gate, Response(200, JSON, b'{"name":"Ada"}'))
    gate.observe("port", Request("DELETE", b"/user/1"), Response(204))
    nothing = frozenset()
    assert gate.unseen(("port",), shared=nothing) == ["port: GET /user/{id} 404 was documented and never seen"]
    assert len(gate.unseen(("original", "port"), shared=nothing)) == 4


def test_an_operation_that_could_not_be_asked_need_not_be_seen(gate):
    gate = Gate(SPEC | {"paths": {path: tagged(item) for path, item in SPEC["paths"].items()}})
    assert gate.unseen(("port",), shared=frozenset(), without=frozenset({"signin"})) == []
    assert len(gate.unseen(("port",), shared=frozenset(), without=frozenset({"other"}))) == 3


def tagged(item):
    return {method: operation | {"tags": ["signin"]} for method, operation in item.items()}


def test_a_shared_status_must_be_seen_once_on_each_target(gate):
    unseen = gate.unseen(("port",), shared=frozenset({413, 500}))
    assert unseen[0] == "port: no operation answered 500, which is documented and never seen"
    assert not [fault for fault in unseen if "413" in fault]
    get(gate, Response(500, PROBLEM, b'{"title":"x"}'))
    assert "500" not in "".join(gate.unseen(("port",), shared=frozenset({413, 500})))


@pytest.mark.parametrize(
    "request_", [Request("GET", b"/nowhere"), Request("OPTIONS", b"/user/1"), Request("GET", b"/user/1/x")]
)
def test_what_is_no_operation_goes_by(gate, request_):
    gate.observe("port", request_, Response(418))
    assert not gate.faults
    assert gate.name_of(request_).startswith(request_.method)


def test_a_documented_answer_that_no_test_reaches_fails_a_whole_run(tmp_path):
    """The suite without one of its modules is told by name; a part of it that was asked for by name is not judged."""
    copy = tmp_path / "suite"
    copy.mkdir()
    conftest = (
        (ROOT / "contract_tests/conftest.py").read_text().replace("SUITE = HERE", "SUITE = Path(__file__).parent #")
    )
    (copy / "conftest.py").write_text(
        conftest.replace("HERE = Path(__file__).parent", f"HERE = Path({str(ROOT / 'contract_tests')!r})")
    )
    hello = (ROOT / "contract_tests/suite/test_hello.py").read_text()
    more = "\n\nimport pytest\n\n\n@pytest.mark.in_process\ndef test_more(): pass\n"
    (copy / "test_hello.py").write_text(hello + more)
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    whole = run(run_tests, *options, str(copy), cwd=tmp_path)
    assert whole.returncode == 1
    assert "port: GET /healthz 200 was documented and never seen" in whole.stdout
    assert "port: GET / 200" not in whole.stdout
    pairs = run(run_tests, *options, "--pairs-only", str(copy), cwd=tmp_path)
    assert pairs.returncode == 1
    assert "port: GET / 200" not in pairs.stdout
    assert "port: GET /healthz 200 was documented and never seen" in pairs.stdout
    assert "2 passed, 2 deselected" in pairs.stdout
    unmarked = run(run_tests, *options, "-m", "not in_process", str(copy), cwd=tmp_path)
    assert unmarked.returncode == 0, unmarked.stdout
    part = run(run_tests, *options, "-k", "hello and port", str(copy), cwd=tmp_path)
    assert part.returncode == 0, part.stdout
