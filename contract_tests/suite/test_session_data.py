"""GET, PUT and DELETE /session/data/{key}: a session as a key-value object"""

import json

import pytest

from contract_tests.suite.visitors import credentials

DEEP = json.loads("[" * 100 + "]" * 100)
VALUES = [
    None, True, False, 0, -1, 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.5, -0.0, 1e300, 1.0, "", "blue", "\u00fc\U0001f98a",
    "\x00", [], {}, [1, [2, {"a": None}]], {"": {"b": [0.1]}}, {"_permanent": False}, DEEP, "x" * 4094,
]  # fmt: skip
KEPT = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Nothing is kept under this key."}


def put(api, key, value):
    return api.put(f"/session/data/{key}", json={"value": value})


@pytest.mark.parametrize("value", VALUES, ids=lambda value: json.dumps(value)[:20])
def test_a_value_is_given_back_as_it_was(api, value):
    kept = put(api, "colour", value)
    assert kept.status_code == 200
    shown = api.get("/session/data/colour")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "application/json"
    assert shown.content == kept.content
    # repr: 1 is not 1.0, and 0.0 is not -0.0.
    assert repr(shown.json()) == repr({"value": value})


def test_nothing_is_kept_at_first(api):
    refused = api.get("/session/data/colour")
    assert refused.status_code == 404
    assert refused.json() == KEPT
    assert "set-cookie" not in refused.headers


def test_a_value_replaces_the_one_before(api):
    put(api, "colour", "blue")
    put(api, "colour", ["green"])
    put(api, "size", 5)
    assert api.get("/session/data/colour").json() == {"value": ["green"]}
    assert api.get("/session/data/size").json() == {"value": 5}


def test_a_value_is_forgotten(api):
    put(api, "colour", "blue")
    put(api, "size", 5)
    gone = api.delete("/session/data/colour")
    assert gone.status_code == 204
    assert gone.content == b""
    assert api.get("/session/data/colour").status_code == 404
    assert api.get("/session/data/size").json() == {"value": 5}


def test_forgetting_what_is_not_kept_changes_nothing(api):
    answer = api.delete("/session/data/colour")
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


def test_one_visitor_does_not_see_what_another_keeps(connect):
    one, other = connect(), connect()
    put(one, "colour", "blue")
    put(other, "colour", "green")
    assert [client.get("/session/data/colour").json()["value"] for client in (one, other)] == ["blue", "green"]


def test_what_a_visitor_keeps_stays_over_the_sign_in_and_ends_with_the_sign_out(api, ada, sign_up):
    put(api, "colour", "blue")
    sign_up(api, ada)
    assert api.get("/session/data/colour").json() == {"value": "blue"}
    api.delete("/session")
    assert api.get("/session/data/colour").status_code == 404


def test_what_is_kept_is_nobody_s_once_its_login_is_over(connect, ada, sign_up):
    """A session whose login was ended elsewhere still lies in the store."""
    here, there = connect(), connect()
    sign_up(here, ada)
    put(here, "colour", "blue")
    there.post("/session", json=credentials(ada))
    there.delete("/sessions")
    assert here.get("/session/data/colour").status_code == 401
    assert put(here, "colour", "green").status_code == 401
    assert here.delete("/session/data/colour").status_code == 401


@pytest.mark.parametrize("key", ["a", "A-Z_09", "0", "_permanent", "login_id", "values", "-", "x" * 64])
def test_a_key_is_a_short_plain_word(api, key):
    assert put(api, key, 1).status_code == 200
    assert api.get(f"/session/data/{key}").json() == {"value": 1}
    assert api.get("/whoami").status_code == 401
    assert api.delete(f"/session/data/{key}").status_code == 204


@pytest.mark.parametrize("key", ["", "x" * 65, "a.b", "a%20b", "%C3%BC", "a%00", "a%0A", "a/b", "a%2Fb", "*"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_no_key_is_not_found(api, method, key):
    refused = api.request(method, f"/session/data/{key}", json={"value": 1} if method == "PUT" else None)
    assert refused.status_code == 404
    assert refused.json()["detail"] == "There is nothing here."


@pytest.mark.parametrize(
    ("value", "type"),
    [
        ("x" * 4095, "too_long"),
        ("\u00fc" * 2048, "too_long"),
        (list(range(2000)), "too_long"),
        (2**64, "int_size"),
        (-(2**63) - 1, "int_size"),
        ([{"a": 10**30}], "int_size"),
        (1e999, "finite_number"),
    ],
    ids=["text", "bytes, not letters", "list", "large", "small", "inside", "infinite"],
)
def test_a_value_that_is_too_large_is_refused(api, value, type):
    told = json.dumps({"value": value}).replace("Infinity", "1e999")
    headers = {"Content-Type": "application/json"}
    refused = api.put("/session/data/colour", content=told, headers=headers)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["type"]) == ("/body/value", type)
    assert api.get("/session/data/colour").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "/body/value"), ({"val": 1}, "/body/value"), ([], "/body"), (1, "/body")]
)
def test_a_body_without_a_value_is_told_where(api, body, pointer):
    refused = api.put("/session/data/colour", json=body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"", b"{", b'{"value": NaN}', b'{"value": "\\ud800"}', b"[" * 300])
def test_a_body_that_is_no_json_is_refused(api, body):
    refused = api.put("/session/data/colour", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400


def test_a_session_keeps_thirty_two_values(api):
    assert [put(api, f"k{n}", n).status_code for n in range(33)] == [200] * 32 + [409]
    assert put(api, "k0", "again").status_code == 200
    assert api.get("/session/data/k32").status_code == 404
    api.delete("/session/data/k1")
    assert put(api, "k32", 32).status_code == 200
