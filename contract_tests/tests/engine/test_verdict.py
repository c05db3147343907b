"""From what a run saw to its verdict: one line, one table, one exit code"""

import json
from collections import Counter

import pytest

from contract_tests.parity.findings import Finding
from contract_tests.parity.verdict import ALIKE, DIFFERENT, INCONCLUSIVE, INTERRUPTED, LEDGER, Run


@pytest.fixture
def run():
    """A run of three passed tests."""
    run = Run({"original": "gunicorn", "port": "uvicorn"}, seconds=2.4)
    for column in ("original", "port", "both"):
        run.count("users", column, "passed")
    return run


def finding(level="header", kind="extra", exposes=None, name="x"):
    return Finding(f"GET / {level} {name} {kind}", level, kind, None, "1", exposes, ["a case"], "curl", "told")


def test_a_run_without_a_difference_is_alike(run):
    assert run.code == ALIKE
    assert run.line() == "ALIKE (3 tests in 2 s; original gunicorn, port uvicorn)"


def test_accepted_differences_are_shown_in_the_verdict(run):
    run.accepted["GET / header ETag value (decision 0007, ada)"] = 4
    assert run.code == ALIKE
    assert "ALIKE but for 1 accepted difference" in run.line()


def test_what_was_left_out_is_counted(run):
    run.left_out.update(["in_process", "in_process", "empty_world"])
    assert ", 1 empty_world left out, 2 in_process left out;" in run.line()


def test_each_reason_has_its_code_and_the_gravest_decides(run):
    run.ledger.append("stale: an entry")
    assert run.code == LEDGER
    run.failures["a test"] = "told"
    assert run.code == DIFFERENT
    run.down.append("the port does not answer any more")
    assert run.code == INCONCLUSIVE
    run.interrupted = True
    assert run.code == INTERRUPTED


@pytest.mark.parametrize("reason", ["differences", "failures", "faults"])
def test_a_difference_a_failure_and_an_undocumented_answer_are_each_different(run, reason):
    found = {"differences": {"f": finding()}, "failures": {"t": "told"}, "faults": ["a fault"]}[reason]
    setattr(run, reason, found)
    assert run.code == DIFFERENT
    assert run.line().startswith("DIFFERENT: 1 ")


def test_a_run_of_nothing_is_inconclusive():
    assert Run({"original": "a", "port": "b"}).code == INCONCLUSIVE


def test_what_was_never_seen_makes_a_run_inconclusive(run):
    run.unseen.append("port: GET / 200 was documented and never seen")
    assert run.code == INCONCLUSIVE
    assert "never seen" in run.line()


def test_a_difference_is_told_before_what_was_never_seen(run):
    run.unseen.append("port: GET / 200 was documented and never seen")
    run.differences["f"] = finding()
    assert run.code == DIFFERENT
    assert run.line().startswith("DIFFERENT: 1 cause of 1 new difference")


def test_the_table_counts_passed_of_run_by_area(run):
    run.count("users", "port", "failed")
    run.count("health", "both", "passed")
    assert run.table() == [
        ("area", "original", "port", "alike"),
        ("health", "-", "-", "1/1"),
        ("users", "1/1", "1/2", "1/1"),
        ("all", "1/1", "1/2", "2/2"),
    ]


def test_the_report_is_written_as_json(run, tmp_path):
    run.differences["f"] = finding()
    run.write(tmp_path / "deep" / "folder")
    written = json.loads((tmp_path / "deep" / "folder" / "report.json").read_text())
    assert written["code"] == DIFFERENT
    assert written["areas"]["users"]["both"] == Counter(passed=1)
    assert written["differences"][0]["fingerprint"] == "GET / header x extra"


def test_a_leaked_secret_comes_first_and_the_order_of_keys_last():
    from contract_tests.parity.findings import ranked

    found = [
        finding("json", "order", name="a"),
        finding("bytes", "value", name="b"),
        finding("status", "value", name="c"),
        finding("json", "missing", exposes="original", name="d"),
        finding("transport", "value", name="e"),
    ]
    assert [each.level for each in ranked({each.fingerprint: each for each in found})] == [
        "json",
        "transport",
        "status",
        "bytes",
        "json",
    ]
