"""Requests as no client library writes them: their bytes, what a server makes of them, and the source that asks so"""

import json
import sys

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.cases import CaseError, as_json, case_of, load_cases
from contract_tests.parity.drivers import http
from contract_tests.parity.drivers.spellings import SPELLINGS, USUAL, steps_of
from contract_tests.parity.messages import Request
from contract_tests.parity.probes import Act, Send
from contract_tests.parity.secrets import Secrets
from contract_tests.parity.servers import Server
from contract_tests.parity.telling import curl

POST = Request("POST", b"/user?a=1", ((b"Host", b"shop.example"), (b"Content-Length", b"2")), b"{}")
HELLO = "contract_tests.tests.specimens.slides.{}:create_app()"


def written(spelling, request=POST):
    steps = steps_of(Request(request.method, request.target, request.headers, request.body, spelling), b"localhost")
    return b"".join(step.data if isinstance(step, Send) else b"<%s>" % step.name.encode() for step in steps)


LINE, HOST, LENGTH = b"POST /user?a=1 HTTP/1.1\r\n", b"Host: shop.example\r\n", b"Content-Length: 2\r\n"
USUALLY = LINE + HOST + LENGTH + b"\r\n{}"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.mark.parametrize(
    ("spelling", "wanted"),
    [
        ("http-1.0", USUALLY.replace(b"HTTP/1.1", b"HTTP/1.0")),
        ("method-lower", USUALLY.replace(b"POST", b"post")),
        ("target-absolute", USUALLY.replace(b" /user", b" http://shop.example/user")),
        ("target-raw-bytes", USUALLY.replace(b"a=1", b"a=1&parity=\xc3\xa9")),
        ("lines-by-lf", USUALLY.replace(b"\r\n", b"\n")),
        ("no-host", LINE + LENGTH + b"\r\n{}"),
        ("chunked", LINE + HOST + CHUNKED + b"0\r\n\r\n"),
        ("chunked-cut-off", LINE + HOST + CHUNKED + b"<shut>"),
        ("length-plus", USUALLY.replace(b": 2", b": +2")),
        ("body-cut-off", LINE + HOST + LENGTH + b"\r\n{<shut>"),
        ("twice-at-once", USUALLY + b"<next>" + USUALLY),
    ],
)
def test_what_is_written_is_what_the_name_says(spelling, wanted):
    assert written(spelling) == wanted


def test_each_way_writes_something_of_its_own_and_says_what_is_special():
    ways = {name: written(name) for name in SPELLINGS}
    assert USUALLY not in ways.values()
    assert len(set(ways.values())) == len(ways)
    assert len({each.special for each in SPELLINGS.values()}) == len(ways)
    assert set(USUAL) <= ways.keys()
    assert all(
        Act("next") in steps_of(Request("GET", b"/", spelling=name), b"h")
        for name in ways
        if SPELLINGS[name].requests > 1
    )


def test_a_case_keeps_the_way_and_an_unknown_one_is_told(tmp_path):
    case = case_of({"case": "a", "steps": [{"method": "GET", "target": "/", "spelling": "two-hosts"}]})
    assert case.steps[0].spelling == "two-hosts"
    assert case_of(as_json(case)) == case
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({"case": "a", "steps": [{"method": "GET", "target": "/", "spelling": "upside-down"}]}))
    with pytest.raises(CaseError, match=r"cases.jsonl:1: spelling is one of http-1.0, "):
        load_cases(path)


def test_the_line_that_asks_again_hides_secrets():
    request = Request("POST", b"/login", (), b'{"password": "hunter2-s3cret"}', "chunked")
    line = curl(request, origin="http://127.0.0.1:8000", secrets=Secrets())
    assert line.startswith("printf '%b' 'POST /login HTTP/1.1\\r\\nHost: 127.0.0.1:8000\\r\\n")
    assert line.endswith("| nc 127.0.0.1 8000  # chunked")
    assert "hunter2" not in line


def test_in_this_process_the_source_is_left_out_and_the_run_says_why():
    told = CliRunner().invoke(
        main, ["check", HELLO.format("original"), HELLO.format("port"), "--sources", "wire", "--budget", "2"]
    )
    assert "left out: wire: both apps must be servers: an http:// URL, or a command with {port}" in told.output


def test_a_case_with_a_spelling_is_left_out_in_this_process_and_counted(tmp_path):
    """It would be sent in the usual way, and a run in which nothing else is asked is not green."""
    case = {"case": "a", "steps": [{"method": "GET", "target": "/", "spelling": "close"}]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(case))
    apps = [HELLO.format("original"), HELLO.format("port")]
    told = CliRunner().invoke(main, ["check", *apps, "--cases", str(tmp_path / "cases.jsonl")])
    assert told.exit_code == 4, told.output
    assert "1 cases with a spelling, which only two servers at http:// can be sent, left out" in told.output


def serve(role):
    app = f"contract_tests.tests.specimens.slides.{role}:create_app()"
    if role == "original":
        return [sys.executable, "-m", "gunicorn", app, "--no-control-socket", "--bind", "127.0.0.1:{port}"]
    return [sys.executable, "-m", "uvicorn", "--factory", app.removesuffix("()"), "--port", "{port}"]


def found(folder):
    return {each["fingerprint"] for each in json.loads((folder / "report.json").read_text())["differences"]}


@pytest.mark.servers
def test_two_servers_are_told_apart_by_what_they_make_of_the_same_bytes(tmp_path):
    with Server(serve("original")) as original, Server(serve("port")) as port:
        arguments = ["--sources", "wire", "--budget", "60", "--report", str(tmp_path)]
        told = CliRunner().invoke(main, ["check", original.url, port.url, *arguments])
        with http(original.url) as target:
            twice = target.send(Request("GET", b"/", spelling="twice-at-once"))
    assert told.exit_code == 1, told.output
    fingerprints = found(tmp_path)
    assert "POST /user (expect-other) status status value" in fingerprints
    assert "GET /files/{name} (two-hosts) status status value" in fingerprints
    assert "a request with another Expect: 417 becomes 201" in told.output
    # gunicorn's synchronous worker answers one request a connection.
    assert (twice.status, twice.connection) == (404, "closed")


@pytest.mark.servers
def test_two_equal_servers_are_alike_however_a_request_is_written(tmp_path):
    with Server(serve("port")) as original, Server(serve("port")) as port:
        arguments = ["--sources", "wire", "--budget", "60", "--report", str(tmp_path)]
        told = CliRunner().invoke(main, ["check", original.url, port.url, *arguments])
    # The time of the request, which the route of files tells.
    assert {each for each in found(tmp_path) if "$.timestamp" not in each} == set(), told.output
    asked = json.loads((tmp_path / "report.json").read_text())["coverage"]
    written = {each["operation"].partition("(")[2].rstrip(")") for each in asked}
    assert written - {""} == set(SPELLINGS)
