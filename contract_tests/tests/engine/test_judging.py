"""The engine on three pairs that nobody wrote it for: how much of each list it tells, and that nothing is false."""

from __future__ import annotations

import pytest

from .foreign import NAMES, listed
from .judging import FLOORS, explored, judged

# At most so many entries tell one true cause.
_ENTRIES = 1.3


@pytest.mark.servers
@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_pair_is_told_as_its_list_says(name):
    """Two SPECs, a sign-in, and a part of the cases that a minute has: docs/parity.md has the whole."""
    cases, floor = FLOORS[name]
    result = judged(name, explored(name, cases=cases).as_json())
    told = "\n".join(result.lines())
    assert result.false == [], told
    assert len(result.told) >= floor, told
    assert result.entries_a_cause <= _ENTRIES, told


@pytest.mark.servers
@pytest.mark.parametrize("name", NAMES)
def test_an_app_does_not_differ_from_itself(name):
    run = explored(name, cases=100, port_is="original")
    assert [cause.title for cause in run.ranked()] == []
    assert run.as_json()["noise"] == []


def report(*causes):
    exchange = {"request": {"method": "DELETE", "target": "/entries/1"}, "original": {"status": 401}, "port": {"status": 204}}  # fmt: skip  # noqa: E501
    usual = {"level": "status", "title": "", "original": "401", "port": "204", "exchange": 0, "fingerprints": []}
    return {"causes": [{**usual, **each} for each in causes], "exchanges": [exchange], "cases": 1, "seconds": 0.1}


GUARD = {"reason": "guard", "operations": {"DELETE /entries/{id}": 1}}


def test_the_judge_knows_a_listed_cause_by_its_entry():
    result = judged("ledger", report(GUARD))
    assert list(result.told) == ["strike-unguarded"]
    assert result.false == []
    assert len(result.missed) == len(listed("ledger")["differences"]) - 1


def test_the_judge_names_an_entry_that_is_on_no_list():
    result = judged("ledger", report(GUARD, {"level": "header", "reason": "header", "title": "X: other", "operations": {"GET /": 1}}))  # fmt: skip  # noqa: E501
    assert result.false == ["2. header header: X: other"]


def test_two_entries_of_one_cause_count_twice():
    assert judged("ledger", report(GUARD, GUARD)).entries_a_cause == 2


@pytest.mark.parametrize("name", NAMES)
def test_each_listed_cause_can_be_recognised(name):
    from .judging import patterns

    assert set(patterns(name)) == {each["id"] for each in listed(name)["differences"]}
