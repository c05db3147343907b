"""What is said of a head that is wrong is what gunicorn's own parser says of the same bytes, in the same words."""

import random

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.base import Worker

from fastapi_app.wire.heads import BLOCK, page
from fastapi_app.wire.refusals import is_whole, refusal


class Client:
    """A socket that keeps what is sent."""

    def __init__(self):
        self.sent = b""

    def gettimeout(self):
        return 0.0

    def sendall(self, data):
        self.sent += data


class Log:
    def warning(self, *args):
        pass

    def debug(self, *args):
        raise AssertionError(args)


def config():
    made = Config()
    made.set("http_parser", "python")
    # Whom it believes is not what a head is refused for.
    made.set("secure_scheme_headers", {})
    return made


CONFIG = config()


def by_gunicorn(*pieces):
    """gunicorn's whole answer, and whether it would wait for more."""
    worker = object.__new__(Worker)
    worker.cfg, worker.log = CONFIG, Log()
    client = Client()
    try:
        Request(CONFIG, IterUnreader(iter(pieces)), ("192.0.2.1", 1))
    except (NoMoreData, StopIteration):
        return b"", True
    except Exception as error:
        # With a request there would be a line in the access log too.
        vars(error).pop("req", None) if hasattr(error, "hdr") else None
        worker.handle_error(None, client, ("192.0.2.1", 1), error)
    return client.sent, False


def by_us(head, held=0):
    refused = refusal(head, held)
    if refused is None:
        return b"", not is_whole(head)
    content = bytes(page(refused).body)
    start = f"HTTP/1.1 {refused.status} {refused.reason}\r\nConnection: close\r\nContent-Type: text/html\r\n"
    return start.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content, False


def blocks(head):
    """As a socket gives it."""
    return [head[at : at + BLOCK] for at in range(0, len(head), BLOCK)]


def whole(line=b"GET / HTTP/1.1", *fields):
    return b"\r\n".join([line, *fields, b"", b""])


MANY = [b"A: b"] * 100
LINES = [
    b"GET / HTTP/1.1",
    b"GET  / HTTP/1.1",
    b"GET /\r\n",
    b"GET / ",
    b"",
    b" ",
    b"GET",
    b"GET /",
    b" GET / HTTP/1.1",
    b"G / HTTP/1.1",
    b"get / HTTP/1.1",
    b"GeT / HTTP/1.1",
    b"G#T / HTTP/1.1",
    b"G\xe9T / HTTP/1.1",
    b"G(T / HTTP/1.1",
    b"FOO / HTTP/1.1",
    b"M-SEARCH / HTTP/1.1",
    b"ABCDEFGHIJKLMNOPQRST / HTTP/1.1",
    b"ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1",
    b"GET /\xe9 HTTP/1.1",
    b"GET /\x7f HTTP/1.1",
    b"GET /a\tb HTTP/1.1",
    b"GET /a b HTTP/1.1",
    b"GET a HTTP/1.1",
    b"GET * HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"GET a:1 HTTP/1.1",
    b"GET http://a HTTP/1.1",
    b"GET http://[a HTTP/1.1",
    b"GET http://[::1]/ HTTP/1.1",
    b"GET http://a:x/ HTTP/1.1",
    b"GET //[a HTTP/1.1",
    b"GET file:///x HTTP/1.1",
    b"GET / HTTP/0.9",
    b"GET / HTTP/1.0",
    b"GET / HTTP/1.2",
    b"GET / HTTP/1.10",
    b"GET / HTTP/2.0",
    b"GET / HTTP/1",
    b"GET / http/1.1",
    b"GET / HTTP/1.1 ",
    b"GET / RTSP/1.0",
    b"SOURCE / ICE/1.0",
    b"PRI * HTTP/2.0",
    b"GET / HTTP/\xb2.1",
    b"<script> / HTTP/1.1",
    b"GET /'\"& x",
    b"\x16\x03\x01\x02",
    b"GET / HTTP/1.1\nHost: a",
    b"GET /" + b"x" * 4080 + b" HTTP/1.1",
    b"GET /" + b"x" * 4081 + b" HTTP/1.1",
    b"GET /" + b"x" * 9000 + b" HTTP/1.1",
]
FIELDS = [
    (b"Host: a", b"host: a"),
    (b"Content-Type: a", b"Content-Type: a"),
    (b"Expect: 100-continue",),
    (b"Expect: 100-Continue \t",),
    (b"Expect: y\xe9s",),
    (b"a",),
    (b"a b",),
    (b": b",),
    (b" a: b",),
    (b"a : b",),
    (b"a\t: b",),
    (b"a\xe9: b",),
    (b"\xb5: b",),
    (b"a: b", b" c"),
    (b"a_b: c", b"\td"),
    (b"a: b\x00c",),
    (b"a: \x0b",),
    (b"a: b\rc",),
    (b"a: b\nc",),
    (b"a: \x7f",),
    (b"a: \xff\t\xa0",),
    (b"a:",),
    (b"a_b: c",),
    (*MANY, b"a: b"),
    (*MANY, b"a b"),
    (*MANY[1:], b"a: b"),
    (*MANY, b"a_b: c"),
    (*MANY[1:], b"a_b: c", b"a: b"),
    (b"a: " + b"b" * 8185,),
    (b"a: " + b"b" * 8186,),
    (b"a: " + b"b" * 8186 + b"\x00",),
    (b"a: " + b"b" * 8000, b"a: b\nc", b"a: " + b"b" * 8000),
    (b"a: " + b"b" * 8000, b"a: b", b"a: \n" + b"b" * 8000),
    (b"Content-Length: 1", b"Content-Length: 1"),
    (b"Content-Length: 1", b"Content-Length: 1", b"Transfer-Encoding: x"),
    (b"Transfer-Encoding: x", b"Content-Length: 1", b"Content-Length: 1"),
    (b"Content-Length: 1", b"Content-Length: 1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"),
    (b"Transfer-Encoding: chunked", b"Content-Length: 1", b"Content-Length: 1", b"Transfer-Encoding: x"),
    (b"Content-Length: ",),
    (b"Content-Length: +1",),
    (b"Content-Length: -1",),
    (b"Content-Length: 1_0",),
    (b"Content-Length: 1, 1",),
    (b"Content-Length: \xb2",),
    (b"Content-Length: \xbd",),
    (b"Content-Length: 007",),
    (b"Content-Length: " + b"9" * 4300,),
    (b"Content-Length: " + b"9" * 4301,),
    (b"Content-Length: " + b"9" * 4301, b"a b"),
    (b"Content_Length: x",),
    (b"Transfer-Encoding: chunked",),
    (b"Transfer-Encoding: chunked", b"Content-Length: 1"),
    (b"Transfer-Encoding: chunked", b"Content-Length: x"),
    (b"Transfer-Encoding: ",),
    (b"Transfer-Encoding: identity",),
    (b"Transfer-Encoding: gzip",),
    (b"Transfer-Encoding: gzip, Chunked",),
    (b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    (b"Transfer-Encoding: chunked, gzip",),
    (b"Transfer-Encoding: chunked, x",),
    (b"Transfer-Encoding: chunked,",),
    (b"Transfer-Encoding: 'chunked'",),
    (b"Transfer-Encoding: \x0bchunked",),
    (b"Transfer_Encoding: x",),
    (b"Host: a", b"Transfer-Encoding: x", b"Host: a"),
]
OPEN = [
    b"",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n\r",
    b"\rG",
    b"\n",
    b"GET",
    b"GET / HTTP/1.1\r",
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\n\r",
    b"GET / HTTP/1.1\r\na b\r\n",
    b"GET / HTTP/1.1\r\na: b\n",
    b"GET / HTTP/1.1\r\na: b\r\n\n",
    b"GET / HTTP/1.1\na: b",
    b"x" * 4096,
    b"x" * 4097,
    b"\r\n" + b"x" * 9000,
    b"GET / HTTP/1.1\r\n" + b"a" * 819204,
    b"GET / HTTP/1.1\r\n" + b"a" * 819205,
]
HEADS = [
    *(whole(line) for line in LINES),
    *(whole(b"GET / HTTP/1.1", *fields) for fields in FIELDS),
    *(whole(b"POST / HTTP/1.0", *fields) for fields in FIELDS),
    *OPEN,
]
SEEDS = [head for head in HEADS if len(head) < 2000]
SHORT = [head for head in HEADS if len(head) < 50_000]
BITS = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b"\x00",
    b"\xe9",
    b"_",
    b"0",
    b"chunked",
    b"\r\n\r\n",
    b"//",
    b"[",
]


@pytest.mark.parametrize("number", range(len(HEADS)))
def test_a_head_is_refused_in_gunicorn_s_words(number):
    head = HEADS[number]
    assert by_us(head) == by_gunicorn(*blocks(head))


def changed(draw, head):
    """A head with up to four changes: so many bytes from anywhere, and one of BITS in their place."""
    for _ in range(draw.randint(0, 4)):
        at = draw.randint(0, 400) % (len(head) + 1)
        head = head[:at] + draw.choice(BITS) + head[at + draw.randint(0, 3) :]
    return head


@pytest.mark.parametrize("seed", range(10))
def test_any_head_is_refused_in_gunicorn_s_words(seed):
    draw = random.Random(seed)
    for _ in range(1000):
        head = changed(draw, draw.choice(SEEDS))
        assert by_us(head) == by_gunicorn(*blocks(head)), head


@pytest.mark.parametrize("seed", range(4))
def test_a_head_in_pieces_is_refused_as_soon_as_by_gunicorn(seed):
    draw = random.Random(seed)
    for _ in range(1000):
        entire = draw.choice(SHORT)
        cuts = sorted(draw.randint(0, len(entire)) for _ in range(draw.randint(0, 4)))
        pieces = [entire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(entire)], strict=True) if begin < end]
        told, head = (b"", True), b""
        for piece in pieces:
            held, head = len(head), head + piece
            told = by_us(head, held)
            if told != (b"", True):
                break
        assert told == by_gunicorn(*(block for piece in pieces for block in blocks(piece))), pieces
