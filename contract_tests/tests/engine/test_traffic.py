"""A recording is read whole or not at all: JSON Lines, GoReplay and HAR, each broken place told by its line"""

import base64
import gzip
import json

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.parity.cases import load_cases
from contract_tests.parity.traffic.exchanges import RecordingError
from contract_tests.parity.traffic.recordings import read_recording

SEPARATOR = "\n\U0001f435\U0001f648\U0001f649\n"


def payload(kind, name, nanoseconds, message):
    return f"{kind} {name} {nanoseconds} 0\n".encode() + message + SEPARATOR.encode()


REQUEST = b'POST /a?b=%20 HTTP/1.1\r\nHost: x\r\nX-Request-ID: r-1\r\nContent-Length: 8\r\n\r\n{"x": 1}'
RESPONSE = (
    b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)


@pytest.fixture
def goreplay(tmp_path):
    path = tmp_path / "traffic.gor"
    path.write_bytes(
        payload(2, "f00", 1_700_000_000_500_000_000, RESPONSE)
        + payload(1, "f00", 1_700_000_000_000_000_000, REQUEST)
        + payload(3, "f00", 1_700_000_001_000_000_000, RESPONSE)
        + payload(1, "f01", 1_700_000_002_000_000_000, REQUEST)
    )
    return path


def test_goreplay_joins_a_request_and_its_response(goreplay):
    recording = read_recording(goreplay)
    (exchange,) = recording.exchanges
    assert (exchange.key, exchange.time, exchange.received) == ("r-1", 1_700_000_000.0, 1_700_000_000.5)
    assert (exchange.request.method, exchange.request.target, exchange.request.body) == (
        "POST",
        b"/a?b=%20",
        b'{"x": 1}',
    )
    assert (exchange.response.status, exchange.response.body) == (201, b"abcde")
    assert [note.partition(": ")[2][:30] for note in recording.notes] == [
        "1 replayed responses (type 3) ", "1 requests have no response: r",
    ]  # fmt: skip


def test_goreplay_has_an_id_of_its_own_and_reads_gzip(tmp_path):
    path = tmp_path / "traffic.gor"
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a": 1}')
    path.write_bytes(payload(1, "f00", 1, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") + payload(2, "f00", 2, packed))
    (exchange,) = read_recording(path).exchanges
    assert (exchange.key, exchange.response.body) == ("f00", b'{"a": 1}')


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (b"4 f00 1 0\nGET", "a payload begins with a line of type"),
        (b"1 f00 yesterday 0\nGET", "a payload begins with a line of type"),
        (b"1 f00 1 0\nhello", "this is no HTTP request"),
        (b"2 f00 1 0\nhello", "this is no HTTP response"),
    ],
)
def test_a_broken_payload_is_told_with_its_line(goreplay, broken, told):
    whole = goreplay.read_bytes()
    goreplay.write_bytes(whole + broken + SEPARATOR.encode())
    line = whole.count(b"\n") + 1
    with pytest.raises(RecordingError, match=f"traffic.gor:{line}: {told}"):
        read_recording(goreplay)


def har(tmp_path, **changes):
    entry = {
        "startedDateTime": "2027-01-31T12:00:00.000Z",
        "time": 250,
        "request": {
            "method": "POST", "url": "https://shop.example/a?b=%20", "headers": [{"name": ":path", "value": "/a"}],
            "postData": {"mimeType": "text/plain", "text": "x"},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "X-Request-ID", "value": "r-2"}, {"name": "Content-Encoding", "value": "br"}],
            "content": {"text": base64.b64encode(b"\xff").decode(), "encoding": "base64"},
        },
    }  # fmt: skip
    path = tmp_path / "session.har"
    path.write_text(json.dumps({"log": {"entries": [entry | changes]}}))
    return path


def test_a_har_entry_is_an_exchange(tmp_path):
    (exchange,) = read_recording(har(tmp_path)).exchanges
    assert (exchange.key, round(exchange.received - exchange.time, 3)) == ("r-2", 0.25)
    assert (exchange.request.target, exchange.request.body) == (b"/a?b=%20", b"x")
    assert exchange.request.headers == ((b"Host", b"shop.example"),)
    assert (exchange.response.body, exchange.response.header("content-encoding")) == (b"\xff", None)


def test_a_har_that_is_none_or_has_a_broken_entry_is_told(tmp_path):
    path = har(tmp_path)
    path.write_text(path.read_text().replace("startedDateTime", "begin"))
    with pytest.raises(RecordingError, match=r"session.har: entry 1: startedDateTime is missing"):
        read_recording(path)
    path.write_text("{}")
    with pytest.raises(RecordingError, match=r"session.har: this is no HAR 1.2"):
        read_recording(path)


RECORDED = {"time": 1.0, "seconds": 0.5, "status": 200, "headers": []}


def line(key="r-1", *, steps=None, **changes):
    steps = [{"method": "GET", "target": "/"}] if steps is None else steps
    return json.dumps({"case": key, "steps": steps, "recorded": RECORDED | changes}) + "\n"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("{", "this is not JSON"),
        ("[]", "this is no recorded exchange"),
        ('{"case": "x", "steps": []}', "this is no recorded exchange"),
        (line(steps=[{"method": "GET"}]), "target is missing"),
        (line(steps=[]), "request is missing"),
        (line(status="200"), "status is a number"),
        (line(time=None), "float"),
        (line(headers=[["a"]]), "unpack"),
    ],
)
def test_a_broken_line_is_told_with_file_and_line(tmp_path, broken, told):
    path = tmp_path / "recording.jsonl"
    path.write_text(line() + broken.strip() + "\n" + line("r-3"))
    with pytest.raises(RecordingError, match=rf"recording.jsonl:2: .*{told}"):
        read_recording(path)


def test_a_last_line_that_was_not_finished_is_left_out_and_told(tmp_path):
    path = tmp_path / "recording.jsonl"
    path.write_text(line() + line("r-2")[:40])
    recording = read_recording(path)
    assert [exchange.key for exchange in recording.exchanges] == ["r-1"]
    assert "recording.jsonl:2 was not written to its end" in recording.notes[0]


def test_a_folder_is_read_in_the_order_of_time(tmp_path):
    for number, moment in ((1, 3.0), (2, 1.0), (3, 2.0)):
        (tmp_path / f"recording-{number}.jsonl").write_text(line(f"r-{number}", time=moment))
    assert [exchange.key for exchange in read_recording(tmp_path).exchanges] == ["r-2", "r-3", "r-1"]


@pytest.mark.parametrize("name", ["empty", "empty.jsonl", "what.txt"])
def test_a_recording_with_nothing_in_it_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text("") if "." in name else path.mkdir()
    with pytest.raises(RecordingError):
        read_recording(path)


# --- the command


def record(*arguments):
    return CliRunner().invoke(main, ["record", *map(str, arguments)])


def test_record_shows_the_lines_for_both_kinds_of_app():
    ran = record()
    assert ran.exit_code == 0
    assert "app.wsgi_app = WSGIRecorder(app.wsgi_app, " in ran.output
    assert "app = ASGIRecorder(app, " in ran.output


def test_record_tells_what_is_in_a_recording(tmp_path):
    path = tmp_path / "recording.jsonl"
    lines = [
        line("a"),
        line("b"),
        line("b", status=404),
        line("c", steps=[], request={"method": "PUT", "target": "/u/7"}),
    ]
    path.write_text("".join(lines) + line("d", cut=True, dropped=7))
    ran = record("--check", path)
    assert ran.exit_code == 0
    told = [" ".join(text.split()) for text in ran.output.splitlines()]
    assert told == [
        "5 exchanges in 0 s", "3 200 GET /", "1 404 GET /", "1 200 PUT /u/{id}",
        "1 requests are not known whole, and make no case", "1 responses are known in part",
        "1 request ids are not unique", "7 exchanges were dropped before they came to recording.jsonl",
    ]  # fmt: skip


def test_a_broken_recording_is_a_usage_error_with_its_line(tmp_path):
    path = tmp_path / "recording.jsonl"
    path.write_text("{\n" + line())
    ran = record("--check", path)
    assert ran.exit_code == 2
    assert "recording.jsonl:1: this is not JSON" in ran.output


def test_recorded_requests_become_cases_without_secrets_and_nothing_is_written_over(goreplay, tmp_path):
    goreplay.write_bytes(goreplay.read_bytes().replace(b"Host: x", b"Host: x\r\nCookie: sid=hunter2-long"))
    cases = tmp_path / "cases.jsonl"
    assert record("--check", goreplay, "--cases", cases).exit_code == 0
    assert "hunter2" not in cases.read_text()
    ((step,),) = (case.steps for case in load_cases(cases))
    assert (step.method, step.target, step.body) == ("POST", b"/a?b=%20", b'{"x": 1}')
    before = cases.read_text()
    again = record("--check", goreplay, "--cases", cases)
    assert (again.exit_code, cases.read_text()) == (2, before)
    assert "nothing is written over it" in again.output


def test_cases_need_a_recording(tmp_path):
    assert record("--cases", tmp_path / "x").exit_code == 2
    assert record("--check", tmp_path / "nowhere.jsonl").exit_code == 2
