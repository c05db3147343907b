"""The smallest case of a cause shows that cause, not another difference in the same place"""

import json

import pytest

from contract_tests.parity.cases import case_of
from contract_tests.parity.checking import Check
from contract_tests.parity.ledger import Ledger

from .toys import Toy, json_answer


def case(name, **members):
    return case_of({"case": name, "source": "mutated", "steps": [{"method": "POST", "target": "/note", **members}]})


def original(request):
    """Refuses what is no JSON, and what is no whole number."""
    if (b"Content-Type", b"application/json") not in request.headers:
        return json_answer({"error": "no JSON"}, status=415)
    price = json.loads(request.body).get("price")
    if isinstance(price, str):
        return json_answer({"error": "a price is needed"}, status=400)
    return json_answer({"price": price}, status=201)


def port(request):
    """Takes numbers in quotes, and says of all the rest that it does not fit."""
    if (b"Content-Type", b"application/json") not in request.headers:
        return json_answer({"detail": []}, status=422)
    price = json.loads(request.body).get("price")
    return json_answer({"price": 0.5 if price is True else float(price or 0)}, status=201)


STRICT = case("a number in quotes", json={"price": "12", "title": "a"})
FLOAT = case("a whole number", json={"price": 12, "title": "a"})
TRUE = case("true", json={"price": True, "title": "a"})


@pytest.fixture
def smallest():
    def smallest(*cases, until=float("inf")):
        kept = []
        check = Check(Toy(original), Toy(port), Ledger.empty(), own_ids=False, rewinds=True)
        check.run(cases)
        check.smallest(lambda each, _: kept.append(each), until=until)
        return {each.reason.title: each for each in check.finish().ranked()}, kept

    return smallest


def test_a_status_is_shown_with_a_request_that_gets_this_status(smallest):
    causes, kept = smallest(STRICT)
    ((title, cause),) = causes.items()
    assert "400 becomes 201" in title
    assert (cause.exchange["original"]["status"], cause.exchange["port"]["status"]) == (400, 201)
    assert cause.exchange["request"]["body"] == '{"price": "12"}'
    assert [each.steps[0].body for each in kept] == [b'{"price": "12"}']


def test_each_cause_in_one_place_is_shown_with_a_request_of_its_own(smallest):
    causes, kept = smallest(FLOAT, TRUE)
    shown = {title: (each.exchange["request"]["body"], each.original, each.port) for title, each in causes.items()}
    assert shown == {
        "integer becomes float": ('{"price": 12}', "12", "12.0"),
        "price: boolean becomes float": ('{"price": true}', "true", "0.5"),
    }
    assert all(each.exchange["request"]["body"] in each.curl for each in causes.values())
    assert sorted(each.steps[0].body for each in kept) == [b'{"price": 12}', b'{"price": true}']


def test_without_time_each_cause_is_told_with_the_request_that_first_showed_it(smallest):
    causes, kept = smallest(FLOAT, TRUE, until=0)
    assert {each.exchange["request"]["body"] for each in causes.values()} == {
        '{"price": 12, "title": "a"}',
        '{"price": true, "title": "a"}',
    }
    assert kept == [FLOAT, TRUE]
