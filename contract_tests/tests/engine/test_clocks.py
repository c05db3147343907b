"""Times a second apart are settled by whole re-runs that are alike, aloud; whatever else differs stays a finding."""

from __future__ import annotations

import pytest

from contract_tests.parity import clocks
from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.time_class import are_seconds_apart

JSON = ((b"Content-Type", b"application/json"),)
GONE = Response(0, failure="timeout")


class Scripted:
    app = None

    def __init__(self, name, answers):
        self.name, self.answers = name, list(answers)

    def send(self, request):  # noqa: ARG002 - as a target has it
        return self.answers.pop(0) if self.answers else GONE

    def reset(self):
        return


def at(second, status=200):
    return Response(status, JSON, b'{"at":"2024-01-01T00:00:%02dZ"}' % second)


def listed(*seconds):
    return Response(200, JSON, b"[" + b",".join(at(second).body for second in seconds) + b"]")


def settled(monkeypatch, original, port):
    monkeypatch.setattr(clocks, "_PAUSE", 0)
    check = Check(Scripted("o", original), Scripted("p", port), Ledger.empty(), own_ids=False, rewinds=True)
    check.take(Case("x", (Request("GET", b"/"),), (), "cases"))
    assert len(check.found) == 1
    check._settle_clocks()
    return check


SAME = [at(5), at(6), at(7), at(8)]


def test_a_second_that_ended_between_two_requests_is_settled_and_told(monkeypatch):
    run = settled(monkeypatch, [at(1), *SAME], [at(2), *SAME]).finish()
    assert run.code == 0
    assert ["GET / json $.at value" in line for line in run.told] == [True]
    assert "1 place settled" in run.line()


@pytest.mark.parametrize(
    ("original", "port"),
    [
        ([at(1)], [at(2)]),
        ([at(1), *SAME[:3]], [at(2), *SAME[:3]]),
        ([at(1), *SAME], [at(2), *SAME[:3], at(9)]),
        ([at(1), *[at(5, 404)] * 4], [at(2), *[at(5, 404)] * 4]),
        ([at(2), *SAME], [at(1), *SAME]),
        ([at(1), *SAME], [at(9), *SAME]),
        ([listed(1, 1), *[listed(5, 5)] * 4], [listed(2, 40), *[listed(5, 5)] * 4]),
        ([listed(1), *[listed()] * 4], [listed(2), *[listed()] * 4]),
    ],
    ids=["no answer", "no last answer", "again", "not found", "earlier", "far", "one far", "empty"],
)
def test_what_re_runs_do_not_settle_stays_a_finding(monkeypatch, original, port):
    check = settled(monkeypatch, original, port)
    run = check.finish()
    assert len(run.differences) == 1
    assert run.code == 1
    assert not run.told


def test_the_port_s_time_is_the_later_one():
    assert are_seconds_apart('"2026-11-26T02:13:32Z"', '"2026-11-26T02:13:33Z"')
    assert not are_seconds_apart('"2026-11-26T02:13:33Z"', '"2026-11-26T02:13:32Z"')
