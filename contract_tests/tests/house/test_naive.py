"""The naive port works, differs where docs and tests say it does, and each piece closes its own difference"""

import asyncio
import json
from contextlib import ExitStack
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import httpx
import pytest

from contract_tests.live.probes.specimens import naive
from contract_tests.parity import Pair, asgi
from contract_tests.parity.causes import Causes
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.transport import TargetTransport, request_of
from contract_tests.suite import targets
from contract_tests.suite.world import BASE_URL, FRIEND, PEER, own_world, provider
from contract_tests.tests.house.test_house import ROOT

ALL = frozenset(naive.NAMES)
ADA = {"name": "Ada", "email": "ada@example.com", "password": "hunter2"}
FILE = {"file": ("ada's notes.txt", b"hello", "text/plain")}
SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
SIGNED_UP = (("POST", "/user", {"json": ADA}), ("POST", "/session", {"json": ADA}), ("POST", "/files", {"files": FILE}))


class Case(NamedTuple):
    """A request, what the naive port's answer does not share with the original's, and the piece that closes it."""

    piece: str
    method: str
    target: str
    sent: dict[str, Any]
    found: set[str]
    settings: dict[str, str] = {}  # noqa: RUF012 - never changed


KNOWN = {
    "an error is no problem": Case("error problems", "GET", "/user/99", {}, {"media-type Content-Type value"}),
    "a 422 echoes the password": Case(
        "error problems", "POST", "/user", {"json": {"password": "hunter2"}}, {"media-type Content-Type value"}
    ),
    "malformed JSON is 422": Case(
        "Route", "POST", "/user", {"content": b"{", "headers": {"Content-Type": "application/json"}},
        {"status status value"},
    ),
    "a 401 has no challenge": Case(
        "error problems", "POST", "/session", {"json": ADA | {"password": "wrong"}}, {"header WWW-Authenticate missing"}
    ),
    "an id that is none is 422": Case("convertors", "GET", "/user/abc", {}, {"status status value"}),
    "a negative id is looked for": Case("convertors", "GET", "/user/-5", {}, {"json $.detail value"}),
    "HEAD on a GET route is 405": Case("Routing", "HEAD", "/users", {}, {"status status value"}),
    "OPTIONS is 405": Case("Routing", "OPTIONS", "/users", {}, {"status status value"}),
    "Allow names one route's methods": Case("Routing", "POST", "/user/1", {}, {"header Allow value"}),
    "a surplus slash is 307": Case("Routing", "GET", "/users/", {}, {"status status value"}),
    "doubled slashes are 404": Case("Routing", "GET", "/user//1", {}, {"status status value"}),
    "JSON by another name is taken": Case(
        "Route", "POST", "/user", {"content": json.dumps(ADA), "headers": {"Content-Type": "text/plain"}},
        {"status status value"},
    ),
    "an empty name is taken": Case(
        "Route", "POST", "/user", {"json": ADA | {"name": "", "email": "b@example.com"}}, {"status status value"}
    ),
    "5.0 is a number of users": Case("Route", "GET", "/users?limit=5.0", {}, {"status status value"}),
    "the last of repeated keys counts": Case("Route", "GET", "/users?limit=1&limit=x", {}, {"status status value"}),
    "a body has no limit": Case(
        "BodyLimit", "POST", "/user", {"json": ADA | {"name": "x" * (1 << 20)}}, {"status status value"}
    ),
    "the session is in the cookie": Case("sessions", "POST", "/session", {"json": ADA}, {
        "cookie __Host-session.Secure missing", "cookie __Host-session.Expires missing",
    }),
    "another site's page is answered": Case(
        "cross-site", "DELETE", "/session", {"headers": {"Sec-Fetch-Site": "cross-site"}}, {"status status value"}
    ),
    "a page of a friend may not read all headers": Case(
        "cors", "GET", "/", {"headers": {"Origin": FRIEND}}, {"header Access-Control-Expose-Headers missing"}
    ),
    "a preflight of a stranger is 400": Case(
        "cors", "OPTIONS", "/users",
        {"headers": {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}},
        {"status status value"},
    ),
    "a 429 does not say when to ask again": Case(
        "rate limit", "GET", "/users", {}, {"header Retry-After missing"}, {"rate_limit": "3/hour"}
    ),
    "any request id is given back": Case(
        "request ids and access log", "GET", "/", {"headers": {"X-Request-ID": "no id"}}, {"header X-Request-Id value"}
    ),
    "a proxy's client is not told from the proxy": Case(
        "proxies", "GET", "/metrics", {"headers": {"X-Forwarded-For": "203.0.113.9"}}, {"status status value"}
    ),
    "a redirect is 307": Case("outputs", "POST", "/signout", {}, {"status status value"}),
    "keys come in the model's order": Case("outputs", "GET", "/whoami", {}, {"json $ order"}),
    "a time is written as pydantic writes it": Case("files", "GET", "/files/1", {}, {"json $.timestamp value"}),
    "a download is never 304": Case(
        "files", "GET", "/files/1/content", {"headers": {"If-None-Match": f'"{SHA256}"'}}, {"status status value"}
    ),
    "a download may be kept by anyone": Case(
        "files", "GET", "/files/1/content", {}, {"header Cache-Control value", "header ETag value"}
    ),
    "the document is FastAPI's own": Case("docs", "GET", "/openapi.json", {}, {"bytes body value"}),
}  # fmt: skip

# What they close is between a server and its client.
ON_SERVERS = {"DrainBody", "RefuseHeads"}

# What is broken in both apps, and how the answers differ.
BROKEN = {
    "an unhandled error has no request id": (
        "shared_core.users.list_users",
        Case("request ids and access log", "GET", "/users", {}, {"header X-Request-Id missing"}),
    ),
    "an unhandled error is no problem": (
        "shared_core.users.list_users",
        Case("error problems", "GET", "/users", {}, {"media-type Content-Type value"}),
    ),
    "a stream that fails at its first chunk is 200": (
        "shared_core.exports.lines",
        Case("files", "GET", "/users.csv", {}, {"status status value"}),
    ),
}

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


class Browser:
    """A target with cookies of its own: the naive port's are not the original's."""

    def __init__(self, target):
        self._target = target
        self._cookies = {}

    def send(self, request):
        kept = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = (*request.headers, (b"cookie", kept.encode())) if kept else request.headers
        response = self._target.send(type(request)(request.method, request.target, headers, request.body))
        for name, value in response.headers:
            if name.lower() == b"set-cookie":
                (morsel,) = SimpleCookie(value.decode()).values()
                self._cookies[morsel.key] = morsel.value
        return response


@pytest.fixture(scope="module")
def opened():
    """Gives a rewound target of the original (no pieces are named) or of the naive port; each is made once."""
    made = {}
    with ExitStack() as stack:

        def target(pieces=None, **changes):
            key = (pieces, *changes.items())
            if key not in made:
                world = stack.enter_context(own_world(**provider().settings(), **changes))
                made[key] = stack.enter_context(target_of(world, pieces))
            made[key].reset()
            return made[key]

        yield target


def target_of(world, pieces):
    if pieces is None:
        return targets.open_target("original", world)
    return asgi(naive.create_app(world.services, pieces=pieces), reset=world.reset)


@pytest.fixture
def exchange(opened):
    """Sends a case's request to the original and to the naive port with these pieces, for one who is signed in."""

    def send(case, pieces):
        pair = Pair(Browser(opened(**case.settings)), Browser(opened(pieces, **case.settings)))
        for method, target, sent in (*SIGNED_UP, (case.method, case.target, case.sent)):
            url = httpx.URL(BASE_URL, raw_path=target.encode())
            last = pair.exchange(request_of(httpx.Request(method, url, **sent)))
        return last

    return send


@pytest.fixture
def client(opened):
    """Gives clients of the naive port with these pieces."""
    return lambda pieces: httpx.Client(transport=TargetTransport(opened(pieces)), base_url=BASE_URL)


def told(exchange):
    return {f"{found.level} {found.path} {found.kind}" for found in exchange.differences}


def before(piece):
    return frozenset(naive.NAMES[: naive.NAMES.index(piece)])


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_a_known_difference_is_there(exchange, case):
    assert case.found <= told(exchange(case, frozenset()))


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_a_known_difference_is_closed_by_its_piece(exchange, case):
    assert told(exchange(case, before(case.piece))) & case.found
    assert not told(exchange(case, before(case.piece) | {case.piece})) & case.found


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_with_all_pieces_nothing_differs(exchange, case):
    assert exchange(case, ALL).differences == ()


# The pieces of the wire kit by which a team closes what a step closes here, as the engine may name them.
NAMED = {
    "error problems": {"Handlers", "Pages"},
    "convertors": {"register"},
    "Routing": {"Routing"},
    "Route": {"JSONRoute", "QueryRoute", "Lenient"},
    "BodyLimit": {"BodyLimit"},
    "sessions": {"set_cookie"},
    "cross-site": {"BeforeRequest"},
    "outputs": {"redirect", "FlaskJSON"},
    "files": {"send_file"},
    # Its document is written with other spaces, too.
    "docs": {"FlaskJSON"},
}
# They are this service's own, and no piece of the kit has them.
UNNAMED = {"cors", "rate limit", "request ids and access log", "proxies"}


def named_pieces(case, exchange):
    """What the engine says of the causes that show a known difference."""
    causes = Causes()
    causes.add(exchange, "a case", Secrets())
    shown = {found.fingerprint(exchange.operation) for found in exchange.differences if place(found) in case.found}
    fitting = [cause for cause in causes.ranked() if shown & cause.fingerprints.keys()]
    return {cause.closes.names.partition(":")[2] for cause in fitting if cause.closes}


def place(found):
    return f"{found.level} {found.path} {found.kind}"


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_the_engine_names_no_piece_but_one_that_closes_a_known_difference(exchange, case):
    assert named_pieces(case, exchange(case, frozenset())) <= NAMED.get(case.piece, set())
    assert NAMED.keys() | UNNAMED >= {case.piece}


# A negative id is an error of another body in the naive port, and a rule of the service's own is no one else's.
NOT_TOLD = {"a negative id is looked for", "an empty name is taken", "5.0 is a number of users"}
NOT_TOLD |= {"a time is written as pydantic writes it", "the document is FastAPI's own"}


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in NOT_TOLD and KNOWN[name].piece in NAMED])
def test_the_engine_names_the_piece_that_closes_a_known_difference(exchange, name):
    assert named_pieces(KNOWN[name], exchange(KNOWN[name], frozenset()))


# What a server does before an app is asked is seen over sockets alone: the probes see it (docs/wire.md).
OVER_SOCKETS = {"DrainBody", "RefuseHeads"}


def test_every_piece_closes_something():
    assert ALL - {case.piece for case in KNOWN.values()} == ON_SERVERS


def test_a_head_as_no_server_would_take_it_is_refused_by_its_piece(client):
    """In process no gunicorn refuses it for the original."""
    large = {"X-Large": "x" * 8190}
    assert client(before("RefuseHeads")).get("/", headers=large).status_code == 200
    assert client(before("RefuseHeads") | {"RefuseHeads"}).get("/", headers=large).status_code == 431


def test_an_answer_waits_for_the_body_where_its_piece_is_in():
    """In process no connection shows it."""
    for pieces, unread in ((before("DrainBody"), 2), (before("DrainBody") | {"DrainBody"}, 0)):
        with own_world() as world:
            assert unread_at_the_answer(naive.create_app(world.services, pieces=pieces)) == unread


def unread_at_the_answer(app):
    """How many parts of a body that nobody asked for are still to be read when its answer begins."""
    parts, unread = [True, False], []
    headers = [(b"content-length", b"2")]
    scope = {"type": "http", "http_version": "1.1", "scheme": "https", "method": "POST", "path": "/nowhere"}
    scope |= {"raw_path": b"/nowhere", "query_string": b"", "headers": headers, "client": (PEER, 1)}

    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": parts.pop(0)}

    async def send(_):
        unread.append(len(parts))

    asyncio.run(app(scope, receive, send))
    return unread[0]


def test_the_naive_422_gives_the_password_back(exchange):
    case = KNOWN["a 422 echoes the password"]
    assert b"hunter2" in exchange(case, frozenset()).port.body
    assert b"hunter2" not in exchange(case, frozenset({case.piece})).port.body


@pytest.mark.parametrize(("broken", "case"), BROKEN.values(), ids=BROKEN)
def test_a_failure_differs_until_its_piece_is_in(exchange, monkeypatch, broken, case):
    monkeypatch.setattr(broken, lambda *_, **__: 1 / 0)
    test_a_known_difference_is_there(exchange, case)
    test_a_known_difference_is_closed_by_its_piece(exchange, case)
    test_with_all_pieces_nothing_differs(exchange, case)


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


def test_a_piece_by_another_name_is_refused():
    with own_world() as world, pytest.raises(ValueError, match="no such pieces: Routes"):
        naive.create_app(world.services, pieces=frozenset({"Routes"}))


def test_each_step_says_where_its_piece_lives():
    assert not [place for step in naive.STEPS for place in step.homes if not (ROOT / place).exists()]
