"""`parity check`: cases to any pair of apps, the gravest difference first, a code that a script can act on"""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main

SLIDES = Path(__file__).parents[1] / "specimens" / "slides"
CASES = str(SLIDES / "cases.jsonl")
ACCEPTED = str(SLIDES / "accepted.toml")
ORIGINAL = "contract_tests.tests.specimens.slides.original:create_app()"
PORT = "contract_tests.tests.specimens.slides.port:create_app()"


@pytest.fixture
def parity():
    def parity(*arguments):
        return CliRunner().invoke(main, ["check", *arguments])

    return parity


@pytest.fixture(scope="module")
def slides():
    """The slides' own pair, checked once for all that is told of it."""
    return CliRunner().invoke(main, ["check", ORIGINAL, PORT, "--cases", CASES, "--ledger", ACCEPTED])


@pytest.fixture
def cases(tmp_path):
    """A file with one case of one GET."""
    path = tmp_path / "cases.jsonl"
    path.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/files/a?tag=b"}]}')
    return str(path)


def test_the_slides_own_pair_differs_and_the_leaked_password_comes_first(slides):
    assert slides.exit_code == 1
    first, shown = slides.output.splitlines()[:2]
    assert first == "1. GET /user/{id}: the original gives back a secret that the client sent"
    assert shown.strip() == "GET /user/{id} json $.password missing"
    assert "DIFFERENT: 14 causes of 42 new differences" in slides.output


def test_no_secret_stands_in_the_output_or_the_report(parity, tmp_path):
    cases = tmp_path / "cases.jsonl"
    person = {"name": "Ada", "email": "ada@example.com", "password": "hunter2-of-the-slides"}
    steps = [{"method": "POST", "target": "/user", "json": person}, {"method": "GET", "target": "/user/1"}]
    invalid = [{"method": "POST", "target": "/user", "json": person | {"name": 3}}]
    cases.write_text("\n".join(json.dumps({"case": "a", "steps": case}) for case in (steps, invalid)))
    run = parity(ORIGINAL, PORT, "--cases", str(cases), "--report", str(tmp_path))
    assert run.exit_code == 1
    assert "<secret:1>" in run.output
    written = [path.read_text() for path in tmp_path.glob("*report*")]
    assert len(written) == 4
    assert not any("hunter2" in text for text in (run.output, *written))


def test_every_difference_is_told_with_both_values_and_a_line_that_asks_again(slides):
    block = slides.output[slides.output.index("GET /files/report.pdf json $.tag value") :].splitlines()[:5]
    assert [line.strip() for line in block[1:]] == [
        'original  "a"',
        'port      "b"',
        "in        a repeated key",
        "curl -i --path-as-is 'http://localhost/files/report.pdf?tag=a&tag=b'",
    ]


def test_accepted_differences_are_shown(slides):
    assert "accepted 3 times: GET /files/report.pdf json $.timestamp value (decision 0000, specimens)" in slides.output


def test_an_original_that_differs_from_itself_is_inconclusive(parity, cases):
    run = parity(ORIGINAL, PORT, "--cases", cases)
    assert run.exit_code == 4
    assert "INCONCLUSIVE: the original differs from itself: GET /files/a json $.timestamp value" in run.output


def test_a_pair_that_is_alike_is_alike(parity, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/users"}]}')
    run = parity(
        "contract_tests.suite.targets:original()", "contract_tests.suite.targets:port()", "--cases", str(cases)
    )
    assert run.exit_code == 0
    assert run.output.startswith("ALIKE (1 case in")


def test_a_stale_entry_fails_a_run_that_is_alike(parity, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/users"}]}')
    run = parity(
        "contract_tests.suite.targets:original()",
        "contract_tests.suite.targets:port()",
        "--cases",
        str(cases),
        "--ledger",
        ACCEPTED,
    )
    assert run.exit_code == 3
    assert "stale: GET /files/report.pdf json $.timestamp value" in run.output


@pytest.mark.parametrize(
    ("original", "port", "told"),
    [
        ("8000", PORT, "TCP port"),
        ("nowhere.at_all:app", PORT, "nowhere"),
        (ORIGINAL, ORIGINAL, "same target"),
        (ORIGINAL, "contract_tests.tests.specimens.slides.port:nothing()", "nothing"),
        (ORIGINAL, "json:dumps()", "json:dumps"),
    ],
)
def test_a_wrong_spec_is_a_usage_error_in_one_line(parity, cases, original, port, told):
    run = parity(original, port, "--cases", cases)
    assert run.exit_code == 2
    assert told in run.output
    assert len(run.output.splitlines()) == 1


def test_a_target_that_is_down_is_inconclusive(parity, cases):
    run = parity("http://127.0.0.1:1", "http://127.0.0.1:2", "--cases", cases)
    assert run.exit_code == 4
    assert "the original is down (refused)" in run.output


ECHO = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
next_id = int(sys.argv[2])
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        global next_id
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        next_id += 1
        self.answer(201, {"id": next_id})
    def do_GET(self):
        self.answer(200 if self.path == f"/things/{next_id}" else 404, {})
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def servers(tmp_path):
    """Two commands that serve the same things, whose ids lie in different ranges."""
    (tmp_path / "echo.py").write_text(ECHO)
    return [f"{sys.executable} {tmp_path}/echo.py {{port}} {first}" for first in (3, 9000)]


@pytest.mark.servers
def test_partners_are_known_from_case_to_case_where_nothing_is_rewound(parity, servers, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"case": "add", "steps": [{"method": "POST", "target": "/things", "json": {}}]}\n'
        '{"case": "see", "steps": [{"method": "GET", "target": "/things/4"}]}'
    )
    run = parity(*servers, "--cases", str(cases))
    assert run.exit_code == 0, run.output
    assert "not rewound between cases" in run.output


@pytest.mark.servers
def test_a_side_that_alone_is_rewound_is_a_usage_error(parity, servers, cases):
    run = parity(servers[0], servers[1], "--reset-port", "true", "--cases", cases)
    assert run.exit_code == 2
    assert "give --reset-original, too" in run.output


@pytest.mark.servers
def test_a_reset_that_fails_is_inconclusive(parity, servers, cases):
    run = parity(*servers, "--reset-original", "false", "--reset-port", "false", "--cases", cases)
    assert run.exit_code == 4
    assert isinstance(run.exception, SystemExit)


def test_what_was_found_before_a_reset_failed_is_told(parity, tmp_path, monkeypatch):
    """The factory of the original makes three apps, and then no more."""
    (tmp_path / "tired.py").write_text(
        "from contract_tests.tests.specimens.slides import original\n"
        "left = [1, 2, 3]\n"
        "def create_app():\n    left.pop()\n    return original.create_app()\n"
    )
    monkeypatch.chdir(tmp_path)
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"case": "one", "steps": [{"method": "GET", "target": "/nowhere"}]}\n' * 4)
    run = parity("tired:create_app()", PORT, "--cases", str(cases))
    assert run.exit_code == 4
    assert "GET /nowhere media-type Content-Type value" in run.output
    assert "INCONCLUSIVE: one: " in run.output


def test_ctrl_c_leaves_a_valid_report(parity, tmp_path, cases, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("contract_tests.parity.pair.Pair.exchange", interrupted)
    run = parity(ORIGINAL, PORT, "--cases", cases, "--report", str(tmp_path))
    assert run.exit_code == 130
    assert json.loads((tmp_path / "report.json").read_text())["code"] == 130


def test_the_control_run_knows_what_is_accepted_for_recorded_cases(parity, cases, tmp_path):
    ledger = tmp_path / "ledger.toml"
    text = Path(ACCEPTED).read_text().replace("GET /files/report.pdf", "GET /files/a")
    ledger.write_text(text + 'sources = ["recorded"]\n')
    run = parity(ORIGINAL, PORT, "--cases", cases, "--ledger", str(ledger))
    assert "INCONCLUSIVE" not in run.output


def test_an_app_that_refuses_to_start_is_a_usage_error(parity, cases, tmp_path, monkeypatch):
    (tmp_path / "refusing.py").write_text("import sys\ndef create_app():\n    sys.exit(3)\n")
    monkeypatch.chdir(tmp_path)
    run = parity("refusing:create_app()", PORT, "--cases", cases)
    assert run.exit_code == 2
    assert "refusing:create_app()" in run.output


def test_cases_that_cannot_be_read_are_a_usage_error(parity, tmp_path):
    (tmp_path / "cases.jsonl").write_text("{")
    run = parity(ORIGINAL, PORT, "--cases", str(tmp_path / "cases.jsonl"))
    assert run.exit_code == 2
    assert "cases.jsonl:1: this is not JSON" in run.output
