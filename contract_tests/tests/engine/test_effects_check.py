"""`parity check` with the two databases: what differs in them is told with the case, accepted, or a usage error"""

import json
import sys

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.applications import SpecError
from contract_tests.parity.databases import DatabaseError
from contract_tests.parity.effects import Effects

from .writers import Service, sqlite_urls


def test_what_cannot_be_compared_is_a_usage_error_in_one_line(tmp_path):
    sqlite = sqlite_urls(tmp_path)
    Service(sqlite[0])
    for given, said in (
        ((sqlite[0], sqlite[0]), "name one database"),
        ((sqlite[0], "sqlite://"), "in memory"),
        ((sqlite[0], f"sqlite:///{tmp_path}/none.sqlite3"), "cannot be read"),
        ((sqlite[0], "mysql://root:hunter2@127.0.0.1/x"), "it is SQLite or PostgreSQL"),
        ((sqlite[0], "no url"), "cannot be read"),
        ((sqlite[0], "postgresql://ada:hunter2@127.0.0.1:1/x"), "cannot be read"),
    ):
        with pytest.raises(DatabaseError, match=said) as raised:
            Effects(*given)
        assert isinstance(raised.value, SpecError)
        assert "hunter2" not in str(raised.value)
        assert "\n" not in str(raised.value)


APP = """
import os, sqlite3, json
from pathlib import Path

def make(file, rate):
    # As many do: the database is thrown away and made anew.
    Path(file).unlink(missing_ok=True)
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)")
    def app(environ, start_response):
        with sqlite3.connect(file) as db:
            if environ["REQUEST_METHOD"] == "POST":
                db.execute("INSERT INTO orders (total) VALUES (?)", (5 * rate,))
        body = json.dumps({"done": True}).encode()
        start_response("201 Created", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    return app

def original():
    return make("original.sqlite3", 1.2)

def alike():
    return make("port.sqlite3", 1.2)

def rounded():
    return make("port.sqlite3", 1.25)
"""


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """`parity check` on two small apps with databases of their own, each made anew for each case."""
    (tmp_path / "bills.py").write_text(APP)
    lines = [{"case": name, "steps": [{"method": method, "target": "/orders"}]} for name, method in CASES]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "bills", raising=False)

    def run(port, *options):
        specs = ["check", "bills:original()", f"bills:{port}()", "--cases", "cases.jsonl"]
        return CliRunner().invoke(main, [*specs, *options])

    return run


CASES = (("order", "POST"), ("look", "GET"), ("order again", "POST"))
DATABASES = ("--database-original", "sqlite:///original.sqlite3", "--database-port", "sqlite:///port.sqlite3")


def test_the_check_tells_answers_alike_and_writes_otherwise(checked):
    assert checked("rounded").exit_code == 0
    ran = checked("rounded", *DATABASES)
    assert ran.exit_code == 1, ran.output
    first, fingerprint, *_ = ran.output.splitlines()
    assert first == "1. POST /orders: answers alike, and writes orders.total otherwise"
    assert fingerprint.strip() == "POST /orders effect orders.total value"
    assert "original  6.0" in ran.output
    assert "in        order, order again" in ran.output
    assert "DIFFERENT: 1 cause of 1 new difference (3 cases" in ran.output


def test_the_check_passes_where_both_write_the_same(checked):
    ran = checked("alike", *DATABASES)
    assert ran.exit_code == 0, ran.output


def test_an_effect_is_accepted_as_any_other_difference(checked, tmp_path):
    (tmp_path / "ledger.toml").write_text(
        '[[accepted]]\noperations = ["POST /orders"]\nlevel = "effect"\npath = "orders.total"\nkind = "value"\n'
        'reason = "another rate"\ndecision = "0001"\nowner = "shop"\n'
    )
    ran = checked("rounded", *DATABASES, "--ledger", "ledger.toml")
    assert ran.exit_code == 0, ran.output
    assert "accepted 2 times: POST /orders effect orders.total value" in ran.output


def test_one_database_alone_or_one_that_is_not_there_is_a_usage_error(checked):
    for options in (DATABASES[:2], (*DATABASES[:3], "sqlite:///none.sqlite3")):
        ran = checked("alike", *options)
        assert ran.exit_code == 2
        assert ran.stderr.startswith("parity: ")
