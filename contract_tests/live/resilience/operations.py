"""The routes under load: what to ask of each, many times at once, and the status each should answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contract_tests.live.resilience.burst import send
from contract_tests.live.resilience.wire import request
from contract_tests.live.servers import connected
from contract_tests.parity.servers import Server
from contract_tests.suite.world import CHEAP_HASHES, NOW
from shared_core import users
from shared_core.passwords import Passwords

PEOPLE = 200
PASSWORD = "test"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Someone who is signed in, and a file of theirs."""

    id: int
    cookie: str
    file: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A route: how its n-th request is made, and what it answers where nothing is in its way."""

    method: str
    template: str
    path: str
    status: int = 200
    body: Callable[[int], Any] = lambda _: None
    signed_in: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def request(self, number: int, visitor: Visitor) -> bytes:
        path = self.path.format(me=visitor.id, file=visitor.file)
        return request(self.method, path, body=self.body(number), cookie=visitor.cookie if self.signed_in else "")


def someone(number: int, *, house: str = "example.com") -> dict[str, str]:
    """A person to register; each number once."""
    return {"name": f"Person {number}", "email": f"person{number}@{house}", "password": PASSWORD}


def _credentials(number: int) -> dict[str, str]:
    return {"email": someone(number % PEOPLE)["email"], "password": PASSWORD}


OPERATIONS = (
    Operation("GET", "/", "/"),
    Operation("GET", "/user/{id}", "/user/1"),
    Operation("GET", "/users", "/users"),
    Operation("GET", "/whoami", "/whoami", signed_in=True),
    Operation("GET", "/session/data/{key}", "/session/data/colour", signed_in=True),
    Operation("GET", "/signin", "/signin", 303),
    # Without a flow under way, and without a token: as far as a burst gets alone.
    Operation("GET", "/signin/callback", "/signin/callback?code=x&state=y", 400),
    Operation("GET", "/signin/profile", "/signin/profile", 401, signed_in=True),
    Operation("GET", "/files/{id}", "{file}", signed_in=True),
    Operation("GET", "/files/{id}/content", "{file}/content", signed_in=True),
    Operation("GET", "/users.csv", "/users.csv", signed_in=True),
    Operation("GET", "/metrics", "/metrics"),
    Operation("GET", "/healthz", "/healthz"),
    Operation("GET", "/readyz", "/readyz"),
    Operation("GET", "/openapi.json", "/openapi.json"),
    Operation("GET", "/docs", "/docs"),
    Operation("GET", "/docs/{name}", "/docs/swagger-ui.css"),
    Operation("POST", "/user", "/user", 201, lambda number: someone(number, house="burst.example")),
    Operation("POST", "/session", "/session", 200, _credentials),
    Operation("PUT", "/session/data/{key}", "/session/data/x", 200, lambda number: {"value": number}, signed_in=True),
    Operation("POST", "/files", "/files", 201, lambda number: b"%d" % number * 1000, signed_in=True),
    Operation("PATCH", "/user/{id}", "/user/{me}", 200, lambda number: {"name": f"Changed {number}"}, signed_in=True),
)


def settle_people(database_url: str, count: int = PEOPLE) -> None:
    """Register people without asking a server."""
    hasher = Passwords(time_cost=CHEAP_HASHES["password_time_cost"], memory_kib=CHEAP_HASHES["password_memory_kib"])
    password_hash = hasher.hash(PASSWORD)
    hasher.close()
    with connected(database_url) as db:
        for number in range(count):
            person = someone(number)
            users.create_user(db, name=person["name"], email=person["email"], password_hash=password_hash, now=NOW)


def sign_in(server: Server, number: int = 0) -> Visitor:
    """Sign one of the settled people in, and keep a value in their session."""
    cookie = send(server.port, request("POST", "/session", body=_credentials(number))).cookie()
    kept = send(server.port, request("PUT", "/session/data/colour", body={"value": "red"}, cookie=cookie))
    assert kept.status == 200, kept.received
    uploaded = send(server.port, request("POST", "/files", body=b"x" * 100_000, cookie=cookie))
    assert uploaded.status == 201, uploaded.received
    return Visitor(number + 1, cookie, f"/files/{json.loads(uploaded.body)['id']}")
