"""`make cutover` judges what it saw: each fault that it is there for is found, and a missing proxy is told"""

import http.client
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from contract_tests.live.cutover import __main__ as cutover
from contract_tests.live.cutover.judging import faults_of_members, faults_of_order, faults_of_share
from contract_tests.live.cutover.load import Browser, Load, Seen, Tally
from contract_tests.tests.house.test_house import ROOT


def tally(*seen):
    made = Tally()
    for each in seen:
        made.note(Seen(*each))
    return made


def visitors(original, port, step="s"):
    return tally(*[(step, "visitor 1", "original")] * original, *[(step, "visitor 2", "port")] * port)


@pytest.mark.parametrize(
    ("original", "port", "percent", "wrong"),
    [
        (100, 0, 0, False),
        (100, 1, 0, True),
        (0, 100, 100, False),
        (1, 100, 100, True),
        (50, 50, 50, False),
        (80, 20, 50, True),
        (99, 1, 1, False),
        (85, 15, 1, True),
        (100, 0, 1, True),
    ],
)
def test_a_share_is_what_was_meant_or_a_fault(original, port, percent, wrong):
    assert bool(faults_of_share(visitors(original, port), "s", percent)) is wrong


def test_an_answer_of_nobody_is_a_fault():
    made = tally(("s", "visitor 1", "nobody"))
    assert faults_of_share(made, "s", 0) == ["s: answered by nobody"]


def test_a_member_who_meets_both_apps_in_one_step_is_named():
    made = tally(("s", "ada", "port"), ("s", "bob", "original"), ("s", "ada", "original"), ("t", "bob", "port"))
    assert faults_of_members(made, "s") == ["s: ada met both apps"]


def test_a_member_who_goes_back_at_a_larger_share_is_named():
    made = tally(("1", "ada", "port"), ("1", "bob", "port"), ("50", "ada", "port"), ("50", "bob", "original"))
    assert faults_of_order(made, "1", "50") == ["50: bob went back to the original"]


def test_what_was_lost_is_counted_with_its_step():
    made = tally(("s", "ada", "", "GET / was lost: TimeoutError"), ("s", "ada", "port"))
    assert made.faults() == {"s: GET / was lost: TimeoutError": 1}


class App(BaseHTTPRequestHandler):
    """Answers as told: a status, a wrong value, or none at all."""

    protocol_version = "HTTP/1.1"
    told = "right"

    def do_GET(self):
        if self.told == "nothing":
            self.close_connection = True
            return
        body = b'{"name": "Person 0"}' if self.told != "wrong" else b'{"name": "Eve"}'
        self.send_response(401 if self.told == "401" else 200)
        self.send_header("X-Served-By", "original")
        self.send_header("Content-Length", str(len(body) + 10 * (self.told == "half")))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.told == "half"

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("right", ""),
        ("wrong", "GET /user/1 was answered wrongly"),
        ("401", "GET /user/1 was 401, signed out"),
        ("nothing", "GET /user/1 was lost: RemoteDisconnected"),
        ("half", "GET /user/1 was lost: IncompleteRead"),
    ],
)
def test_the_load_notes_every_answer_that_is_none(told, fault):
    with serving(told) as port:
        load = Load(port, [], visitors=1)
        with load.running() as seen:
            while not seen.seen:
                pass
    assert {each.fault for each in seen.seen} == {fault}


class serving:  # noqa: N801 - reads as a word
    def __init__(self, told):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (App,), {"told": told}))
        self.server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self.server.server_address[1]

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_fresh_connection_that_is_closed_is_lost_and_not_asked_again():
    with serving("nothing") as port:
        seen = Tally()
        with pytest.raises(http.client.RemoteDisconnected):
            Browser(port, seen).ask("GET", "/")
        assert seen.reopened == 0


@pytest.fixture(autouse=True)
def _signals():
    """The command has a handler of its own for SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_proxy_that_is_missing_is_told_and_in_ci_required(monkeypatch):
    monkeypatch.setattr(cutover, "find_program", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    ended = CliRunner().invoke(cutover.main, [])
    assert ended.exit_code == 0
    assert ended.output.count("left out: ") == 2
    monkeypatch.setenv("CI", "true")
    for arguments in ([], ["--with", "haproxy"]):
        ended = CliRunner().invoke(cutover.main, arguments)
        assert ended.exit_code == 2
        assert "apt-get install" in ended.output


def test_a_fault_is_the_command_s_exit_code(monkeypatch):
    monkeypatch.setattr(cutover, "find_program", lambda _: "/x")
    monkeypatch.setattr(cutover, "played", lambda kind: [f"{kind}: 1 lost"] if kind == "nginx" else [])
    ended = CliRunner().invoke(cutover.main, [])
    assert ended.exit_code == 1
    assert re.fullmatch(r"WRONG: nginx: 1 lost\nWRONG in 0 s\n", ended.output)


def test_ci_installs_the_programs_that_are_missing_and_nothing_else(tmp_path):
    """With an apt-get, a sudo and a make that only say that they were called."""
    for name in ("apt-get", "sudo", "make", "service"):
        said = 'echo "sudo" >> "$CALLS"; shift; exec "$@"' if name == "sudo" else f'echo "{name} $*" >> "$CALLS"'
        (tmp_path / name).write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "id", "env", "sh"):
        (tmp_path / name).symlink_to(
            subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        )
    (tmp_path / "nginx").write_text("")
    (tmp_path / "nginx").chmod(0o755)
    script = (ROOT / ".ci/run").read_text().replace("/usr/sbin", "/nowhere")
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci/run").write_text(script)
    calls = tmp_path / "calls"
    env = {"PATH": str(tmp_path), "CALLS": str(calls)}
    ended = subprocess.run(["bash", str(tmp_path / "ci/run")], env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = [line for line in calls.read_text().splitlines() if line != "sudo"]
    assert told == [
        "apt-get update -q",
        "apt-get install -y -q --no-install-recommends haproxy prometheus chromium systemd",
        *(f"service {package} stop" for package in ("haproxy", "prometheus")),
        "make check",
    ]
