"""`parity notes`: release notes for the users of an API, what breaks them first, with the reasons of the ledger"""

import json

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.tests.engine.documents import TEXT, WHOLE, answering, document, item


@pytest.fixture
def notes(tmp_path):
    """Runs the command; documents and ledgers are written to files first."""

    def notes(original=None, port=None, ledger=None, *more):
        words = []
        for name, text in (("original", original), ("port", port), ("ledger", ledger)):
            if text is not None:
                path = tmp_path / name
                path.write_text(text if isinstance(text, str) else json.dumps(text))
                words += [f"--{name}", str(path)]
        return CliRunner().invoke(main, ["notes", *words, *more])

    return notes


LEDGER = """
[[accepted]]
operations = ["GET /items"]
level = "json"
path = "$.password"
kind = "missing"
reason = "the original leaks it"
decision = "0003"
owner = "security"

[[accepted]]
operations = ["GET /items", "GET /user/7"]
level = "status"
path = "status"
kind = "value"
original = "200"
port = "204"
reason = "an empty list has no body"
decision = "0004"
owner = "api"
expires = 2027-01-31
"""


def test_a_change_that_the_ledger_accepts_has_its_reason_and_is_told_once(notes):
    leaks, keeps = answering(item(name=TEXT, password=TEXT)), answering(item(name=TEXT))
    run = notes(leaks, keeps, LEDGER)
    assert run.exit_code == 0
    assert "- Answer `200`: `password` is gone. The original leaks it (decision 0003).\n" in run.output
    assert run.output.count("original leaks it") == 1
    assert (
        "- The status: `200` is now `204`. An empty list has no body (decision 0004, until 2027-01-31)." in run.output
    )
    assert "### `GET /user/7`" in run.output
    assert "security" not in run.output


def test_breaking_changes_fail_a_build_only_if_nobody_accepted_them(notes):
    leaks, keeps = answering(item(name=TEXT, password=TEXT)), answering(item(name=TEXT))
    assert notes(leaks, keeps, None, "--fail-on", "breaking").exit_code == 1
    assert notes(leaks, keeps, LEDGER, "--fail-on", "breaking").exit_code == 0
    assert notes(keeps, leaks, None, "--fail-on", "breaking").exit_code == 0


def test_an_entry_for_a_path_stands_with_the_template_of_the_document(notes):
    paths = {"/user/{id}": {"get": {"responses": {"200": {}}}}}
    run = notes(document(paths), document(paths), LEDGER)
    assert "### `GET /user/{id}`" in run.output
    assert "GET /user/7" not in run.output


def test_breaking_changes_come_first_then_others_then_additions(notes):
    run = notes(answering(item(a=WHOLE, b=TEXT)), answering(item(a=TEXT, b=TEXT | {"format": "date"}, c=TEXT)))
    headings = [line for line in run.output.splitlines() if line.startswith("## ")]
    assert headings == ["## Breaking changes", "## Other changes", "## Additions"]
    assert "1 breaking change, 1 other change, 1 addition." in run.output


def test_either_document_may_be_missing_and_the_notes_say_so(notes):
    run = notes(None, answering(TEXT), LEDGER)
    assert run.exit_code == 0
    assert "The original has no document here: only accepted differences are told." in run.output
    assert "The original leaks it" in run.output


def test_the_same_stands_in_json(notes):
    run = notes(answering(item(a=WHOLE)), answering(item(a=TEXT)), None, "--json")
    told = json.loads(run.output)
    assert told["counts"] == {"breaking": 1, "other": 0, "addition": 0}
    assert told["routes"]["GET /items"][0]["text"] == "`a`: `integer` is now `string`"


def test_references_that_lead_nowhere_are_told(notes):
    run = notes(answering({"$ref": "other.yaml#/Item"}), answering({"$ref": "#/components/schemas/None"}))
    assert run.exit_code == 0
    assert "References that lead nowhere in the original's document are not followed: other.yaml#/Item." in run.output


def test_a_file_is_written_and_never_written_over(notes, tmp_path):
    output = tmp_path / "notes.md"
    assert notes(answering(TEXT), answering(WHOLE), None, "--output", str(output)).exit_code == 0
    text = output.read_text()
    assert text.startswith("# What changes for users of this API\n")
    output.write_text("mine")
    run = notes(answering(TEXT), answering(WHOLE), None, "--output", str(output))
    assert (run.exit_code, output.read_text()) == (2, "mine")
    assert notes(answering(TEXT), answering(WHOLE), None, "--output", str(output), "--overwrite").exit_code == 0
    assert output.read_text() == text


def placed(parameter):
    return document({"/items": {"get": {"parameters": [parameter], "responses": {}}}})


@pytest.mark.parametrize(
    ("original", "said"),
    [
        ("{", "this is neither JSON nor YAML"),
        ("[]", "this is no OpenAPI document: it has no paths"),
        ('{"paths": 3}', "this is no OpenAPI document: it has no paths"),
        ("[" * 200_000, "nested too deeply"),
        ("\xff: [", "neither JSON nor YAML"),
        (answering(TEXT) | {"servers": [{"url": "http://[::1"}]}, "the address of a server is none that can be read"),
        (placed({"in": ["query"], "name": "x"}), "GET /items: a parameter has an `in` or a `name` that is no text"),
        (placed({"in": "query", "name": [1]}), "GET /items: a parameter has an `in` or a `name` that is no text"),
        (placed({"in": "query", "name": {}}), "GET /items: a parameter has an `in` or a `name` that is no text"),
    ],
)
def test_what_is_no_document_is_one_line(notes, original, said):
    run = notes(original, answering(TEXT))
    assert run.exit_code == 2
    assert run.output.count("\n") == 1
    assert said in run.output
    assert "--original" in run.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is nothing to read"),
        (["--original", "/nowhere.json"], "No such file"),
        (["--port", "http://127.0.0.1:1/openapi.json"], "answered refused"),
        (["--ledger", "/nowhere.toml"], "No such file"),
    ],
)
def test_what_cannot_be_read_is_one_line(words, said):
    run = CliRunner().invoke(main, ["notes", *words])
    assert run.exit_code == 2
    assert run.output.count("\n") == 1
    assert said in run.output
