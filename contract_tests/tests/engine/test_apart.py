"""Two equal apps with other ids, tokens and clocks are alike; whatever one of them does otherwise is told even so"""

import json
import re

import pytest

from contract_tests.parity import wsgi
from contract_tests.parity.checking import Check
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.options import Options
from contract_tests.parity.plan import opened
from contract_tests.parity.two_clocks import TwoClocks
from contract_tests.tests.specimens.apart import create_app

ADA = {"name": "ada", "password": "Lovelace-1815"}
SOURCES = ("framework", "mutated", "sequences")


@pytest.fixture
def explore(tmp_path, monkeypatch):
    """What a check of two apps that nobody rewinds finds, by so many cases of each source."""
    auth = tmp_path / "auth.jsonl"
    steps = [{"method": "POST", "target": f"/{verb}", "json": ADA} for verb in ("register", "login")]
    auth.write_text(json.dumps({"case": "ada signs in", "steps": steps}))

    def run(faults=(), *, sources=SOURCES, cases=60, window=2.0, until=None):
        def at_most(name, known):
            source, answers = opened(name, known), None
            for _ in range(cases):
                if until in check.found:
                    return
                try:
                    answers = yield source.send(answers)
                except StopIteration:
                    return

        monkeypatch.setattr("contract_tests.parity.exploring.opened", at_most)
        options = Options(sources=sources, budget=1e6, auth=str(auth))
        with wsgi(create_app()) as original, wsgi(create_app(7001, 0.4, faults)) as port:
            clocks = TwoClocks.from_now(window)
            check = Check(original, port, Ledger.empty(), own_ids=True, rewinds=False, clocks=clocks)
            Explorer(check, (), options).explore()
            return check, check.finish()

    return run


def test_other_ids_tokens_and_clocks_are_no_difference(explore):
    check, run = explore()
    assert list(check.found) == [], [each.title for each in run.ranked()]
    assert (run.code, run.down) == (0, [])
    # Not because nothing was seen.
    assert {"GET /notes", "PUT /notes/{note_id}", "GET /page", "POST /page"} <= {
        row["operation"] for row in run.coverage.as_json() if row["status"] in (200, 303)
    }


def test_what_was_taken_as_alike_is_said(explore):
    _, run = explore(cases=10)
    assert re.search(r"times of two clocks, alike within 2 s, in \d+ places", run.as_json()["verdict"])
    assert any(
        re.fullmatch(r"times of two clocks, .*: POST /login json \$\.expires_at value \(\d+x\)", line)
        for line in run.told
    )
    assert any("json" in row["levels_masked"] for row in run.coverage.as_json())


def test_without_a_window_times_must_be_equal(explore):
    check, run = explore(cases=2, window=0)
    assert "POST /register json $.created_at value" in check.found
    assert "times of two clocks" not in run.as_json()["verdict"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("session", "POST /login cookie session.value binding"),
        ("lifetime", "POST /login json $.expires_at value"),
        ("form", "POST /notes json $.created value"),
        ("uuid", "GET /notes/{note_id} json $.public_id binding"),
        ("order", "GET /notes json $.items[*].id binding"),
        ("changed", "GET /notes/{note_id} json $.changed value"),
        ("link", "GET /page bytes body binding"),
    ],
)
def test_what_one_of_them_does_otherwise_is_told(explore, fault, told):
    check, run = explore([fault], sources=("sequences",), cases=200, until=told)
    assert told in check.found, [each.title for each in run.ranked()]
    assert run.code == 1
