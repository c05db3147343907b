"""Ids that each side makes for itself are bound, not ignored: ranges may differ, a planted fault is still found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.parity import Bindings, Exchange, Inconclusive, Ledger, Pair, Request, Response
from contract_tests.parity.binding import DeclarationError, Declared

from .toys import Toy, answer, json_answer, request, text_answer

DECLARED = Declared.of(
    {
        "paths": ["/user/{id}", "/user/{user_id}/files", "/files/{id}/content"],
        "texts": ["Stored as file {file_id}"],
        "names": {"owner": "user"},
    }
)


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


def bound(declared: Declared = DECLARED) -> Bindings:
    """Bindings that know user 5 as the port's 105, file 5 as 905, and one token."""
    bindings = Bindings(declared)
    bindings.learn(request("POST", "/user"), json_answer({"id": 5}), json_answer({"id": 105}))
    bindings.learn(request("POST", "/files"), json_answer({"id": 5}), json_answer({"id": 905}))
    cookies = (answer(b"", ("Set-Cookie", f"session={letter * 24}; Path=/")) for letter in "ab")
    bindings.learn(request("POST", "/login"), *cookies)
    return bindings


A, B = "a" * 24, "b" * 24
TRANSLATED = {
    "a path": (request("GET", "/user/5"), request("GET", "/user/105")),
    "a path of another kind": (request("GET", "/files/5/content"), request("GET", "/files/905/content")),
    "a query": (request("GET", "/x?user_id=5&limit=5&q=5"), request("GET", "/x?user_id=105&limit=5&q=5")),
    "a body": (
        request("POST", "/x", b'{ "user_id": 5, "age": 5,\n "name": "5", "ids": [5], "user": {"id": 5}}'),
        request("POST", "/x", b'{ "user_id": 105, "age": 5,\n "name": "5", "ids": [5], "user": {"id": 105}}'),
    ),
    "a list of ids": (request("POST", "/x", b'{"user_ids": [5, 6]}'), request("POST", "/x", b'{"user_ids": [105, 6]}')),
    "an id as a string": (request("POST", "/x", b'{"user_id": "5"}'), request("POST", "/x", b'{"user_id": "105"}')),
    "a form": (
        request("POST", "/x", b"user_id=5&age=5", Content_Type="application/x-www-form-urlencoded"),
        request("POST", "/x", b"user_id=105&age=5", Content_Type="application/x-www-form-urlencoded"),
    ),
    "a length": (
        request("POST", "/x", b'{"user_id":5}', Content_Length="13"),
        request("POST", "/x", b'{"user_id":105}', Content_Length="15"),
    ),
    "a cookie": (
        request("GET", "/x", Cookie=f"theme=dark; session={A}"),
        request("GET", "/x", Cookie=f"theme=dark; session={B}"),
    ),
    "a bearer token": (
        request("GET", "/x", Authorization=f"Bearer {A}"),
        request("GET", "/x", Authorization=f"Bearer {B}"),
    ),
    "a token in a text": (
        request("POST", "/x", b'{"t": "is %s."}' % A.encode()),
        request("POST", "/x", b'{"t": "is %s."}' % B.encode()),
    ),
    "a token in a path": (request("GET", f"/s/{A}"), request("GET", f"/s/{B}")),
}


@pytest.mark.parametrize(("sent", "to_the_port"), TRANSLATED.values(), ids=TRANSLATED)
def test_typed_places_are_translated_whole_and_everything_else_is_left(sent: Request, to_the_port: Request) -> None:
    assert bound().translate(sent) == to_the_port


UNTOUCHED = {
    "a float": request("POST", "/x", b'{"user_id": 5.0}'),
    "a part of a number": request("GET", "/user/55"),
    "text": request("POST", "/x", b"user 5 and /user/5", Content_Type="text/plain"),
    "bytes": request("POST", "/x", b"\xff\x005"),
    "odd JSON": request("POST", "/x", b'{"a" : 1.50,\t"b":"\\u00e9" , "a":1}\n'),
    "broken JSON": request("POST", "/x", b'{"user_id": 5', Content_Type="application/json"),
    "a longer token": request("GET", "/x", Cookie=f"session={A}a"),
    "odd paths": request("GET", "/x/..//5/%2e?a=%41&&b"),
}


@pytest.mark.parametrize("sent", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched_requests_keep_their_bytes(sent: Request) -> None:
    assert bound().translate(sent) is sent


def test_an_ambiguous_translation_is_inconclusive_and_never_guessed() -> None:
    twice = Declared.of({"paths": ["/user/{id}", "/user/{file_id}"]})
    with pytest.raises(Inconclusive, match="in more than one way: /user/105, /user/905"):
        bound(twice).translate(request("GET", "/user/5"))
    with pytest.raises(Inconclusive, match="005 is another spelling"):
        bound().translate(request("GET", "/user/005"))


def test_a_reference_to_an_id_that_was_never_born_is_a_difference() -> None:
    learned = Bindings(DECLARED).learn(
        request("GET", "/files"), json_answer([{"id": 1, "owner": 3}]), json_answer([{"id": 1, "owner": 4}])
    )
    assert [(each.path, each.kind, each.original) for each in learned.differences] == [
        ("$[0].owner", "binding", "3, never seen at its own place")
    ]


def test_only_bound_leaves_may_differ_in_bytes() -> None:
    bindings = bound()
    ours, theirs = answer(b'{"id": 5}', ("Content-Type", "application/json")), answer(b'{"id":105}')
    learned = bindings.learn(request("GET", "/user/5"), ours, theirs)
    assert (learned.port.body, learned.port.header("Content-Length"), learned.differences) == (b'{"id":5}', b"8", ())


@pytest.mark.parametrize("text", [r"\u00e9 /user/%d", "é /user/%d", "é \\n /user/%d", r"\u00e9\ud800 /user/%d"])
def test_a_string_around_a_bound_id_keeps_its_spelling(text: str) -> None:
    ours, theirs = (text_answer(f'{{"see": "{text}"}}' % number) for number in (5, 105))
    learned = bound().learn(request(), ours, theirs)
    assert (learned.port, learned.differences) == (ours, ())


def test_a_text_template_and_a_text_body_refer() -> None:
    bindings = bound()
    page = request("GET", "/page")
    ours, theirs = (
        answer(b"<a href='/user/5'>Stored as file 5</a>"),
        answer(b"<a href='/user/105'>Stored as file 905</a>"),
    )
    assert bindings.learn(page, ours, theirs).port.body == ours.body
    wrong = bindings.learn(page, ours, answer(b"<a href='/user/106'>Stored as file 905</a>"))
    assert [(each.level, each.path, each.kind) for each in wrong.differences] == [("bytes", "body", "binding")]


def test_an_etag_that_is_opaque_is_born_and_then_holds() -> None:
    def tagged(tag: str) -> Response:
        return answer(b"x", ("ETag", f'"{tag}"'))

    bindings, read = Bindings(), request("GET", "/f")
    assert bindings.learn(read, tagged(A), tagged(B)).port == tagged(A)
    assert bindings.translate(request("GET", "/f", If_None_Match=f'"{A}"')).headers[-1][1] == f'"{B}"'.encode()
    assert [each.kind for each in bindings.learn(read, tagged(A), tagged("c" * 24)).differences] == ["binding"]
    assert bindings.learn(read, tagged("short-1"), tagged("short-2")).port == tagged("short-2")


def test_a_cookie_of_another_length_or_without_20_characters_is_not_opaque() -> None:
    for ours, theirs in (("a" * 24, "b" * 25), ("a" * 19, "b" * 19)):
        responses = [answer(b"", ("Set-Cookie", f"s={value}")) for value in (ours, theirs)]
        assert Bindings().learn(request(), *responses).port is not responses[0]
        assert Bindings().learn(request(), *responses).port.headers == responses[1].headers


def test_a_token_that_goes_with_two_on_the_other_side_is_a_difference() -> None:
    bindings = bound()
    again = [answer(b"", ("Set-Cookie", f"csrf={value}")) for value in (A, "c" * 24)]
    assert [str(each) for each in bindings.learn(request(), *again).differences] == [
        f"cookie csrf.value binding {A}, which the port calls {B} -> {'c' * 24}, unknown to the original"
    ]


def test_the_length_of_a_head_may_differ_by_the_width_of_its_ids() -> None:
    ours, theirs = (Response(200, ((b"Content-Length", length),)) for length in (b"20", b"24"))
    assert bound().learn(request("HEAD", "/user/5"), ours, theirs).port == ours
    other = Response(200, ((b"Content-Length", b"25"),))
    assert bound().learn(request("HEAD", "/user/5"), ours, other).port == other


def test_opaque_bindings_leave_integers_and_etags_literal() -> None:
    bindings = Bindings.opaque()
    ours, theirs = json_answer({"id": 5}, ("ETag", f'"{A}"')), json_answer({"id": 6}, ("ETag", f'"{B}"'))
    assert bindings.learn(request("POST", "/user"), ours, theirs).port == theirs
    state = [answer(b"", ("Location", f"https://id/?state={value}&a=1"), status=302) for value in (A, B)]
    assert bindings.learn(request("GET", "/login"), *state).port == state[0]
    assert bindings.translate(request("GET", f"/cb?state={A}")).target == f"/cb?state={B}".encode()


def test_no_bindings_bind_nothing() -> None:
    responses = [answer(b"", ("Set-Cookie", f"session={value}")) for value in (A, B)]
    bindings = Bindings.none()
    assert bindings.learn(request(), *responses).port is responses[1]
    sent = request("GET", "/x", Cookie=f"session={A}")
    assert bindings.translate(sent) is sent


def test_emptied_databases_forget_all_partners() -> None:
    bindings = bound()
    bindings.clear()
    assert bindings.translate(request("GET", "/user/5")).target == b"/user/5"


def test_operations_are_named_by_their_templates() -> None:
    names = [
        Bindings(DECLARED).operation(request("GET", path)) for path in ("/user/5?x=1", "/files/9/content", "/a/7/b")
    ]
    assert names == ["GET /user/{id}", "GET /files/{id}/content", "GET /a/{id}/b"]


def test_the_ledgers_table_declares_bindings_and_unknown_keys_are_named() -> None:
    ledger = Ledger.loads('[bind]\npaths = ["/u/{user_id}"]\nunordered = ["user"]\n')
    assert Declared.of(ledger.bind).typed("/u/5") == [{2: "user"}]
    with pytest.raises(DeclarationError, match="unknown key path"):
        Declared.of({"path": []})
    with pytest.raises(DeclarationError, match="paths is a list of texts"):
        Declared.of({"paths": "/u"})


def tokens(*pairs: tuple[str, str]) -> tuple[Bindings, list[str]]:
    """Bindings that have met these cookies, and the kinds of what was wrong with them."""
    bindings, found = Bindings(), []
    for pair in pairs:
        responses = [answer(b"", ("Set-Cookie", f"s={value}")) for value in pair]
        found += [each.kind for each in bindings.learn(request(), *responses).differences]
    return bindings, found


def test_a_token_of_digits_alone_is_a_token_and_no_integer() -> None:
    bindings, found = tokens(("1" * 20, "a1" * 10), ("b2" * 10, "2" * 20))
    assert found == []
    assert bindings.translate(request(Cookie=f"s={'1' * 20}")).headers[-1][1] == b"s=" + b"a1" * 10


def test_tokens_of_digits_have_no_order() -> None:
    assert tokens(("1" * 20, "9" * 20), ("2" * 20, "8" * 20))[1] == []


def test_the_stranger_for_a_token_of_digits_is_as_long_as_the_token() -> None:
    bindings, _ = tokens(("1" * 20, "2" * 20))
    sent = bindings.translate(request(Cookie=f"s={'2' * 20}")).headers[-1][1]
    assert len(sent) == len("s=") + 20
    assert sent not in (b"s=" + b"1" * 20, b"s=" + b"2" * 20)


def test_an_integer_of_any_length_keeps_its_order() -> None:
    bindings = Bindings()
    found = []
    for ours, theirs in (("1" * 5000, "7" * 5000), ("2" * 5000, "3" * 4999)):
        responses = [text_answer(f'{{"id": {number}}}', status=201) for number in (ours, theirs)]
        found.append([each.kind for each in bindings.learn(request("POST", "/user"), *responses).differences])
    assert found == [[], ["binding"]]


@pytest.mark.parametrize("length", ["9" * 5000, "0" * 5000 + "5"])
def test_the_length_of_a_head_may_have_any_number_of_digits(length: str) -> None:
    ours, theirs = (Response(200, ((b"Content-Length", value.encode()),)) for value in ("20", length))
    assert bound().learn(request("HEAD", "/user/5"), ours, theirs).port == theirs


def test_what_only_sounds_like_json_is_text() -> None:
    script = "application/jsonp"
    ours, theirs = (answer(f'"{value}"'.encode(), ("Content-Type", script)) for value in (A, "x"))
    assert bound().learn(request(), ours, theirs).differences == ()
    sent = Request("POST", b"/x", ((b"Content-Type", script.encode()),), b'"' + A.encode() + b'"')
    assert bound().translate(sent).body == f'"{B}"'.encode()
