"""Causes that are one after all, or follow from another: none is lost, and none is laid to what it has no part in."""

from __future__ import annotations

import pytest

from contract_tests.parity.causes import Causes
from contract_tests.parity.compare import compare
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.secrets import Secrets

from .toys import answer, json_answer


def exchanged(operation: str, target: str, original: Response, port: Response) -> Exchange:
    asked = Request(operation.partition(" ")[0], target.encode())
    return Exchange(operation, asked, asked, original, port, tuple(compare(original, port)))


def causes_of(*exchanges: Exchange, cases: bool = True) -> Causes:
    """What is gathered of exchanges, each in a case of its own or all in one."""
    causes = Causes()
    for number, exchange in enumerate(exchanges):
        causes.add(exchange, f"case {number if cases else 0}", Secrets())
    return causes


def names(causes: Causes) -> list[str]:
    return [cause.reason.name for cause in causes.ranked()]


TEN, THIRTY = json_answer({"price": 10}), json_answer({"price": 30})


def test_what_is_met_in_an_unusual_request_first_is_not_lost():
    unusual = exchanged("GET /items", "/items?a=1&a=2", TEN, THIRTY)
    usual = exchanged("GET /items", "/items", TEN, THIRTY)
    for order in ((unusual, usual), (usual, unusual)):
        (cause,) = causes_of(*order).ranked()
        assert (cause.reason.name, cause.seen) == ("value", 2)


def test_a_cause_of_which_a_part_has_no_usual_reason_is_not_merged_whole():
    repeated = exchanged("GET /users", "/users?a=1&a=2", json_answer({}), json_answer({}, status=403))
    unusual = exchanged("GET /items", "/items?a=1&a=2", TEN, THIRTY)
    usual = exchanged("GET /items", "/items", TEN, THIRTY)
    assert sorted(names(causes_of(repeated, unusual, usual))) == ["input", "value"]


def test_a_refused_path_value_is_not_laid_to_a_price_that_differs():
    detail = json_answer({"detail": [{"loc": ["path", "id"]}]}, status=422)
    refused = exchanged("GET /users/{id}", "/users/abc", json_answer({}, status=404), detail)
    one, other = (exchanged("GET /items/{id}", f"/items/{each}", TEN, THIRTY) for each in ("1", "01"))
    for order in ((refused, one, other), (other, one, refused)):
        found = {cause.reason.name: list(cause.operations) for cause in causes_of(*order).ranked()}
        assert found == {"path-value": ["GET /users/{id}"], "value": ["GET /items/{id}"]}


def head_of(path: str, length: int | None, other: int | None) -> Exchange:
    sides = (
        answer(b"", *([("Content-Length", str(each))] if each is not None else []), length=False)
        for each in (length, other)
    )
    return exchanged(f"HEAD {path}", path, *sides)


def test_a_length_that_head_tells_on_one_side_alone_does_not_follow_from_a_value():
    get = exchanged("GET /a", "/a", json_answer({"price": 1}), json_answer({"price": 20}))
    missing = [head_of(path, 9, None) for path in ("/a", "/b")]
    assert sorted(names(causes_of(get, *missing))) == ["header", "value"]


def test_another_header_of_a_head_alone_stays_what_it_is():
    get = exchanged("GET /a", "/a", json_answer({"price": 1}), json_answer({"price": 20}))
    sides = (answer(b"", ("Allow", each), length=False) for each in ("GET", "GET, HEAD"))
    assert sorted(names(causes_of(get, exchanged("HEAD /a", "/a", *sides)))) == ["allow", "value"]


def test_lengths_that_head_tells_follow_where_each_get_differs():
    gets = [
        exchanged("GET /a", "/a", json_answer({"price": 1}), json_answer({"price": 20})),
        exchanged("GET /c", "/c", json_answer({"name": "abc"}), json_answer({"name": "wxyz"})),
    ]
    one, two, other = (head_of(path, 9, 10) for path in ("/a", "/c", "/b"))
    found = {tuple(cause.operations): [*cause.folded] for cause in causes_of(*gets, one, two).ranked()}
    assert found == {
        ("GET /a",): ["HEAD /a header Content-Length value"],
        ("GET /c",): ["HEAD /c header Content-Length value"],
    }
    assert sorted(names(causes_of(*gets, one, two, other))) == ["header", "value", "value"]


TAX = exchanged("GET /tax", "/tax", json_answer({"rate": 19}), json_answer({"rate": 7}))
BORN = exchanged("POST /items", "/items", json_answer({"id": 1}, status=201), json_answer({"id": 2}, status=201))
REFUSED = exchanged("POST /items", "/items", json_answer({"id": 1}, status=201), answer(b"", status=409))


@pytest.mark.parametrize("write", [BORN, REFUSED], ids=["another id", "one side alone"])
def test_a_value_of_another_collection_does_not_follow_from_a_write(write):
    assert len(causes_of(write, TAX, cases=False).ranked()) == 2


@pytest.mark.parametrize(
    "read",
    [
        exchanged("GET /items/last", "/items/last", json_answer({"name": "a"}), json_answer({"name": "b"})),
        exchanged("GET /home", "/home", json_answer([{"id": 1}, {"id": 2}]), json_answer([{"id": 1}])),
        exchanged("GET /stats", "/stats", json_answer({"shop": {"total": 5}}), json_answer({"shop": {"total": 4}})),
    ],
    ids=["the same collection", "elements", "a count"],
)
def test_what_a_write_may_have_made_follows_from_it(read):
    assert len(causes_of(REFUSED, read, cases=False).ranked()) == 1


def test_another_id_is_another_one_in_other_collections_too():
    order = exchanged("GET /orders", "/orders", json_answer({"item": 1}), json_answer({"item": 2}))
    assert len(causes_of(BORN, order, cases=False).ranked()) == 1


def test_a_value_of_other_things_that_was_alike_without_the_write_follows_from_it():
    alike, apart = json_answer({"balance": 62.5}), json_answer({"balance": 12.5})
    before = exchanged("GET /accounts", "/accounts", alike, alike)
    after = exchanged("GET /accounts", "/accounts", alike, apart)
    found = causes_of(before, cases=False)
    found.merge(causes_of(REFUSED, after, cases=False))
    assert names(found) == ["status"]


@pytest.mark.parametrize("wrapped", [False, True], ids=["a list", "a list in an object"])
def test_in_a_list_with_other_elements_a_value_of_the_same_element_is_a_cause_of_its_own(wrapped):
    def listed(*elements):
        items = [{"id": number, "price": price} for number, price in elements]
        return json_answer({"items": items} if wrapped else items)

    one_same = exchanged("GET /items", "/items", listed((1, 10), (2, 20)), listed((1, 30), (9, 27)))
    told = {cause.reason.name: (len(cause.fingerprints), len(cause.folded)) for cause in causes_of(one_same).ranked()}
    assert told == {"elements": (1, 1), "value": (1, 0)}
    missing = exchanged("GET /items", "/items", listed((1, 10), (2, 20)), listed((1, 30)))
    assert sorted(names(causes_of(missing))) == ["elements", "value"]
    all_other = exchanged("GET /items", "/items", listed((1, 10), (2, 20)), listed((8, 30), (9, 27)))
    assert names(causes_of(all_other)) == ["elements"]


def test_what_elements_without_an_id_say_follows_from_their_number():
    listed = [json_answer([{"price": each} for each in prices]) for prices in ((10, 20, 30), (20, 37))]
    assert names(causes_of(exchanged("GET /items", "/items", *listed))) == ["elements"]
