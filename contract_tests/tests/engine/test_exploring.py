"""With nothing but two SPECs and a sign-in, each source finds the faults planted for it, and equal apps are alike"""

import itertools
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.check import watched
from contract_tests.parity.checking import Check
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.options import Options
from contract_tests.parity.plan import opened
from contract_tests.tests.specimens import explored

NOTES = [f"contract_tests.tests.specimens.explored.notes:create_{side}()" for side in ("original", "port")]
GUESTBOOK = [f"contract_tests.tests.specimens.explored.guestbook:create_{side}()" for side in ("original", "port")]
ADA = {"username": "ada", "password": "Lovelace-1815"}


class Found(Exception):
    """What was looked for was found."""


def explore(pair, *sources, auth=None, until=None, cases=150):
    """Run sources, after the scout, over so many cases at most; stop at a fingerprint that begins as told."""
    options = Options(sources=sources, budget=1e6, auth=auth)
    with watched(pair[0], None, 60) as original, watched(pair[1], None, 60) as port:
        check = Check(original, port, Ledger.empty(), own_ids=False, rewinds=True)
        left = itertools.count(1)

        def take(case, take=check.take):
            exchanges = take(case)
            if any(each.startswith(until or "?") for each in check.found):
                raise Found
            if explorer.turning and next(left) > cases:
                raise Found
            return exchanges

        check.take = take
        explorer = Explorer(check, (), options)
        with suppress(Found):
            explorer.explore()
        return check


@pytest.fixture
def faults():
    yield lambda *names: explored.FAULTS.update(names)
    explored.FAULTS.clear()


@pytest.fixture(scope="module")
def auth(tmp_path_factory):
    """A file with a case that signs in."""
    path = tmp_path_factory.mktemp("auth") / "auth.jsonl"
    steps = [{"method": "POST", "target": f"/{verb}", "json": ADA} for verb in ("register", "login")]
    path.write_text(json.dumps({"case": "ada signs in", "steps": steps}))
    return str(path)


@pytest.mark.parametrize(
    ("fault", "source", "told"),
    [
        ("head", "framework", "HEAD /notes status status value"),
        ("duplicate", "sequences", "POST /register status status value"),
        ("page", "sequences", "GET /notes json $[*] extra"),
        ("lost update", "sequences", "GET /notes/{id} json $.title value"),
        ("undead", "sequences", "GET /notes/{id} status status value"),
        ("text for a number", "mutated", "POST /notes status status value"),
        ("casefold", "mutated", "POST /notes json $.key value"),
        ("float", "generated", "POST /notes json $.stars"),
        ("no clock", "framework", "GET /about status status value"),
    ],
)
def test_a_source_finds_what_is_planted_for_it(faults, auth, fault, source, told):
    faults(fault)
    check = explore(NOTES, source, auth=auth, until=told, cases=400)
    assert any(each.startswith(told) for each in check.found), list(check.found)


def test_a_guard_that_the_port_lacks_is_the_first_finding_and_a_security_one(faults, auth):
    faults("open note", "page", "head")
    first = explore(NOTES, "sequences", "framework", auth=auth, cases=60).findings()[0]
    assert first.fingerprint == "GET /notes/{id} status status value"
    assert list(first.lines())[1] == "  SECURITY: the original refuses this request, and the port answers it"


def test_a_guard_that_the_port_has_alone_is_an_ordinary_finding(faults, auth):
    faults("open list")
    found = explore(NOTES[::-1], "framework", auth=auth, cases=30).found
    assert "GET /notes status status value" in found
    assert not any(each.unguarded for each in found.values())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("flash", "GET /login bytes body value"),
        ("redirect", "POST /login header Location value"),
        ("limit", "POST /entries/new status status value"),
        ("unescaped", "GET /entries/{at} bytes body value"),
        ("no csrf", "POST /register status status value"),
        ("open form", "GET /entries/new status status value"),
    ],
)
def test_pages_are_browsed_and_their_forms_are_sent(faults, monkeypatch, fault, told):
    faults(fault)
    # Enough visits to come upon each form; equal apps are visited as often as a user's are.
    monkeypatch.setattr("contract_tests.parity.sources.browsing._STORIES", 30)
    check = explore(GUESTBOOK, "sequences", "mutated", until=told, cases=200)
    assert told in check.found, list(check.found)
    # Who registers is sent to the login page, and so is who is refused: that alone says nothing of a guard.
    assert check.found[told].unguarded == (fault == "open form")


SOURCES = ["framework", "mutated", "sequences", "generated"]


@pytest.fixture(scope="module", params=[NOTES, GUESTBOOK], ids=["notes", "guestbook"])
def equal(request, auth):
    """A check of two equal apps by all sources, 60 cases of each, half of them signed in: scouted once for all."""
    signed_in = auth if request.param is NOTES else None

    def at_most(name, known):
        source, answers = opened(name, known), None
        for _ in range(30 if signed_in else 60):
            try:
                case = source.send(answers)
            except StopIteration:
                return
            answers = yield case

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contract_tests.parity.exploring.opened", at_most)
        return explore(request.param, *SOURCES, auth=signed_in, cases=1000)


@pytest.mark.parametrize("source", SOURCES)
def test_equal_apps_are_alike(equal, source):
    assert list(equal.found) == []
    assert equal.result.coverage.of_source(source) > 20


@pytest.mark.servers
def test_equal_servers_with_other_ids_are_alike(auth, tmp_path, monkeypatch):
    """Nothing is rewound, ids begin elsewhere, each side has tokens of its own."""
    command = "env NOTES_FROM={} " + f"{sys.executable} -m contract_tests.tests.specimens.explored.notes {{port}}"
    commands = [command.replace("{}", first, 1) for first in ("1", "9000")]
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    given = ["--cases", auth, "--sources", "all", "--openapi", _document(tmp_path), "--budget", "8"]
    run = CliRunner().invoke(main, ["check", *commands, *given])
    assert run.exit_code == 0, run.output
    assert "not rewound between cases" in run.output


def _document(tmp_path):
    path = tmp_path / "openapi.json"
    note = {
        "type": "object",
        "required": ["title"],
        "properties": {"title": {"type": "string"}, "stars": {"type": "integer"}},
    }
    body = {"requestBody": {"content": {"application/json": {"schema": note}}}}
    one = {"parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}]}
    paths = {"/notes": {"get": {}, "post": body}, "/notes/{id}": {**one, "get": {}, "put": body, "delete": {}}}
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    return str(path)
