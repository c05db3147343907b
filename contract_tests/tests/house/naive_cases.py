"""What is known of the naive port: requests that it answers otherwise, and the piece that closes each; its targets"""

import json
from contextlib import ExitStack, contextmanager
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

from contract_tests.live.probes.specimens import naive
from contract_tests.parity import asgi
from contract_tests.suite import targets
from contract_tests.suite.world import FRIEND, own_world, provider

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


@contextmanager
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


def before(piece):
    return frozenset(naive.NAMES[: naive.NAMES.index(piece)])
