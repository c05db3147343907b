"""Between two servers a time of now may lie a little apart; its form, distance and order hold, and all else is exact"""

import json

import pytest

from contract_tests.parity import Pair
from contract_tests.parity.two_clocks import TwoClocks
from contract_tests.tests.engine.toys import Toy, json_answer, request

SINCE = 1_800_000_000
BEGIN = "2027-01-15T08:00:00"


def differ(ours, theirs, *, times=1, window=2.0, body=b""):
    """The fingerprints of the last of so many exchanges that show two bodies."""
    pair = Pair(Toy(lambda _: json_answer(ours)), Toy(lambda _: json_answer(theirs)), clocks=TwoClocks(window, SINCE))
    for _ in range(times):
        exchange = pair.exchange(request("POST", "/x", body))
    return [each.removeprefix("POST /x json ") for each in exchange.fingerprints]


ALIKE = {
    "a text": ("2027-01-15T08:00:01.250000Z", "2027-01-15T08:00:01.900000Z"),
    "the port is the earlier one": ("2027-01-15T08:00:02Z", "2027-01-15T08:00:01Z"),
    "a time to come": ("2027-02-15T08:00:01Z", "2027-02-15T08:00:03Z"),
    "HTTP's form": ("Fri, 15 Jan 2027 08:00:01 GMT", "Fri, 15 Jan 2027 08:00:02 GMT"),
    "seconds": (SINCE + 5, SINCE + 6),
    "parts of a second": (SINCE + 5.25, SINCE + 5.5),
}


@pytest.mark.parametrize(("ours", "theirs"), ALIKE.values(), ids=ALIKE)
def test_times_of_now_are_alike_and_counted(ours, theirs):
    assert differ({"at": ours}, {"at": theirs}) == []
    assert differ({"at": ours}, {"at": theirs}, window=0.1) == ["$.at value"]


OTHER = {
    "too far apart": ("2027-01-15T08:00:01Z", "2027-01-15T08:00:04Z"),
    "another form": ("2027-01-15T08:00:01Z", "2027-01-15T08:00:01+00:00"),
    "other digits": ("2027-01-15T08:00:01.250Z", "2027-01-15T08:00:01.250001Z"),
    "a space": ("2027-01-15T08:00:01Z", "2027-01-15 08:00:01Z"),
    "before the run": ("2027-01-15T07:59:01Z", "2027-01-15T07:59:02Z"),
    "a count": (5, 6),
    "an amount": (1_700_000_001, 1_700_000_002),
    "a day": ("2027-01-16", "2027-01-17"),
}


@pytest.mark.parametrize(("ours", "theirs"), OTHER.values(), ids=OTHER)
def test_all_else_is_compared_exactly(ours, theirs):
    assert differ({"at": ours}, {"at": theirs}) == ["$.at value"]


def test_a_number_for_a_text_is_another_type():
    assert differ({"at": SINCE + 5}, {"at": str(SINCE + 5)}) == ["$.at type"]


def test_a_time_that_the_client_sent_must_come_back():
    sent = json.dumps({"at": f"{BEGIN}Z"}).encode()
    assert differ({"at": f"{BEGIN}Z"}, {"at": "2027-01-15T08:00:01Z"}, body=sent) == ["$.at value"]


def shown(created, changed):
    return {"id": 1, "created": f"{BEGIN}.{created:06}", "changed": f"{BEGIN}.{changed:06}"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (shown(100_000, 120_000), shown(200_000, 200_000)),
        (shown(100_000, 100_000), shown(200_000, 220_000)),
        (shown(100_000, 120_000), shown(220_000, 200_000)),
    ],
    ids=["one moment", "two moments", "another order"],
)
def test_the_order_of_two_times_holds(ours, theirs):
    assert differ({"note": ours}, {"note": theirs}, times=2) == []
    assert len(differ({"note": ours}, {"note": theirs}, times=3)) == 1


def test_an_order_that_holds_once_is_chance():
    answers = [
        (shown(100_000, 120_000), shown(200_000, 220_000)),
        *[(shown(100_000, 120_000), shown(200_000, 200_000))] * 5,
    ]
    left, right = (iter([json_answer(pair[side]) for pair in answers]) for side in (0, 1))
    pair = Pair(Toy(lambda _: next(left)), Toy(lambda _: next(right)), clocks=TwoClocks(2.0, SINCE))
    assert [pair.exchange(request("GET", "/x")).differences for _ in answers] == [()] * 6


def test_times_of_two_objects_have_no_order():
    ours, theirs = ([shown(at, at) for at in times] for times in ((100_000, 120_000), (130_000, 110_000)))
    assert differ(ours, theirs, times=5) == []


def test_without_clocks_times_are_exact():
    pair = Pair(
        Toy(lambda _: json_answer({"at": f"{BEGIN}Z"})), Toy(lambda _: json_answer({"at": "2027-01-15T08:00:01Z"}))
    )
    assert pair.exchange(request("GET", "/x")).fingerprints == ("GET /x json $.at value",)
