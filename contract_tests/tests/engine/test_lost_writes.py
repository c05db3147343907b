"""A write that one side loses, and rules that it lacks, are told once, in whatever reads and refusals they show"""

import json

import pytest

from contract_tests.parity import Request, Response
from contract_tests.parity.causes import Causes
from contract_tests.parity.pair import Pair
from contract_tests.parity.secrets import Secrets
from contract_tests.tests.engine.toys import Toy

JSON = (b"Content-Type", b"application/json")
OLD, NEW = {"id": 1, "name": "old", "tags": ["a"], "stock": 3}, {"id": 1, "name": "new", "tags": [], "stock": 4.5}


def answer(value, status=200, location=None):
    headers = (JSON,) if location is None else (JSON, (b"Location", location))
    return Response(status, headers, b"" if value is None else json.dumps(value).encode())


def told(*steps):
    """The titles of the causes of one case: steps are method, path, and what both sides answer."""
    causes = Causes()
    for method, path, ours, theirs, *sent in steps:
        pair = Pair(Toy(lambda _, ours=ours: ours), Toy(lambda _, theirs=theirs: theirs), bindings=None)
        exchange = pair.exchange(Request(method, path.encode(), (JSON,), json.dumps(sent[0]).encode() if sent else b""))
        causes.add(exchange, sent[1] if len(sent) > 1 else "a case", Secrets())
    return [cause.title for cause in causes.ranked()]


def alike(method, path, value, status=200):
    return method, path, answer(value, status), answer(value, status)


def read(path, ours, theirs):
    return "GET", path, answer(ours), answer(theirs)


MADE = alike("POST", "/items", OLD, 201)
CHANGED = alike("PUT", "/items/1", NEW)


def test_a_lost_update_is_one_cause_in_all_reads():
    of_list = read("/items", {"items": [NEW]}, {"items": [OLD]})
    assert told(MADE, CHANGED, read("/items/1", NEW, OLD), of_list) == [
        "the port shows what was there before PUT /items/{id}"
    ]


def test_a_read_that_shows_no_write_is_one_cause_for_all_writes():
    patched = alike("PATCH", "/items/1", NEW)
    first = [MADE, CHANGED, read("/items/1", NEW, OLD)]
    causes = told(*first, *[(*step, {}, "another case") for step in (MADE, patched, read("/items/1", NEW, OLD))])
    assert causes == ["GET /items/{id}: the port shows what was there before PUT /items/{id}"]


def test_a_lost_deletion_is_one_cause_in_all_reads():
    gone = "GET", "/items/1", answer({"error": "none"}, 404), answer(OLD)
    of_list = read("/items", {"items": []}, {"items": [OLD]})
    assert told(MADE, alike("DELETE", "/items/1", None, 204), gone, of_list) == [
        "the port shows what was there before DELETE /items/{id}"
    ]


def test_what_only_one_member_loses_is_told_by_its_name():
    kept = NEW | {"name": "old"}
    assert told(MADE, CHANGED, read("/items/1", NEW, kept)) == [
        "GET /items/{id}: the port shows name as it was before PUT /items/{id}"
    ]
    assert told(MADE, ("PUT", "/items/1", answer(NEW), answer(kept))) == [
        "PUT /items/{id}: the port shows name as it was before PUT /items/{id}"
    ]


def test_a_page_that_stays_as_it_was_is_told_so():
    def page(text):
        return Response(200, ((b"Content-Type", b"text/html"),), f"<html><p>{text}</p></html>".encode())

    before = "GET", "/notes/1", page("old"), page("old")
    after = "GET", "/notes/1", page("new"), page("old")
    assert told(before, alike("PUT", "/notes/1", None, 204), after) == [
        "GET /notes/{id}: the port shows what was there before PUT /notes/{id}"
    ]


@pytest.mark.parametrize(
    "read_back",
    [
        # What is another value in both is no write that was lost.
        ({"id": 1, "name": "new", "tags": [], "stock": 4.5}, {"id": 1, "name": "neu", "tags": [], "stock": 4.5}),
        # The original did not change it either.
        (OLD, OLD | {"stock": 7}),
    ],
)
def test_another_value_is_no_lost_write(read_back):
    assert not any("was there before" in title or "as it was" in title for title in told(MADE, CHANGED, read("/items/1", *read_back)))  # fmt: skip  # noqa: E501


def refused(path, message, *, method="POST", port=None):
    return (
        method,
        path,
        answer({"error": message}, 400),
        port or answer({"id": 1}, 201),
        {"name": ""},
        f"{path} {message} {method}",
    )


def test_a_rule_that_several_operations_lack_is_one_cause():
    steps = [refused("/items", "name is required"), refused("/items/1", "name is required", method="PUT")]
    assert len(told(*steps)) == 1
    # Words that fit any rule say nothing of which one it is.
    steps = [refused("/items", "invalid input"), refused("/items/1", "invalid input", method="PUT")]
    assert len(told(*steps)) == 2
    assert len(told(refused("/items", "name is required"), refused("/people", "name is required"))) == 2


def test_each_rule_that_is_lacking_is_a_cause_unless_all_are():
    rules = ["name is required", "price must be a number", "unknown colour", "stock is negative"]
    lacking = [refused("/items", rule) for rule in rules]
    assert len(told(*lacking)) == 1
    both = refused("/items", "tags must be a list", port=answer({"error": "tags must be a list"}, 400))
    assert len(told(both, *lacking)) == len(rules)


def test_who_is_refused_by_the_next_rule_follows_from_the_one_that_is_lacking():
    next_rule = refused("/items", "name is required", port=answer({"error": "price must be a number"}, 400))
    assert len(told(refused("/items", "name is required"), next_rule)) == 1
    assert told(next_rule) == ["POST /items: errors: error has another value"]


def test_what_is_read_after_a_write_of_one_side_follows_from_it():
    wrong = "PUT", "/items/1", answer({"error": "unknown colour"}, 400), answer(NEW), {"colour": "x"}
    assert told(MADE, wrong, read("/items/1", OLD, NEW)) == ["PUT /items/{id}: 400 becomes 200 (unknown colour)"]
