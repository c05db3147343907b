"""With nothing but two SPECs and a sign-in, each source finds the faults planted for it, and equal apps are alike"""

import json
import sys

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.tests.specimens import explored

NOTES = [f"contract_tests.tests.specimens.explored.notes:create_{side}()" for side in ("original", "port")]
GUESTBOOK = [f"contract_tests.tests.specimens.explored.guestbook:create_{side}()" for side in ("original", "port")]
ADA = {"username": "ada", "password": "Lovelace-1815"}


@pytest.fixture
def parity(tmp_path, monkeypatch):
    def parity(*arguments, budget="60"):
        # Whatever stands in this project's own pyproject.toml is not the user's.
        monkeypatch.chdir(tmp_path)
        return CliRunner().invoke(main, ["check", *arguments, "--budget", budget])

    return parity


@pytest.fixture
def faults(monkeypatch):
    def faults(*names):
        monkeypatch.setattr(explored, "FAULTS", set(names))
        for module in ("notes", "guestbook"):
            monkeypatch.setattr(f"contract_tests.tests.specimens.explored.{module}.FAULTS", set(names))

    return faults


@pytest.fixture
def auth(tmp_path):
    """A file with a case that signs in."""
    path = tmp_path / "auth.jsonl"
    steps = [{"method": "POST", "target": f"/{verb}", "json": ADA} for verb in ("register", "login")]
    path.write_text(json.dumps({"case": "ada signs in", "steps": steps}))
    return str(path)


@pytest.mark.parametrize(
    ("fault", "source", "told"),
    [
        ("head", "framework", "HEAD /notes status status value"),
        ("duplicate", "sequences", "POST /register status status value"),
        ("page", "sequences", "GET /notes json $ count"),
        ("lost update", "sequences", "GET /notes/{id} json $.title value"),
        ("undead", "sequences", "GET /notes/{id} status status value"),
        ("text for a number", "mutated", "POST /notes status status value"),
        ("casefold", "mutated", "POST /notes json $.key value"),
        ("float", "generated", "POST /notes json $.stars"),
        ("no clock", "framework", "GET /about status status value"),
    ],
)
def test_a_source_finds_what_is_planted_for_it(parity, faults, auth, fault, source, told):
    faults(fault)
    run = parity(*NOTES, "--auth", auth, "--sources", source)
    assert run.exit_code == 1, run.output
    assert told in run.output


def test_a_guard_that_the_port_lacks_is_the_first_finding_and_a_security_one(parity, faults, auth):
    faults("open note", "page", "head")
    run = parity(*NOTES, "--auth", auth, "--sources", "sequences,framework")
    first, said = run.output.splitlines()[:2]
    assert first == "1. GET /notes/{id} status status value"
    assert said.strip() == "SECURITY: the original refuses this request, and the port answers it"


def test_a_guard_that_the_port_has_alone_is_an_ordinary_finding(parity, faults, auth):
    faults("open list")
    run = parity(*reversed(NOTES), "--auth", auth, "--sources", "framework")
    assert "GET /notes status status value" in run.output
    assert "SECURITY" not in run.output


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
def test_pages_are_browsed_and_their_forms_are_sent(parity, faults, fault, told):
    faults(fault)
    run = parity(*GUESTBOOK, "--sources", "sequences,mutated")
    assert run.exit_code == 1, run.output
    assert told in run.output
    if fault in ("no csrf", "open form"):
        assert "SECURITY" in run.output.splitlines()[1]


@pytest.mark.parametrize("pair", [NOTES, GUESTBOOK])
def test_equal_apps_are_alike(parity, faults, auth, pair):
    faults()
    run = parity(*pair, *(["--auth", auth] if pair is NOTES else []), "--sources", "framework,mutated,sequences,generated")
    assert run.exit_code == 0, run.output
    assert run.output.splitlines()[-1].startswith("ALIKE ("), run.output


def test_equal_servers_with_other_ids_are_alike(parity, auth, tmp_path):
    """Nothing is rewound, ids begin elsewhere, each side has tokens of its own."""
    command = "env NOTES_FROM={} " + f"{sys.executable} -m contract_tests.tests.specimens.explored.notes {{port}}"
    commands = [command.replace("{}", first, 1) for first in ("1", "9000")]
    run = parity(*commands, "--cases", auth, "--sources", "all", "--openapi", _document(tmp_path), budget="8")
    assert run.exit_code == 0, run.output
    assert "not rewound between cases" in run.output


def _document(tmp_path):
    path = tmp_path / "openapi.json"
    note = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "stars": {"type": "integer"}}}
    body = {"requestBody": {"content": {"application/json": {"schema": note}}}}
    one = {"parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}]}
    paths = {"/notes": {"get": {}, "post": body}, "/notes/{id}": {**one, "get": {}, "put": body, "delete": {}}}
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    return str(path)
