"""Below the app: what a client sends is answered as by gunicorn, and with uvicorn's own class it is not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from contract_tests.tests.house import uvicorn_threads
from contract_tests.tests.house.uvicorn_threads import (
    BROKEN_OFF,
    CHUNKED,
    LARGE,
    LAST,
    LAST_ANSWER,
    MEBIBYTE,
    UPGRADE,
    head,
    no_field,
    no_line,
    ok,
    refused,
)

# pytest finds fixtures by the names of a module.
ours = uvicorn_threads.ours
own = uvicorn_threads.own

# Name: the packets, whether the client's side is closed behind them, the answers.
ROWS = {
    "trailers are no fields": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\n0\r\nCookie: a=b\r\nX-Request-ID: t\r\n\r\n" + LAST],
        False,
        [ok("POST /p 3 [transfer-encoding]"), LAST_ANSWER],
    ),
    "a trailer that frames breaks the body": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\n0\r\nHost: y\r\n\r\n" + LAST],
        False,
        [(11, 400, None, "POST /p 3 [transfer-encoding]")],
    ),
    "an upgrade that nobody takes, and its body": (
        [head("POST /p", *UPGRADE, "Content-Length: 3") + b"abc" + LAST],
        False,
        [ok("POST /p 3 [connection,upgrade,content-length]"), LAST_ANSWER],
    ),
    "an upgrade in pieces": (
        [
            head("POST /p", *UPGRADE, CHUNKED)[:40],
            head("POST /p", *UPGRADE, CHUNKED)[40:],
            b"3\r\nabc\r\n0\r\n\r\n" + LAST,
        ],
        False,
        [ok("POST /p 3 [connection,upgrade,transfer-encoding]"), LAST_ANSWER],
    ),
    "CONNECT closes": ([head("CONNECT other:80") + LAST], False, [ok("CONNECT /other:80 0 []")]),
    "half-closed behind a request": (
        [head("GET /half") + head("GET /b")],
        True,
        [ok("GET /half 0 []"), ok("GET /b 0 []")],
    ),
    "half-closed within a head": ([head("GET /half") + b"GET /b HT"], True, [ok("GET /half 0 []")]),
    "half-closed within a body": ([head("POST /p", "Content-Length: 9") + b"abc"], True, [BROKEN_OFF]),
    "a chunk that breaks": (
        [head("POST /p", CHUNKED) + b"3\r\nabc\r\nzz\r\n"],
        False,
        [(11, 400, None, "POST /p 3 [transfer-encoding]")],
    ),
    "a broken request behind others": (
        [head("GET /a") + head("GET /b") + b"BROKEN\r\n\r\n" + LAST],
        False,
        [ok("GET /a 0 []"), ok("GET /b 0 []"), no_line("BROKEN")],
    ),
    "a broken head": ([head("GET /", "X Y: z")], False, [no_field("X Y")]),
    "a broken head in pieces": ([b"GET / HTTP/1.1\r\nX Y", b": z\r\n\r", b"\n"], False, [no_field("X Y")]),
    "a broken head in pieces behind others": (
        [head("GET /a") + head("GET /b") + b"GET / HT", b"TP/1.1\r\nX Y", b": z\r\n\r", b"\n"],
        False,
        [ok("GET /a 0 []"), ok("GET /b 0 []"), no_field("X Y")],
    ),
    "a broken head behind more of a body than one read": (
        [head("POST /p", f"Content-Length: {len(LARGE)}") + LARGE + head("GET /", "X Y: z")],
        False,
        [ok(f"POST /p {len(LARGE)} [content-length]"), no_field("X Y")],
    ),
    "a method that httptools does not know": ([head("BREW /a") + LAST], False, [ok("BREW /a 0 []"), LAST_ANSWER]),
    "the same in pieces": (
        [b"B", b"REW /a HTTP/1.1\r", b"\n\r", b"\n" + LAST],
        False,
        [ok("BREW /a 0 []"), LAST_ANSWER],
    ),
    "the same behind others": (
        [head("POST /p", "Content-Length: 3") + b"abc" + head("BREW /a") + head("FOO /b") + LAST],
        False,
        [ok("POST /p 3 [content-length]"), ok("BREW /a 0 []"), ok("FOO /b 0 []"), LAST_ANSWER],
    ),
    "the same with a body and an upgrade": (
        [head("BREW /a", *UPGRADE, "Content-Length: 3") + b"abc" + LAST],
        False,
        [ok("BREW /a 3 [connection,upgrade,content-length]"), LAST_ANSWER],
    ),
    "the same with a line as long as it may be": (
        [b"FOO /" + b"a" * 4080 + b" HTTP/1.1\r\n\r\n" + LAST],
        False,
        [ok("FOO /" + "a" * 4080 + " 0 []"), LAST_ANSWER],
    ),
    "the same with a WebSocket's upgrade": (
        [head("BREW /a", "Connection: Upgrade", "Upgrade: websocket") + LAST],
        False,
        [ok("BREW /a 0 [connection,upgrade]"), LAST_ANSWER],
    ),
    "a broken head behind an upgrade in pieces": (
        [head("GET /q", *UPGRADE)[:30], head("GET /q", *UPGRADE)[30:] + head("GET /", "X Y: z")],
        False,
        [ok("GET /q 0 [connection,upgrade]"), no_field("X Y")],
    ),
    "a host without a path": ([head("GET http://x?y") + LAST], False, [ok("GET  0 []"), LAST_ANSWER]),
    "a host without a port": ([head("GET http://x:y/a?b") + LAST], False, [ok("GET /a 0 []"), LAST_ANSWER]),
    "a file of no host": ([head("GET file:///a") + LAST], False, [ok("GET /a 0 []"), LAST_ANSWER]),
    "two empty lines": ([b"\r\n\r\n" + LAST], False, [no_line("")]),
    "two spaces": ([head("GET  /")], False, [no_line("GET  / HTTP/1.1")]),
    "HTTP/0.9": ([b"GET /\r\n"], False, [no_line("GET /")]),
    "RTSP": (
        [b"SETUP / RTSP/1.0\r\n"],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Version &#x27;Invalid HTTP Version: &#x27;RTSP/1.0&#x27;&#x27;")],
    ),
    "a broken length": (
        [head("GET /", "Content-Length: -1")],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Header: &#x27;CONTENT-LENGTH&#x27;")],
    ),
    "a coding that nobody knows": (
        [head("POST /coding", "Transfer-Encoding: zqx") + b"abc"],
        False,
        [refused(501, "Bad Request", "Unsupported transfer coding: &#x27;zqx&#x27;")],
    ),
    "a coding that does not end": (
        [head("POST /coding", "Transfer-Encoding: gzip") + b"abc"],
        False,
        [refused(400, "Bad Request", "Invalid HTTP Header: &#x27;TRANSFER-ENCODING&#x27;")],
    ),
    "letters without end": (
        [b"A" * 70000],
        False,
        [refused(414, "URI Too Long", "Request Line is too large (8192 &gt; 4094)")],
    ),
    "a target without end": (
        [b"GET /" + b"a" * 70000],
        False,
        [refused(414, "URI Too Long", "Request Line is too large (8192 &gt; 4094)")],
    ),
    "a head without end": (
        [b"GET / HTTP/1.1\r\nX: " + b"a" * MEBIBYTE],
        False,
        [refused(431, "Request Header Fields Too Large", "Error parsing headers: &#x27;max buffer headers&#x27;")],
    ),
    "fields without end": (
        [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000],
        False,
        [refused(431, "Request Header Fields Too Large", "Error parsing headers: &#x27;max buffer headers&#x27;")],
    ),
    "HTTP/1.0 is answered as such": ([head("GET /a", version="1.0")], False, [ok("GET /a 0 []", 10)]),
    "no chunks for HTTP/1.0": ([head("GET /stream", version="1.0")], False, [ok("GET /stream 0 []!", 10)]),
    "HTTP/1.0 is kept": (
        [head("GET /a", "Connection: Keep-Alive", version="1.0") + LAST],
        False,
        [ok("GET /a 0 [connection]", 10), LAST_ANSWER],
    ),
    "close among others is no close": (
        [head("GET /a", "Connection: close, x") + LAST],
        False,
        [ok("GET /a 0 [connection]"), LAST_ANSWER],
    ),
    "Proxy-Connection is not read": (
        [head("GET /a", "Proxy-Connection: close"), LAST],
        False,
        [ok("GET /a 0 [proxy-connection]"), LAST_ANSWER],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_it_is_answered_as_by_gunicorn(ours, row):
    packets, shut, answers = ROWS[row]
    assert ours.talk(*packets, shut=shut) == answers


@pytest.fixture(scope="module")
def by_own(own):
    """What uvicorn's own class answers to each row. On some it hangs: they are waited for at once."""
    with ThreadPoolExecutor(len(ROWS)) as pool:
        return {row: pool.submit(own.talk, *packets, shut=shut) for row, (packets, shut, _) in ROWS.items()}


@pytest.mark.parametrize("row", ROWS)
def test_uvicorn_s_own_class_answers_otherwise(by_own, row):
    assert by_own[row].result() != ROWS[row][2]
