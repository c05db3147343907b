"""The recorder's two pieces: each app and each server see what they saw before, and what passed by is on record"""

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from contract_tests.parity.recording import ASGIRecorder, Recorder, WSGIRecorder

ROOT = Path(__file__).parents[3]


@pytest.fixture
def recorder(tmp_path):
    made = Recorder(tmp_path / "recording", key="a key")
    yield made
    made.close()


def lines(recorder):
    recorder.close()
    files = sorted((recorder._rotation.folder).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def environ(method="GET", target="/a?b=%20", body=b"", **more):
    path, _, query = target.partition("?")
    made = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": target,
        "SERVER_NAME": "testserver", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "testserver",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, **more,
    }  # fmt: skip
    if body:
        made |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    return made


class Server:
    """A WSGI server's side of one request."""

    def __init__(self, app, given):
        self.started, self.written = [], []
        self.result = app(given, self.start)

    def start(self, status, headers, *_):
        self.started.append((status, headers))
        return self.written.append

    def read(self):
        body = b"".join(self.result)
        self.close()
        return body

    def close(self):
        getattr(self.result, "close", lambda: None)()


def hello(environ, start_response):
    body = environ["wsgi.input"].read(1 << 16)
    start_response("201 CREATED", [("Content-Type", "text/plain"), ("X-Request-ID", "from-the-app")])
    return iter([b"hello ", body])


def silent(environ, start_response):
    start_response("204 NO CONTENT", [])
    return []


def test_a_wsgi_exchange_is_one_line_that_is_a_case(recorder):
    app = WSGIRecorder(validator(hello), recorder)
    assert Server(validator(app), environ("POST", "/a?b=%20", b'{"x": 1}')).read() == b'hello {"x": 1}'
    (line,) = lines(recorder)
    headers = [["Host", "testserver"], ["Content-Type", "application/json"]]
    assert line["steps"] == [{"method": "POST", "target": "/a?b=%20", "headers": headers, "body": '{"x": 1}'}]
    assert line["case"] == "from-the-app"
    recorded = line["recorded"]
    assert (recorded["status"], recorded["body"]) == (201, 'hello {"x": 1}')
    assert recorded["headers"][0] == ["Content-Type", "text/plain"]
    assert recorded["seconds"] > 0


def test_the_requests_own_id_comes_before_the_responses_and_one_is_made_where_there_is_none(recorder):
    app = WSGIRecorder(hello, recorder)
    Server(app, environ(HTTP_X_REQUEST_ID="of-the-proxy")).read()
    Server(WSGIRecorder(silent, recorder), environ()).read()
    first, second = lines(recorder)
    assert first["case"] == "of-the-proxy"
    assert second["case"].startswith("made-")


def test_a_wsgi_body_is_passed_on_piece_by_piece(recorder):
    made = []

    def app(environ, start_response):
        start_response("200 OK", [])
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    server = Server(WSGIRecorder(app, recorder), environ())
    pieces = iter(server.result)
    assert next(pieces) == b"0"
    assert made == [0]
    assert [*pieces] == [b"1", b"2"]
    server.close()
    assert lines(recorder)[0]["recorded"]["body"] == "012"


def test_closing_closes_the_apps_result_once_and_tells_of_a_client_that_went_away(recorder):
    closed = []

    class Result:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Result()

    server = Server(WSGIRecorder(app, recorder), environ())
    next(iter(server.result))
    server.close()
    assert closed == [True]
    assert lines(recorder)[0]["recorded"]["failure"] == "disconnected"


def test_a_second_start_response_counts_and_what_is_written_the_old_way_is_kept(recorder):
    def app(environ, start_response):
        start_response("200 OK", [("X-First", "1")])
        write = start_response("500 OOPS", [("X-Second", "2")], sys.exc_info())
        write(b"old ")
        return [b"new"]

    server = Server(WSGIRecorder(app, recorder), environ())
    server.read()
    assert server.written == [b"old "]
    assert [status for status, _ in server.started] == ["200 OK", "500 OOPS"]
    recorded = lines(recorder)[0]["recorded"]
    assert (recorded["status"], recorded["headers"], recorded["body"]) == (500, [["X-Second", "2"]], "old new")


def test_a_list_stays_a_list_and_a_file_stays_the_servers_file(recorder, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb")) if "file" in environ["PATH_INFO"] else [b"x"]

    recorded = WSGIRecorder(app, recorder)
    assert Server(recorded, environ()).result == [b"x"]
    served = Server(recorded, environ(target="/file", **{"wsgi.file_wrapper": FileWrapper}))
    assert type(served.result) is FileWrapper
    assert served.read() == b"content"
    assert lines(recorder)[1]["recorded"]["cut"] is True


@pytest.mark.parametrize("started", [True, False])
def test_an_exception_passes_and_is_on_record(recorder, started):
    def app(environ, start_response):
        if started:
            start_response("200 OK", [])
            yield b"a"
        raise LookupError("hunter2")

    server = Server(WSGIRecorder(app, recorder), environ())
    with pytest.raises(LookupError):
        list(server.result)
    server.close()
    assert lines(recorder)[0]["recorded"]["failure"] == ("truncated" if started else "raised")


def test_a_body_is_cut_at_the_bound_and_a_request_that_is_cut_makes_no_case(tmp_path):
    recorder = Recorder(tmp_path / "recording", body_bytes=4)
    app = WSGIRecorder(hello, recorder)
    assert Server(app, environ("POST", "/", b"123456")).read() == b"hello 123456"
    line = lines(recorder)[0]
    assert line["steps"] == []
    assert line["recorded"]["request"]["target"] == "/"
    assert (line["recorded"]["body"], line["recorded"]["cut"], line["recorded"]["length"]) == ("hell", True, 12)
    assert "123456" not in json.dumps(line["recorded"]["request"])


def test_a_request_whose_body_the_app_did_not_read_makes_no_case(recorder):
    def app(environ, start_response):
        start_response("413 TOO LARGE", [])
        return []

    Server(WSGIRecorder(app, recorder), environ("POST", "/", b"123456")).read()
    assert lines(recorder)[0]["steps"] == []


def test_each_way_to_read_a_body_is_seen(recorder):
    def app(environ, start_response):
        stream = environ["wsgi.input"]
        stream.read(2), stream.readline(), next(iter(stream)), stream.readlines()
        start_response("200 OK", [])
        return []

    Server(WSGIRecorder(app, recorder), environ("POST", "/", b"12345\nb\nc\nd\n")).read()
    assert lines(recorder)[0]["steps"][0]["body"] == "12345\nb\nc\nd\n"


def test_the_target_is_written_again_where_the_server_tells_no_raw_one(recorder):
    given = environ(target="/caf\xc3\xa9 x?y=1")
    given.pop("RAW_URI")
    Server(WSGIRecorder(hello, recorder), given).read()
    assert lines(recorder)[0]["steps"][0]["target"] == "/caf%C3%A9%20x?y=1"


# --- ASGI


def scope(method="GET", target=b"/a?b=1", headers=(), kind="http"):
    path, _, query = target.partition(b"?")
    return {
        "type": kind, "method": method, "path": path.decode(), "raw_path": path, "query_string": query,
        "headers": [(b"host", b"testserver"), *headers],
    }  # fmt: skip


def run(app, given, *incoming):
    """What the app sent, given these messages."""
    sent, waiting = [], list(incoming) or [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app(given, receive, send))
    return sent


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"got ", "more_body": True})
    await send({"type": "http.response.body", "body": body})


def test_an_asgi_exchange_is_one_line_that_is_a_case(recorder):
    given = scope("POST", headers=[(b"x-request-id", b"r-1"), (b"content-length", b"4")])
    pieces = [{"type": "http.request", "body": piece, "more_body": piece == b"ab"} for piece in (b"ab", b"cd")]
    sent = run(ASGIRecorder(echo, recorder), given, *pieces)
    assert [message.get("body") for message in sent] == [None, b"got ", b"abcd"]
    (line,) = lines(recorder)
    assert line["case"] == "r-1"
    assert line["steps"][0] == {
        "method": "POST", "target": "/a?b=1", "headers": [["host", "testserver"], ["x-request-id", "r-1"]],
        "body": "abcd",
    }  # fmt: skip
    assert (line["recorded"]["status"], line["recorded"]["body"]) == (200, "got abcd")


def test_a_client_that_goes_away_before_the_end_is_told_and_one_after_it_is_not(recorder):
    run(ASGIRecorder(echo, recorder), scope("POST", headers=[(b"content-length", b"9")]), {"type": "http.disconnect"})
    run(ASGIRecorder(echo, recorder), scope())
    first, second = lines(recorder)
    assert first["recorded"]["failure"] == "disconnected"
    assert "failure" not in second["recorded"]


def test_a_send_that_fails_is_a_client_that_went_away(recorder):
    async def gone(message):
        raise OSError("gone")

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    with pytest.raises(OSError, match="gone"):
        asyncio.run(ASGIRecorder(echo, recorder)(scope(), receive, gone))
    assert lines(recorder)[0]["recorded"]["failure"] == "disconnected"


def test_an_asgi_app_that_raises_or_stops_early_is_told(recorder):
    async def raising(scope, receive, send):
        raise LookupError

    async def stopping(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})

    with pytest.raises(LookupError):
        run(ASGIRecorder(raising, recorder), scope())
    run(ASGIRecorder(stopping, recorder), scope())
    assert [line["recorded"]["failure"] for line in lines(recorder)] == ["raised", "truncated"]


def test_lifespan_and_websockets_pass_untouched_and_a_shutdown_writes_what_waits(recorder, tmp_path):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["type"], receive, send))
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.shutdown.complete"})

    async def receive(): ...

    async def send(message): ...

    recorded = ASGIRecorder(app, recorder)
    run(ASGIRecorder(echo, recorder), scope())
    asyncio.run(recorded({"type": "websocket", "headers": []}, receive, send))
    assert seen == [("websocket", receive, send)]
    asyncio.run(recorded({"type": "lifespan"}, receive, send))
    assert len(next((tmp_path / "recording").glob("*")).read_text().splitlines()) == 1


def test_the_same_ids_are_sampled_on_both_sides(tmp_path):
    sides = [Recorder(tmp_path / name, sample=0.3) for name in ("a", "b")]
    wsgi, asgi = WSGIRecorder(hello, sides[0]), ASGIRecorder(echo, sides[1])
    for number in range(200):
        Server(wsgi, environ(HTTP_X_REQUEST_ID=f"id-{number}")).read()
        run(asgi, scope(headers=[(b"x-request-id", b"id-%d" % number)]))
    ours, theirs = ([line["case"] for line in lines(side)] for side in sides)
    assert ours == theirs
    assert 30 < len(ours) < 90


def test_the_recorder_needs_nothing_but_python_and_none_of_the_engine():
    code = "import sys, contract_tests.parity.recording; print(*sorted(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env={}
    )
    loaded = set(ran.stdout.split())
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"contract_tests", "__main__"}
    assert foreign <= {"sitecustomize", "usercustomize"}
    assert not loaded & {f"contract_tests.parity.{name}" for name in ("pair", "drivers", "ledger", "specs", "cases")}
