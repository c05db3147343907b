"""Ids that each side makes for itself are bound, not ignored: ranges may differ, a planted fault is still found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.parity import Bindings, Exchange, Pair, Request, Response
from contract_tests.tests.engine.declared import DECLARED

from .toys import Toy, answer, json_answer, request


class Shop:
    """A small service with users, files and sessions that makes its own ids and tokens."""

    def __init__(self, *, first: int, step: int, salt: str, fault: str = "") -> None:
        self.next, self.step, self.salt, self.fault = first, step, salt, fault
        self.users: dict[int, str] = {}
        self.files: list[tuple[int, int]] = []
        self.sessions: dict[str, int] = {}

    def answer(self, sent: Request) -> Response:
        path, _, query = sent.target.decode().partition("?")
        routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("POST", r"/user", self.create),
            ("GET", r"/user", self.listing),
            ("GET", r"/user/([0-9]+)", self.read),
            ("DELETE", r"/user/([0-9]+)", self.delete),
            ("POST", r"/user/([0-9]+)/files", self.upload),
            ("GET", r"/files", self.find),
            ("POST", r"/login", self.login),
            ("GET", r"/me", self.me),
        ]
        for method, pattern, handler in routes:
            found = re.fullmatch(pattern, path)
            if found and method == sent.method:
                return handler(sent, *map(int, found.groups()), **({"query": query} if handler == self.find else {}))
        return json_answer({"title": "Not Found"}, status=404)

    def create(self, sent: Request) -> Response:
        made = self.next
        if self.fault != "the same id twice" or not self.users:
            self.next += -self.step if self.fault == "ids in reverse order" else self.step
        else:
            made = next(iter(self.users))
        self.users[made] = json.loads(sent.body)["name"]
        told = str(made) if self.fault == "an id as a string" else made
        place = min(self.users) if self.fault == "another's id in Location" else made
        return json_answer({"id": told, "name": self.users[made]}, ("Location", f"/user/{place}"), status=201)

    def listing(self, _sent: Request) -> Response:
        items: list[dict[str, Any]] = [{"id": key, "name": name} for key, name in sorted(self.users.items())]
        if self.fault == "ids swapped in a list" and len(items) > 1:
            items[0]["id"], items[1]["id"] = items[1]["id"], items[0]["id"]
        return json_answer({"items": items, "limit": 41})

    def read(self, _sent: Request, user: int) -> Response:
        if user not in self.users:
            return json_answer({"title": "Not Found"}, status=404)
        shown = min(self.users) if self.fault == "another's id in a body" else user
        linked = min(self.users) if self.fault == "another's id in a link" else user
        return json_answer({"id": shown, "name": self.users[user], "self": f"/user/{linked}"})

    def delete(self, _sent: Request, user: int) -> Response:
        return answer(b"", status=204 if self.users.pop(user, None) else 404)

    def upload(self, _sent: Request, user: int) -> Response:
        if user not in self.users:
            return json_answer({"title": "Not Found"}, status=404)
        made = self.next * 10
        self.next += self.step
        self.files.append((made, user))
        owner = min(self.users) if self.fault == "another's file" else user
        location = ("Location", f"/files/{made}/content")
        return json_answer({"id": made, "owner": owner, "title": f"Stored as file {made}"}, location, status=201)

    def find(self, _sent: Request, query: str) -> Response:
        wanted = dict(part.split("=") for part in query.split("&") if part).get("user_id")
        return json_answer([{"id": made, "owner": user} for made, user in self.files if wanted in (None, str(user))])

    def login(self, sent: Request) -> Response:
        user = json.loads(sent.body)["user_id"]
        if user not in self.users:
            return json_answer({"title": "Forbidden"}, status=403)
        token = f"{self.salt}{len(self.sessions):028d}"
        self.sessions[token] = user
        return json_answer({"user_id": user}, ("Set-Cookie", f"session={token}; Path=/; HttpOnly"))

    def me(self, sent: Request) -> Response:
        cookie = next((value.decode() for name, value in sent.headers if name == b"Cookie"), "")
        user = self.sessions.get(cookie.partition("session=")[2])
        if user is None and self.fault == "a foreign cookie accepted" and cookie:
            user = min(self.users)
        return json_answer({"user_id": user}) if user is not None else json_answer({}, status=401)


def live(*, first: int = 101, step: int = 1, fault: str = "") -> Pair:
    original, port = Shop(first=1, step=1, salt="aaaa"), Shop(first=first, step=step, salt="bbbb", fault=fault)
    return Pair(Toy(original.answer), Toy(port.answer), bindings=Bindings(DECLARED))


def ask(pair: Pair, method: str, target: str, body: object = None, **headers: str) -> Exchange:
    return pair.exchange(request(method, target, b"" if body is None else json.dumps(body).encode(), **headers))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "read", "delete", "list", "upload", "find", "login", "me", "unknown"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


def walk(pair: Pair, steps: list[tuple[str, int]]) -> list[Exchange]:
    """Run a sequence, as a client that knows the original's ids only."""
    users: list[int] = []
    cookies: list[str] = []
    done = []
    for step, pick in steps:
        user = users[pick % len(users)] if users else 7
        cookie = cookies[pick % len(cookies)] if cookies else "session=" + "x" * 32
        sent: dict[str, tuple[Any, ...]] = {
            "create": ("POST", "/user", {"name": f"n{len(users)}", "age": 41}),
            "read": ("GET", f"/user/{user}"),
            "delete": ("DELETE", f"/user/{user}"),
            "list": ("GET", "/user?limit=41"),
            "upload": ("POST", f"/user/{user}/files", {}),
            "find": ("GET", f"/files?user_id={user}"),
            "login": ("POST", "/login", {"user_id": user}),
            "unknown": ("GET", f"/user/{100 + pick}"),
        }
        exchange = ask(pair, "GET", "/me", Cookie=cookie) if step == "me" else ask(pair, *sent[step])
        done.append(exchange)
        if step == "create":
            users.append(json.loads(exchange.original.body)["id"])
        if step == "login" and exchange.original.status == 200:
            cookies.append((exchange.original.header("Set-Cookie") or b"").decode().partition(";")[0])
    return done


@settings(derandomize=True, max_examples=120, deadline=None)
@given(STEPS, st.sampled_from([(1, 1), (101, 1), (2, 1), (5000, 7), (99, 1)]))
def test_ids_in_other_ranges_give_no_false_difference(steps: list[tuple[str, int]], ids: tuple[int, int]) -> None:
    for exchange in walk(live(first=ids[0], step=ids[1]), steps):
        assert exchange.differences == (), exchange


SCRIPT = [
    *(("create", 0), ("create", 0), ("create", 0), ("list", 0), ("read", 2)),
    *(("upload", 2), ("find", 2), ("login", 1), ("me", 0), ("unknown", 1)),
]
FAULTS = {
    "the same id twice": "json $.id binding",
    "ids in reverse order": "json $.id binding",
    "an id as a string": "json $.id type",
    "another's id in Location": "header Location binding",
    "another's id in a body": "json $.id binding",
    "another's id in a link": "json $.self binding",
    "ids swapped in a list": "json $.items[*].id binding",
    "another's file": "json $.owner binding",
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.items(), ids=FAULTS)
def test_a_planted_id_fault_is_found(fault: str, told: str) -> None:
    found = {print_ for each in walk(live(fault=fault), SCRIPT) for print_ in each.fingerprints}
    assert any(print_.endswith(told) for print_ in found), found


def test_the_script_of_the_faults_is_alike_without_a_fault() -> None:
    assert [each.differences for each in walk(live(), SCRIPT)] == [()] * len(SCRIPT)


def test_a_foreign_cookie_that_the_port_accepts_is_found() -> None:
    pair = live(fault="a foreign cookie accepted")
    walk(pair, [("create", 0), ("login", 0)])
    exchange = ask(pair, "GET", "/me", Cookie="session=" + "y" * 32)
    assert exchange.fingerprints[0] == "GET /me status status value"


def test_the_ports_own_cookie_is_a_strangers_to_it() -> None:
    pair = live()
    walk(pair, [("create", 0), ("login", 0)])
    exchange = ask(pair, "GET", "/me", Cookie="session=bbbb" + "0" * 28)
    assert exchange.differences == ()
    assert exchange.original.status == 401


def test_an_id_that_only_the_port_uses_is_sent_as_one_that_nobody_has() -> None:
    pair = live()
    walk(pair, [("create", 0)])
    exchange = ask(pair, "GET", "/user/101")
    assert (exchange.port_request.target, exchange.differences) == (b"/user/2000000000", ())
    assert ask(pair, "GET", "/user/999").port_request.target == b"/user/999"


def test_in_an_undeclared_path_an_integer_after_a_name_is_an_id_of_that_name() -> None:
    shown = Toy(lambda sent: json_answer({"seen": sent.target.decode()}))
    pair = Pair(shown, Toy(shown.answer), bindings=Bindings(DECLARED))
    pair.bindings.learn(request("POST", "/user"), json_answer({"id": 5}), json_answer({"id": 105}))
    exchange = ask(pair, "GET", "/user/5/undeclared/x")
    assert (exchange.port_request.target, exchange.differences) == (b"/user/105/undeclared/x", ())
    assert ask(pair, "GET", "/by-number?n=5").port_request.target == b"/by-number?n=5"
