"""The naive port works with any of its pieces: each route answers, and so does what stands around the routes"""

import json

import httpx
import pytest

from contract_tests.live.probes.specimens import naive
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.world import BASE_URL, FRIEND, provider
from contract_tests.tests.house import naive_cases
from contract_tests.tests.house.naive_cases import ADA, ALL, FILE, before
from contract_tests.tests.house.test_house import ROOT

# Every documented operation but one, with a request that must succeed. FastAPI's own page has no files of its own.
NOT_THERE = {("GET", "/docs/{name}")}
HAPPY = [
    ("GET", "/", {}, 200),
    ("GET", "/healthz", {}, 200),
    ("GET", "/readyz", {}, 200),
    ("GET", "/metrics", {}, 200),
    ("GET", "/openapi.json", {}, 200),
    ("GET", "/docs", {}, 200),
    ("POST", "/user", {"json": ADA}, 201),
    ("GET", "/user/{id}", {}, 200),
    ("GET", "/users", {}, 200),
    ("POST", "/session", {"json": ADA}, 200),
    ("GET", "/whoami", {}, 200),
    ("PATCH", "/user/{id}", {"json": {"name": "Ada King"}}, 200),
    ("PUT", "/session/data/{key}", {"json": {"value": [1, {"a": None}]}}, 200),
    ("GET", "/session/data/{key}", {}, 200),
    ("DELETE", "/session/data/{key}", {}, 204),
    ("POST", "/files", {"files": FILE}, 201),
    ("GET", "/files/{id}", {"params": {"tag": "x"}}, 200),
    ("GET", "/files/{id}/content", {}, 200),
    ("GET", "/users.csv", {}, 200),
    ("DELETE", "/files/{id}", {}, 204),
    ("DELETE", "/sessions", {}, 204),
    ("POST", "/session", {"json": ADA}, 200),
    ("DELETE", "/session", {}, 204),
    ("POST", "/session", {"json": ADA}, 200),
    ("DELETE", "/user/{id}", {}, 204),
]


@pytest.fixture(scope="module")
def opened():
    with naive_cases.opened() as target:
        yield target


@pytest.fixture
def client(opened):
    """Gives clients of the naive port with these pieces."""
    return lambda pieces: httpx.Client(transport=TargetTransport(opened(pieces)), base_url=BASE_URL)


@pytest.mark.parametrize("pieces", [before(name) for name in naive.NAMES] + [ALL], ids=len)
def test_every_route_answers_a_good_request(client, pieces):
    all_answer(client(pieces))


@pytest.mark.parametrize("piece", naive.NAMES)
def test_each_piece_can_stand_alone_and_each_can_be_missing(client, piece):
    all_answer(client(frozenset({piece})))
    all_answer(client(ALL - {piece}))


def all_answer(api):
    answered = [api.request(method, path.format(id=1, key="k"), **sent) for method, path, sent, _ in HAPPY]
    found = [(method, path, answer.status_code) for (method, path, *_), answer in zip(HAPPY, answered, strict=True)]
    assert found == [(method, path, status) for method, path, _, status in HAPPY]
    shown = {(method, path): answer for (method, path, *_), answer in zip(HAPPY, answered, strict=True)}
    assert shown["GET", "/whoami"].json() == {"id": 1, "name": "Ada", "email": "ada@example.com"}
    assert shown["GET", "/session/data/{key}"].json() == {"value": [1, {"a": None}]}
    assert shown["GET", "/files/{id}/content"].content == b"hello"
    assert shown["GET", "/users.csv"].text.splitlines() == ["id,name,email", "1,Ada King,ada@example.com"]


@pytest.mark.parametrize("pieces", [frozenset(), ALL], ids=len)
def test_a_sign_in_elsewhere_works(client, pieces):
    api = client(pieces)
    begun = api.get("/signin")
    back = api.get(httpx.URL(provider().answer(begun.headers["Location"])).raw_path.decode())
    assert back.headers["Location"] == "/"
    assert api.get("/signin/profile").json()["email"] == api.get("/whoami").json()["email"]
    assert api.post("/signout").is_redirect
    assert api.get("/whoami").status_code == 401


@pytest.mark.parametrize("pieces", [frozenset(), ALL], ids=len)
def test_what_stands_around_the_routes_works(client, pieces):
    api = client(pieces)
    answer = api.get("/", headers={"Origin": FRIEND, "X-Request-ID": "mine"})
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert answer.headers["X-Request-ID"] == "mine"
    assert answer.headers["X-RateLimit-Limit"] == "1000000"
    preflight = api.options("/users", headers={"Origin": FRIEND, "Access-Control-Request-Method": "PATCH"})
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, FRIEND)


def test_every_documented_operation_is_asked():
    spec = json.loads((ROOT / "shared_core/openapi.json").read_bytes())
    documented = {(method.upper(), path) for path, item in spec["paths"].items() for method in item}
    signin = {operation for operation in documented if operation[1].startswith("/sign")}
    assert {(method, path) for method, path, _, _ in HAPPY} | signin | NOT_THERE == documented


def test_two_apps_share_nothing(client):
    """A measurement serves several at once."""
    one, other = client(frozenset()), client(ALL)
    one.post("/user", json=ADA)
    assert (one.get("/user/1").status_code, other.get("/user/1").status_code) == (200, 404)
