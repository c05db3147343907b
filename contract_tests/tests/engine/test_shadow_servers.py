"""Both apps on real servers are sent the same requests, as a mirror sends them, and their recordings are compared"""

from contextlib import ExitStack

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.live.bench.recording import RECORDED
from contract_tests.live.servers import serve, sqlite_database
from contract_tests.parity.cases import load_cases
from contract_tests.parity.drivers import http
from contract_tests.parity.messages import Request
from contract_tests.parity.traffic.recordings import read_recording

pytestmark = pytest.mark.servers

SETTINGS = {"rate_limit": "", "cors_origins": "", "trusted_proxies": "127.0.0.1"}


def sent(method, target, body=b"", key=""):
    headers = [(b"Host", b"testserver"), (b"X-Request-ID", key.encode())]
    if body:
        headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
    return Request(method, target, tuple(headers), body)


def person(name):
    return b'{"name": "%s", "email": "%s@example.com", "password": "hunter2-of-%s"}' % ((name,) * 3)


TRAFFIC = [
    sent("POST", b"/user", person(b"ada"), "r-1"), sent("POST", b"/user", person(b"bob"), "r-2"),
    sent("GET", b"/users", key="r-3"), sent("GET", b"/user/1", key="r-4"), sent("GET", b"/user/99", key="r-5"),
    sent("POST", b"/user", person(b"ada"), "r-6"), sent("POST", b"/user", b"{", "r-7"),
    sent("GET", b"/users?limit=1", key="r-8"), sent("GET", b"/healthz", key="r-9"),
]  # fmt: skip
ONLY_ON_THE_PORT = [sent("POST", b"/user", person(b"eve"), "p-1")]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """The folders in which both apps recorded: the port got one user more, and the last list differs by it."""
    folder = tmp_path_factory.mktemp("shadow")
    with pytest.MonkeyPatch.context() as patched, ExitStack() as stack:
        patched.setenv("PARITY_RECORD_KEY", "one key for both")
        apps, servers = {}, {}
        for role, command in RECORDED.items():
            database = sqlite_database(folder / role)
            servers[role] = stack.enter_context(serve(command, folder / role, database_url=database, **SETTINGS))
            apps[role] = stack.enter_context(http(servers[role].url))
        for request in TRAFFIC:
            for role, app in apps.items():
                failure = app.send(request).failure
                assert failure is None, f"{role} at {servers[role].url}: {failure}\n{servers[role].log_tail()}"
        for request in ONLY_ON_THE_PORT:
            apps["port"].send(request)
        for app in apps.values():
            app.send(sent("GET", b"/users", key="r-10"))
    return {role: folder / role / "recording" for role in RECORDED}


def shadow(recordings, *options):
    return CliRunner().invoke(main, ["shadow", str(recordings["original"]), str(recordings["port"]), *options])


def test_both_record_every_request_under_the_proxys_id(recordings):
    for role, folder in recordings.items():
        keys = [each.key for each in read_recording(folder).exchanges if each.key.startswith("r-")]
        assert keys == [f"r-{number}" for number in range(1, 11)], role


def test_no_password_is_in_a_recording(recordings):
    for folder in recordings.values():
        assert all(b"hunter2" not in file.read_bytes() for file in folder.iterdir())


def test_the_planted_difference_is_found_and_nothing_else(recordings):
    ran = shadow(recordings, "--port-has-own-database", "--at-least", "80")
    assert ran.exit_code == 1, ran.output
    told = [line for line in ran.output.splitlines() if line[:1].isdigit() and line[1:3] == ". "]
    assert told != []
    assert all(" GET /users " in line for line in told), ran.output
    assert "in        r-10" in ran.output


def test_without_a_database_of_its_own_what_writes_is_left_out(recordings):
    ran = shadow(recordings, "--at-least", "80")
    assert "4 requests of unsafe methods left out" in ran.output


def test_a_recording_is_cases_that_both_apps_answer(recordings):
    (file,) = recordings["original"].iterdir()
    cases = {case.name: case for case in load_cases(file)}
    assert cases["r-5"].steps[0].target == b"/user/99"
    assert b"<secret:" in cases["r-1"].steps[0].body
