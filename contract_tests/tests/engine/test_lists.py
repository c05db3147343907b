"""Lists whose elements come in another order, or are others, are told as that; and a list is asked for its last page"""

import json
from dataclasses import replace

import pytest

from contract_tests.parity import Request, Response
from contract_tests.parity.causes import Causes
from contract_tests.parity.compare import compare
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.hints import Hints
from contract_tests.parity.known import Known, Recipe
from contract_tests.parity.making import JSON, request, with_body
from contract_tests.parity.operations import Operation, Operations, Parameter
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.sources.scouting import way_to
from contract_tests.parity.sources.sequences import sequences, worded

BOTH = frozenset({"original", "port"})
BOOKS = [
    {"isbn": "111111", "title": "apple", "year": 1999, "author": "Ann"},
    {"isbn": "222222", "title": "Banana", "year": 2003, "author": "Bo"},
    {"isbn": "333333", "title": "cherry", "year": None, "author": "Ann"},
]


def answer(value):
    return Response(200, ((b"Content-Type", b"application/json"),), json.dumps(value).encode())


def differ(original, port):
    return [f"{each.path} {each.kind}" for each in compare(answer(original), answer(port))]


def titles(*pairs):
    causes = Causes()
    for number, (original, port) in enumerate(pairs):
        sides = answer(original), answer(port)
        exchange = Exchange("GET /books", Request("GET", b"/books"), Request("GET", b"/books"), *sides, compare(*sides))
        causes.add(exchange, f"case {number}", Secrets())
    return [cause.title for cause in causes.ranked()]


def otherwise(books, **changes):
    """The same with its keys in another order, and some values otherwise."""
    return [{key: changes.get(key, value) for key, value in reversed(book.items())} for book in books]


def test_another_order_is_told_whatever_else_differs_in_the_elements():
    moved = [BOOKS[1], BOOKS[0], BOOKS[2]]
    assert differ(BOOKS, moved) == ["$ order"]
    assert differ(BOOKS, otherwise(moved)) == ["$ order", "$[0] order", "$[1] order", "$[2] order"]
    # Elements are held against those of the same isbn.
    years = [book | {"year": book["year"] and str(book["year"])} for book in moved]
    assert differ(BOOKS, years) == ["$ order", "$[0].year type", "$[1].year type"]


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        # No member tells which is which.
        ([{"n": 1}, {"n": 1}], [{"n": 1}, {"n": 2}], ["$[1].n value"]),
        ([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 3}], ["$[1].id value"]),
        (
            [{"id": 1, "n": 1}, {"id": 2, "n": 2}],
            [{"id": 1, "n": 2}, {"id": 2, "n": 1}],
            ["$[0].n value", "$[1].n value"],
        ),
        (
            [{"t": "a", "n": 1}, {"t": "b", "n": 2}],
            [{"t": "a", "n": 2}, {"t": "b", "n": 1}],
            ["$[0].n value", "$[1].n value"],
        ),
        ([1, 2], [2, 1], ["$ order"]),
    ],
)
def test_elements_in_one_order_are_compared_by_their_place(ours, theirs, told):
    assert differ(ours, theirs) == told


def test_a_page_that_shows_another_element_is_one_cause():
    assert titles((BOOKS[:1], BOOKS[1:2])) == ["GET /books: the list: other elements"]
    assert titles(({"items": BOOKS[:1]}, {"items": BOOKS[1:2]})) == ["GET /books: items: other elements"]


def test_a_page_in_another_order_follows_from_the_order():
    moved = [BOOKS[1], BOOKS[0], BOOKS[2]]
    assert titles((BOOKS, moved), (BOOKS[:1], moved[:1])) == ["GET /books: the list: another order"]


def test_an_element_that_differs_in_little_is_the_same_one():
    assert titles((BOOKS[:1], otherwise(BOOKS[:1], title="apples", author="Anne"))) != [
        "GET /books: the list: other elements"
    ]


def test_json_with_other_escapes_alone_is_spelled_in_another_way():
    escaped = Response(200, ((b"Content-Type", b"application/json"),), b'{"name": "\\u00dfda"}\n')
    plain = replace(escaped, body='{"name": "\u00dfda"}'.encode())
    exchange = Exchange("GET /a", Request("GET", b"/a"), Request("GET", b"/a"), escaped, plain, compare(escaped, plain))
    causes = Causes()
    causes.add(exchange, "a case", Secrets())
    assert [cause.title for cause in causes.ranked()] == ["GET /a: JSON values are spelled in another way"]


def known(*recipes, hints=None):
    made = Known(Operations([each.operation for each in recipes]), hints=hints or {})
    made.recipes = {each.operation.name: each for each in recipes}
    return made


def recipe(method, template, *, body=None, **more):
    names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
    operation = Operation(method, template, BOTH, tuple(Parameter(name, "path", {}, required=True) for name in names))
    last = with_body(method, template, body) if body is not None else request(method, template)
    return Recipe(operation, (last,), ({},), 200, body, JSON if body is not None else None, **more)


def test_a_list_is_asked_for_the_page_that_it_just_fills_by_the_names_that_the_app_reads():
    maker = recipe("POST", "/books", body={"isbn": "1234567890123"}, made="$.id")
    listed = recipe("GET", "/books", elements=4)
    world = known(maker, listed, hints={("GET", "/books"): Hints(query=["q", "page", "per_page"])})
    asked = {step.target for case in sequences(world) for step in case.steps if b"per_page=" in step.target}
    assert {b"/books?page=6&per_page=1", b"/books?page=7&per_page=1", b"/books?page=8&per_page=1"} <= asked
    assert b"/books?page=1&per_page=7" in asked


def test_things_that_are_made_below_others_are_found_at_their_own_place():
    lend = recipe("POST", "/books/{isbn}/loans", made="$.id", values={"isbn": "1"})
    back = recipe("POST", "/loans/{loan_id}/return")
    steps, keeps, values = way_to(known(lend, back), back.operation)
    assert [step.target for step in steps] == [lend.last.target]
    assert keeps == ({"p_loan_id": "$.id"},)
    assert values == {"loan_id": "{{p_loan_id}}"}


def test_texts_of_digits_are_others_in_each_thing_that_is_made():
    first = with_body("POST", "/books", {"isbn": "9780000000019", "n": 12345678, "short": "1234"})
    bodies = [json.loads(worded(first, number).body) for number in range(3)]
    assert [body["isbn"] for body in bodies] == ["9780000000019", "9780000000010", "9780000000011"]
    assert {(body["n"], body["short"]) for body in bodies} == {(12345678, "1234")}
