"""Causes, not symptoms: what has one reason is told once, what has two is told twice, and nothing is lost"""

import importlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from contract_tests.parity import Bindings, Ledger, Pair, asgi, wsgi
from contract_tests.parity.cases import load_cases
from contract_tests.parity.causes import Causes
from contract_tests.parity.findings import add_findings
from contract_tests.parity.verdict import Run

from .toys import always, answer, json_answer, request, text_answer

SPECIMENS = Path(__file__).parents[1] / "specimens"
# How many entries may be told for a true cause.
ENTRIES = 1.3


@dataclass(frozen=True)
class Specimen:
    """A pair that is no one's to deploy, its cases and its true causes."""

    original: str
    port: str
    cases: Path
    ledger: Path | None = None


def specimen(name):
    here = f"contract_tests.tests.specimens.causes.{name}"
    return Specimen(f"{here}_original", f"{here}_port", SPECIMENS / "causes" / f"{name}.jsonl")


SLIDES = "contract_tests.tests.specimens.slides"
KNOWN = {
    "slides": Specimen(
        f"{SLIDES}.original", f"{SLIDES}.port", SPECIMENS / "slides/cases.jsonl", SPECIMENS / "slides/accepted.toml"
    ),
    **{name: specimen(name) for name in ("shop", "pages", "careful")},
}


@cache
def run_of(name):
    """What the cases of a specimen find: both apps are made anew for each."""
    known = KNOWN[name]
    original, port = (importlib.import_module(module) for module in (known.original, known.port))
    ledger = Ledger.load(known.ledger) if known.ledger else Ledger.empty()
    run = Run({"original": "original", "port": "port"}, noun="case")
    for case in load_cases(known.cases):
        with wsgi(original.create_app()) as ours, asgi(port.create_app()) as theirs:
            pair = Pair(ours, theirs, bindings=Bindings.opaque(), accepted=ledger)
            for step in case.steps:
                exchange = pair.exchange(step)
                add_findings(run.differences, exchange, case.name, pair.secrets)
                run.causes.add(exchange, case.name, pair.secrets)
    return run


def true_causes(name):
    return tomllib.loads((SPECIMENS / "causes" / f"{name}.toml").read_text())["cause"]


def entries_of(true, causes):
    """The entries that lead with what shows a true cause."""
    return [
        cause
        for cause in causes
        if true["shows"] in cause.fingerprints
        and true.get("original", cause.original) == cause.original
        and true.get("port", cause.port) == cause.port
    ]


@pytest.mark.parametrize("name", KNOWN)
def test_each_true_cause_is_told_by_an_entry_of_its_own(name):
    causes = run_of(name).ranked()
    told = {}
    for true in true_causes(name):
        entries = entries_of(true, causes)
        assert len(entries) == 1, (true["name"], [entry.title for entry in entries])
        assert told.setdefault(entries[0].reason, true["name"]) == true["name"]


@pytest.mark.parametrize("name", KNOWN)
def test_there_are_few_entries_for_a_true_cause(name):
    assert len(run_of(name).ranked()) <= ENTRIES * len(true_causes(name))


@pytest.mark.parametrize("name", KNOWN)
def test_no_difference_is_lost(name):
    run = run_of(name)
    told = {print_ for cause in run.ranked() for print_ in (*cause.fingerprints, *cause.folded)}
    assert told == run.differences.keys()


# What two answers differ in, each told apart from its neighbour, and how many causes it has.
JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html; charset=utf-8")
ITEM, OTHER = ("GET", "/item/5"), ("GET", "/order/5")
DETAIL = {"detail": "Not Found"}
PAGE = answer(b"<p>Not Found</p>", HTML, status=404)


def causes_of(*exchanged, case="a case"):
    """The causes of exchanges, each a request, the original's answer and the port's."""
    causes = Causes()
    for (method, target), original, port in exchanged:
        pair = Pair(always(original), always(port), bindings=Bindings.none())
        causes.add(pair.exchange(request(method, target)), case, pair.secrets)
    return causes.ranked()


ONE = {
    "another status, and all that follows": [
        (ITEM, json_answer({"id": 5}, ("ETag", '"a"'), ("Set-Cookie", "a=1")), answer(b"gone", HTML, status=410))
    ],
    "another media type, and the body": [(ITEM, json_answer({"id": 5}), answer(b"5", ("Content-Type", "text/plain")))],
    "another body, and its tag": [
        (ITEM, answer(b"one", ("ETag", '"aa"')), answer(b"other", ("ETag", '"bb"'))),
    ],
    "where a redirect leads, and its page": [
        (
            ITEM,
            answer(b"<a href=/a>a</a>", HTML, ("Location", "/a"), status=302),
            answer(b"", ("Location", "/b"), status=302),
        ),
    ],
    "error pages of two operations": [
        (ITEM, PAGE, json_answer(DETAIL, status=404)),
        (OTHER, PAGE, json_answer(DETAIL, status=404)),
    ],
    "error bodies, some with a member more": [
        (ITEM, json_answer({"error": "gone"}, status=404), json_answer(DETAIL, status=404)),
        (OTHER, json_answer({"error": "bad", "fields": ["a"]}, status=400), json_answer(DETAIL, status=400)),
    ],
    "the order of keys in two operations": [
        (ITEM, text_answer('{"a":1,"b":2}'), text_answer('{"b":2,"a":1}')),
        (OTHER, text_answer('{"c":1,"d":2}'), text_answer('{"d":2,"c":1}')),
    ],
    "a last newline": [
        (ITEM, text_answer('{"a":1}\n'), text_answer('{"a":1}')),
        (OTHER, text_answer("[1]\n"), text_answer("[1]")),
    ],
    "a header on every answer": [
        (ITEM, answer(b"", ("X-App", "1")), answer(b"")),
        (OTHER, answer(b"", ("X-App", "2")), answer(b"")),
    ],
    "a header on every answer, also where a status differs": [
        (ITEM, answer(b"", ("X-App", "1")), answer(b"")),
        (("GET", "/other"), answer(b"", ("X-App", "1")), answer(b"", status=200)),
    ],
    "times of another form": [
        (ITEM, json_answer({"made": "2024-05-01T12:30:00Z"}), json_answer({"made": "2024-05-01T12:30:00+00:00"})),
        (OTHER, json_answer({"sent": "2025-06-02T01:02:03Z"}), json_answer({"sent": "2025-06-02T01:02:03+00:00"})),
    ],
    "prices as text": [
        (ITEM, json_answer({"price": "3.50"}), json_answer({"price": 3.5})),
        (OTHER, json_answer({"total": "7.00"}), json_answer({"total": 7.0})),
    ],
    "an attribute on each cookie": [
        (ITEM, answer(b"", ("Set-Cookie", "a=1; HttpOnly")), answer(b"", ("Set-Cookie", "a=1"))),
        (OTHER, answer(b"", ("Set-Cookie", "b=2; HttpOnly")), answer(b"", ("Set-Cookie", "b=2"))),
    ],
    "a lifetime told in two ways": [
        (
            ITEM,
            answer(b"", ("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT")),
            answer(b"", ("Set-Cookie", "a=1; Max-Age=60")),
        ),
    ],
    "422 in place of 400": [
        (("POST", "/item"), answer(b"", status=400), json_answer({"detail": [{"loc": ["body", "a"]}]}, status=422)),
        (("POST", "/order"), answer(b"", status=400), json_answer({"detail": [{"loc": ["body", "b"]}]}, status=422)),
    ],
    "307 in place of 308": [
        (("GET", "/a"), answer(b"", ("Location", "/a/"), status=308), answer(b"", ("Location", "/a/"), status=307)),
        (("GET", "/b"), answer(b"", ("Location", "/b/"), status=308), answer(b"", ("Location", "/b/"), status=307)),
    ],
    "a renamed member": [(ITEM, json_answer({"madeAt": "2024-05-01"}), json_answer({"made_at": "2024-05-01"}))],
    "an envelope": [(ITEM, json_answer({"data": {"id": 1, "name": "a"}}), json_answer({"id": 1, "name": "a"}))],
    "members that are null": [
        (ITEM, json_answer({"a": None, "b": 1}), json_answer({"b": 1})),
        (OTHER, json_answer({"c": None, "d": 1}), json_answer({"d": 1})),
    ],
    "the length that HEAD tells": [
        (ITEM, json_answer({"a": 1}), json_answer({"a": 22})),
        (
            ("HEAD", "/item/5"),
            answer(b"", JSON, ("Content-Length", "8"), length=False),
            answer(b"", JSON, ("Content-Length", "9"), length=False),
        ),
    ],
    "a read behind a write that one side alone has made": [
        (("POST", "/item"), json_answer({"error": "no"}, status=400), json_answer({"id": 1}, status=201)),
        (("GET", "/item/1"), json_answer({"error": "no"}, status=404), json_answer({"id": 1})),
    ],
    "two documents": [
        (ITEM, json_answer({f"a{n}": n for n in range(30)}), json_answer({f"b{n}": -n for n in range(30)}))
    ],
}


@pytest.mark.parametrize("exchanged", ONE.values(), ids=ONE)
def test_one_reason_is_one_cause(exchanged):
    assert len(causes_of(*exchanged)) == 1, [cause.title for cause in causes_of(*exchanged)]


TWO = {
    "a type here and a value there": [
        (ITEM, json_answer({"price": 1, "stock": 7}), json_answer({"price": 1.0, "stock": 6}))
    ],
    "two values of one object": [(ITEM, json_answer({"a": "x", "b": "y"}), json_answer({"a": "1", "b": "2"}))],
    "one member missing and another extra": [(ITEM, json_answer({"tax": 19.5}), json_answer({"rebate": "none"}))],
    "small values that are alike by chance": [(ITEM, json_answer({"paid": True}), json_answer({"open": True}))],
    "two operations' own statuses": [
        (ITEM, answer(b"", status=404), answer(b"", status=410)),
        (OTHER, answer(b"", status=404), answer(b"", status=400)),
    ],
    "one pair of statuses in two operations": [
        (ITEM, answer(b"", status=409), answer(b"", status=200)),
        (OTHER, answer(b"", status=409), answer(b"", status=200)),
    ],
    "two refusals that one operation lost": [
        (("POST", "/item"), json_answer({"error": "a name is needed"}, status=400), json_answer({"id": 1}, status=201)),
        (
            ("POST", "/item"),
            json_answer({"error": "the price is too low"}, status=400),
            json_answer({"id": 1}, status=201),
        ),
    ],
    "a body and a header": [(ITEM, answer(b"one", ("Cache-Control", "no-store")), answer(b"other"))],
    "a tag of another form beside another body": [
        (ITEM, answer(b"one", ("ETag", '"aa"')), answer(b"other", ("ETag", 'W/"1-2"')))
    ],
    "two headers": [(ITEM, answer(b"", ("X-One", "1"), ("X-Two", "1")), answer(b""))],
    "one header's two values": [
        (ITEM, answer(b"", ("Cache-Control", "max-age=60")), answer(b"", ("Cache-Control", "max-age=6"))),
        (OTHER, answer(b"", ("Cache-Control", "private")), answer(b"", ("Cache-Control", "public"))),
    ],
    "two attributes of a cookie": [
        (ITEM, answer(b"", ("Set-Cookie", "a=1; HttpOnly; Secure")), answer(b"", ("Set-Cookie", "a=1"))),
    ],
    "two cookies": [(ITEM, answer(b"", ("Set-Cookie", "a=1"), ("Set-Cookie", "b=1")), answer(b""))],
    "the order of a list and the order of keys": [
        (ITEM, text_answer('{"a":[1,2],"b":2}'), text_answer('{"b":2,"a":[2,1]}')),
    ],
    "error bodies that share nothing": [
        (ITEM, json_answer({"error": "gone"}, status=404), json_answer(DETAIL, status=404)),
        (OTHER, json_answer({"message": "slow"}, status=429), json_answer({"reason": "slow"}, status=429)),
    ],
    "one name in two collections": [
        (ITEM, json_answer({"name": "a"}), json_answer({"name": "b"})),
        (OTHER, json_answer({"name": "c"}), json_answer({"name": "d"})),
    ],
    "a case and a value of one name": [
        (ITEM, json_answer({"name": "Ada"}), json_answer({"name": "ada"})),
        (ITEM, json_answer({"name": "Ada"}), json_answer({"name": "Bob"})),
    ],
    "a read behind a write of other things": [
        (("POST", "/item"), json_answer({"error": "no"}, status=400), json_answer({"id": 1}, status=201)),
        (OTHER, json_answer({"error": "no"}, status=404), json_answer({"id": 1})),
    ],
    "two pages with another text": [
        (ITEM, answer(b"<p>one</p>", HTML), answer(b"<p>two</p>", HTML)),
        (OTHER, answer(b"<p>three</p>", HTML), answer(b"<p>four</p>", HTML)),
    ],
    "a guard on two routes": [
        (ITEM, answer(b"", status=401), answer(b"mine")),
        (OTHER, answer(b"", status=401), answer(b"mine")),
    ],
}


@pytest.mark.parametrize("exchanged", TWO.values(), ids=TWO)
def test_two_reasons_are_two_causes(exchanged):
    assert len(causes_of(*exchanged)) == 2, [cause.title for cause in causes_of(*exchanged)]


def test_what_is_seen_without_the_write_too_does_not_follow_from_it():
    written = (("POST", "/item"), json_answer({"error": "no"}, status=400), json_answer({"id": 1}, status=201))
    read = (("GET", "/item/1"), json_answer({"error": "no"}, status=404), json_answer({"id": 1}))
    causes = Causes()
    for case, exchanged in (("both", (written, read)), ("the read alone", (read,))):
        for (method, target), original, port in exchanged:
            pair = Pair(always(original), always(port), bindings=Bindings.none())
            causes.add(pair.exchange(request(method, target)), case, pair.secrets)
    assert [cause.title for cause in causes.ranked()] == [
        "POST /item: 400 becomes 201 (no)",
        "GET /item/{id}: 404 becomes 200 (no)",
    ]


def test_a_guard_that_was_lost_comes_first_and_the_order_of_keys_last():
    causes = causes_of(
        (ITEM, text_answer('{"a":1,"b":2}'), text_answer('{"b":2,"a":1}')),
        (OTHER, json_answer({"a": 1}), answer(b"", status=500)),
        (("GET", "/mine"), answer(b"", status=401), answer(b"mine")),
        (("GET", "/list"), json_answer([1, 2]), json_answer([2, 1])),
    )
    assert [cause.reason.name for cause in causes] == ["guard", "crash", "list-order", "key-order"]


def test_a_cookie_or_a_token_that_an_answer_sets_is_no_secret_that_the_client_sent():
    causes = causes_of(
        (ITEM, answer(b"", ("Set-Cookie", "session=0123456789abcdef")), answer(b"")),
        (OTHER, json_answer({"token": "0123456789"}), json_answer({"access_token": "0123456789"})),
    )
    assert [(cause.reason.name, cause.exposes) for cause in causes] == [("renamed", None), ("cookie", None)]


def test_a_cookie_that_the_client_sent_and_one_side_sets_again_is_no_leak():
    sent = request("GET", "/item/5", Cookie="session=0123456789abcdef")
    pair = Pair(always(answer(b"", ("Set-Cookie", "session=0123456789abcdef"))), always(answer(b"")))
    run = Run({"original": "a", "port": "b"}, noun="case")
    run.found(pair.exchange(sent), "a case", pair.secrets)
    assert [(cause.reason.name, cause.exposes) for cause in run.ranked()] == [("cookie", None)]
    assert [found.exposes for found in run.differences.values()] == [None]


def test_a_header_that_is_missing_everywhere_is_told_there_where_a_status_differs_too():
    header, status = causes_of(
        (ITEM, answer(b"", ("X-App", "1")), answer(b"")),
        (OTHER, answer(b"", ("X-App", "1"), status=404), answer(b"", status=410)),
    )[::-1]
    assert list(header.fingerprints) == ["GET /item/{id} header X-App missing", "GET /order/{id} header X-App missing"]
    assert (list(header.operations), list(status.folded)) == (["GET /item/{id}", "GET /order/{id}"], [])


def test_a_password_that_an_answer_shows_is_a_security_cause_whoever_sent_it():
    (cause,) = causes_of((ITEM, json_answer({"a": 1}), json_answer({"a": 1, "password_hash": "$argon2id$v=19"})))
    assert (cause.reason.name, cause.exposes) == ("secret", "port")
    assert "argon2id" not in str(cause.as_json())


def test_a_secret_that_is_shown_does_not_fold_under_another_status():
    sent = request("POST", "/user", b'{"password": "hunter2-here", "name": 3}')
    original, port = (
        json_answer({"id": 1}, status=201),
        json_answer({"detail": [{"input": "hunter2-here"}]}, status=422),
    )
    pair = Pair(always(original), always(port), bindings=Bindings.none())
    causes = Causes()
    causes.add(pair.exchange(sent), "a case", pair.secrets)
    assert [cause.reason.name for cause in causes.ranked()] == ["secret", "status"]


def test_what_a_control_run_takes_away_is_in_no_cause():
    run = Run({"original": "a", "port": "b"}, noun="case")
    pair = Pair(
        always(json_answer({"a": 1, "b": 1})), always(json_answer({"a": 2, "b": "x"})), bindings=Bindings.none()
    )
    exchange = pair.exchange(request("GET", "/item/5"))
    add_findings(run.differences, exchange, "a case", pair.secrets)
    run.causes.add(exchange, "a case", pair.secrets)
    del run.differences["GET /item/{id} json $.a value"]
    assert [list(cause.fingerprints) for cause in run.ranked()] == [["GET /item/{id} json $.b type"]]


def test_the_causes_of_two_runs_are_joined():
    one, other = Causes(), Causes()
    for causes, target in ((one, "/a"), (other, "/b")):
        pair = Pair(always(answer(b"", ("X-App", "1"))), always(answer(b"")), bindings=Bindings.none())
        causes.add(pair.exchange(request("GET", target)), f"case {target}", pair.secrets)
    one.merge(other)
    (cause,) = one.ranked()
    assert list(cause.operations) == ["GET /a", "GET /b"]
    assert cause.cases == ["case /a", "case /b"]
    # What is told is a copy: the next exchange must find the causes as they were gathered.
    cause.take(cause.copied())
    assert one.ranked()[0].operations.total() == 2


def test_many_wordings_of_one_refusal_are_one_cause():
    causes = causes_of(
        *(
            (
                ("POST", "/item"),
                json_answer({"error": f"{word} is not right"}, status=400),
                json_answer({"id": 1}, status=201),
            )
            for word in ("name", "price", "stock", "color", "size")
        )
    )
    assert len(causes) == 1
