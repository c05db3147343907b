"""`python -m contract_tests.live`: real servers, one verdict, and nothing left behind"""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from contract_tests.live.__main__ import main

ROOT = Path(__file__).parents[3]
HEALTH = "contract_tests/suite/test_health.py"
REGISTER = "contract_tests/suite/test_register.py"


def live(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "contract_tests.live", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def finished(*arguments):
    with live(*arguments) as process:
        output, _ = process.communicate(timeout=100)
    return process.returncode, output


def ports(output):
    return [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", output)]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.servers
def test_both_apps_are_started_compared_and_ended(tmp_path):
    code, output = finished("--report", str(tmp_path), HEALTH)
    assert code == 0, output
    assert re.search(r"^health +2/2 +2/2 +2/2", output, re.M)
    assert re.search(
        r"^ALIKE \(6 tests .*original 127\.0\.0\.1:\d+ \(gunicorn\), port 127\.0\.0\.1:\d+ \(uvicorn\)\)", output, re.M
    )
    # Apart, and again over one database.
    assert len(ports(output)) == 4
    assert not [port for port in ports(output) if listens(port) or port >= 32768]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["code"] == 0
    assert report["areas"]["health"]["both"] == {"passed": 2}
    assert "<testsuite " in (tmp_path / "junit.xml").read_text()


def test_what_a_failing_test_sent_stands_in_no_report(tmp_path, monkeypatch):
    """The port has no GET /users: tests fail, with all their arguments, on people with passwords."""
    test = "contract_tests/suite/test_list.py::test_a_listed_user_has_id_name_and_email_only"
    monkeypatch.setattr(httpx.Response, "json", lambda _: 1 / 0)
    run = CliRunner().invoke(
        main,
        ["--report", str(tmp_path), "--original", "contract_tests.tests.specimens.settled:original"]
        + ["--port", "contract_tests.tests.specimens.settled:port", test],
    )
    assert run.exit_code == 1
    told = run.output + (tmp_path / "report.json").read_text() + (tmp_path / "junit.xml").read_text()
    assert "ZeroDivisionError" in told
    assert "secret:1" in told
    assert not re.search(r"password['\"]?: ['\"]test", told)


def test_a_documented_answer_that_was_never_seen_leaves_a_run_inconclusive(tmp_path, monkeypatch):
    """A suite that consists of one module, run whole."""
    monkeypatch.setattr("contract_tests.live.run.SUITE", ROOT / "contract_tests/suite/test_hello.py")
    monkeypatch.setattr("contract_tests.conftest.SUITE", tmp_path)
    settled = [
        "--original",
        "contract_tests.tests.specimens.settled:original",
        "--port",
        "contract_tests.tests.specimens.settled:port",
    ]
    run = CliRunner().invoke(main, ["--report", str(tmp_path / "report"), *settled])
    assert run.exit_code == 4
    assert "INCONCLUSIVE: original: DELETE /files/{id} 204 was documented and never seen" in run.output


@pytest.mark.servers
def test_an_interrupted_run_ends_its_servers_and_leaves_a_valid_report(tmp_path):
    with live("--report", str(tmp_path), REGISTER, start_new_session=True) as process:
        output = ""
        while len(ports(output)) < 2:
            output += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert not [port for port in ports(output) if listens(port)]
    assert json.loads((tmp_path / "report.json").read_text())["code"] == 130


@pytest.mark.servers
def test_a_server_that_does_not_come_up_is_told_with_the_end_of_its_log(tmp_path):
    broken = f"{sys.executable} -c \"raise SystemExit('no database today {{port}}')\""
    run = CliRunner().invoke(
        main, ["--report", str(tmp_path), "--original", broken, "--port", "http://127.0.0.1:1", HEALTH]
    )
    assert run.exit_code == 4
    assert "no database today" in run.output
    assert isinstance(run.exception, SystemExit)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--original", "http://127.0.0.1:1"], "give both --original and --port"),
        (["--original", "8000", "--port", "8001"], "TCP port"),
        (["--original", "http://127.0.0.1:1", "--port", "http://127.0.0.1:1"], "same target"),
    ],
)
def test_wrong_arguments_are_a_usage_error(arguments, told, tmp_path):
    run = CliRunner().invoke(main, ["--report", str(tmp_path), *arguments, HEALTH])
    assert run.exit_code == 2
    assert told in run.output
    assert isinstance(run.exception, SystemExit)
