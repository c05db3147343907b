"""`parity accept`: a cause of the last report is in the ledger as one person's word, and accepts nothing beside it"""

import json

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity import Bindings, Ledger, Pair
from contract_tests.parity.report import write
from contract_tests.parity.verdict import Run

from .toys import always, answer, json_answer, request

WORDS = ("--reason", "it may", "--decision", "0007", "--owner", "ada")
PAGES = answer(b"<p>gone</p>", ("Content-Type", "text/html"), status=404), json_answer({"detail": "gone"}, status=404)
ASKED = {
    "GET /item/5": PAGES,
    "GET /order/5": PAGES,
    "PUT /item/5": (answer(b"a", status=409), answer(b"b", status=200)),
    "GET /secret/5": (json_answer({"a": 1}), json_answer({"a": 1, "password": "hunter2"})),
}


def exchanged(ledger=None):
    run = Run({"original": "a", "port": "b"}, noun="case")
    for asked, answers in ASKED.items():
        pair = Pair(*map(always, answers), accepted=ledger, bindings=Bindings.none())
        exchange = pair.exchange(request(*asked.split(" ")))
        run.found(exchange, asked, pair.secrets)
    return run


@pytest.fixture
def report(tmp_path):
    write(exchanged().as_json(), tmp_path)
    return tmp_path


def number_of(report, word):
    causes = json.loads((report / "report.json").read_text())["causes"]
    return str(next(at for at, cause in enumerate(causes, 1) if word in cause["title"]))


def accept(report, word, *more):
    arguments = [
        str(report),
        "--ledger",
        str(report / "ledger.toml"),
        "--cause",
        number_of(report, word),
        *WORDS,
        *more,
    ]
    return CliRunner().invoke(main, ["accept", *arguments])


def test_an_accepted_cause_is_told_no_more_with_all_that_follows(report):
    assert accept(report, "error pages").exit_code == 0
    ledger = Ledger.load(report / "ledger.toml")
    titles = [cause.title for cause in exchanged(ledger).ranked()]
    assert len(titles) == 2
    assert not any("error pages" in title for title in titles)
    assert ledger.stale({"suite"}, known={"suite"}) == ()


def test_an_entry_names_each_operation_and_the_values_that_were_seen(report):
    accept(report, "error pages")
    (entry,) = Ledger.load(report / "ledger.toml").entries
    assert entry.operations == ("GET /item/{id}", "GET /order/{id}")
    assert [(each.level, each.original, each.port) for each in entry.differences] == [
        ("media-type", "text/html", "application/json")
    ]
    assert (entry.follows, entry.reason, entry.decision, entry.owner) == (True, "it may", "0007", "ada")


def test_a_second_cause_stands_below_the_first(report):
    accept(report, "error pages")
    accept(report, "409 becomes 200")
    assert [entry.operations[0] for entry in Ledger.load(report / "ledger.toml").entries] == [
        "GET /item/{id}", "PUT /item/{id}",
    ]  # fmt: skip


def test_operations_that_differ_otherwise_have_an_entry_each(tmp_path):
    run = Run({"original": "a", "port": "b"}, noun="case")
    for target, ours, theirs in (
        ("/item/5", {"made": "2024-05-01T12:30:00Z"}, {"made": "2024-05-01T12:30:00+00:00"}),
        ("/order/5", {"sent": "2024-05-01T12:30:00Z"}, {"sent": "2024-05-01T12:30:00+00:00"}),
    ):
        pair = Pair(always(json_answer(ours)), always(json_answer(theirs)), bindings=Bindings.none())
        run.found(pair.exchange(request("GET", target)), "a case", pair.secrets)
    write(run.as_json(), tmp_path)
    accept(tmp_path, "a time")
    entries = Ledger.load(tmp_path / "ledger.toml").entries
    assert [(entry.operations, entry.differences[0].path) for entry in entries] == [
        (("GET /item/{id}",), "$.made"), (("GET /order/{id}",), "$.sent"),
    ]  # fmt: skip


def test_a_secret_that_is_shown_is_nothing_to_accept(report):
    refused = accept(report, "gives back a secret")
    assert refused.exit_code == 2
    assert refused.output.splitlines() == ["parity: cause 1 shows a secret: close it, it is nothing to accept"]
    assert not (report / "ledger.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--cause", "99"), "none has the number 99"),
        (("--decision", "7"), "decision '7' is no number of four digits"),
    ],
)
def test_what_cannot_be_accepted_is_one_line_and_the_ledger_stays(report, arguments, told):
    (report / "ledger.toml").write_text("")
    refused = accept(report, "error pages", *arguments)
    assert refused.exit_code == 2
    assert told in refused.output
    assert len(refused.output.splitlines()) == 1
    assert (report / "ledger.toml").read_text() == ""


def test_a_report_that_is_not_there_is_one_line(tmp_path):
    refused = CliRunner().invoke(main, ["accept", str(tmp_path / "none"), "--ledger", "l.toml", "--cause", "1", *WORDS])
    assert refused.exit_code == 2
    assert len(refused.output.splitlines()) == 1


def test_what_only_a_person_knows_is_asked_for(report, monkeypatch):
    monkeypatch.setattr("contract_tests.parity.acceptance.on_terminal", lambda: True)
    arguments = ["accept", str(report), "--ledger", str(report / "l.toml"), "--cause", number_of(report, "error pages")]
    asked = CliRunner().invoke(main, arguments, input="it may\n0007\nada\n")
    assert asked.exit_code == 0
    assert Ledger.load(report / "l.toml").entries[0].owner == "ada"


@pytest.mark.parametrize("command", [("accept",), ("accept-difference", "1", "--report")])
def test_where_nobody_can_be_asked_the_options_that_lack_are_named_in_one_line(report, command):
    number = () if command[1:] else ("--cause", number_of(report, "error pages"))
    arguments = [*command, str(report), "--ledger", str(report / "l.toml"), *number, "--owner", "ada"]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert refused.output == "parity: give --reason, --decision: there is no terminal to ask for more\n"
    assert not (report / "l.toml").exists()


@pytest.mark.parametrize(
    ("given", "ledger", "number", "told"),
    [
        ("none", "l.toml", "1", "none: No such file or directory; run parity check with --report first"),
        ("list.json", "l.toml", "1", "list.json: this is no report of parity check"),
        ("text.json", "l.toml", "1", "text.json: this is no report of parity check"),
        ("bytes.toml", "l.toml", "1", "bytes.toml: this is no report of parity check"),
        (".", "l.toml", "99", "none has the number 99"),
        (".", "list.json", "2", "list.json: "),
        (".", "bytes.toml", "2", "bytes.toml: a ledger is UTF-8"),
        (".", "text.json/l.toml", "2", "text.json is no folder"),
        (".", ".", "2", "Is a directory"),
    ],
)
def test_nobody_is_asked_before_report_cause_and_ledger_are_read(report, monkeypatch, given, ledger, number, told):
    monkeypatch.setattr("contract_tests.parity.acceptance.on_terminal", lambda: True)
    for name, content in (("list.json", b"[1]"), ("text.json", b"{"), ("bytes.toml", b"\xff")):
        (report / name).write_bytes(content)
    arguments = [str(report / given), "--ledger", str(report / ledger), "--cause", number]
    refused = CliRunner().invoke(main, ["accept", *arguments], input="it may\n0007\nada\n")
    assert refused.exit_code == 2
    assert told in refused.output
    assert len(refused.output.splitlines()) == 1
    assert (report / "list.json").read_bytes() == b"[1]"
