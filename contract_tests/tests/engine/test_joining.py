"""Causes that are one after all, or follow from another: none is lost, and none is laid to what it has no part in."""

from __future__ import annotations

from contract_tests.parity.causes import Causes
from contract_tests.parity.compare import compare
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.secrets import Secrets

from .toys import json_answer


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
