"""On real servers: what only a socket shows"""

import asyncio
import socket
import sys
import time

import httpx
import pytest
from werkzeug.test import create_environ

from contract_tests.live.servers import SERVERS
from contract_tests.parity.servers import Server
from contract_tests.suite import targets
from contract_tests.suite.world import environment, own_world, settings

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module", params=sorted(SERVERS))
def served(request, tmp_path_factory):
    """A server, and the folder of its uploads."""
    # On the embedded database, which migrates itself, and by the very command that `make parity` runs.
    env, folder = environment(settings()), tmp_path_factory.mktemp(request.param)
    with Server([sys.executable, "-m", *SERVERS[request.param].split()], env=env, cwd=folder, ready="/readyz") as it:
        yield it, folder / "var/uploads"


@pytest.mark.servers
@pytest.mark.parametrize(("path", "status"), [("/user", b"413"), ("/nope", b"404"), ("/healthz", b"405")])
def test_an_answer_reaches_a_client_that_sends_its_whole_body_first(served, path, status):
    """A connection closed on unread bytes is reset, and the answer is lost."""
    server, _ = served
    size = 16 * MEBIBYTE
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(head.encode() + b" " * size)
        assert client.recv(12) == b"HTTP/1.1 " + status


@pytest.mark.servers
def test_nothing_is_left_of_an_upload_that_breaks_off(served):
    person = {"name": "Ada", "email": "ada@example.com", "password": "test"}
    server, folder = served
    host, port = server.url.removeprefix("http://").split(":")
    with httpx.Client(base_url=server.url, headers={"Connection": "close"}) as api:
        api.post("/user", json=person)
        cookie = api.post("/session", json={"email": "ada@example.com", "password": "test"}).headers["set-cookie"]
        # Secure cookies do not travel over plain http by themselves.
        api.headers["Cookie"] = cookie.partition(";")[0]
        for declared in (b"Content-Length: 9000000", b"Transfer-Encoding: chunked"):
            head = b"POST /files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n" + declared
            head += b"\r\nCookie: " + api.headers["Cookie"].encode() + b"\r\n\r\n"
            part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * MEBIBYTE
            size = b"%x\r\n" % len(part) if b"chunked" in declared else b""
            with socket.create_connection((host, int(port)), timeout=10) as client:
                client.sendall(head + size + part)
                assert eventually(lambda: any(folder.glob("*")))
            assert eventually(lambda: not any(folder.glob("*")))
        assert api.post("/files", files={"file": ("a", b"whole")}).status_code == 201
        assert len(list(folder.iterdir())) == 1
    assert "Traceback" not in server.log_tail(100_000)


def eventually(condition):
    """Whether it comes about; a limit for hangs only."""
    until = time.monotonic() + 30
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


class BareSocket:
    """The body as a development server hands it over: to read past Content-Length is to wait for ever."""

    def __init__(self, body):
        self.left = body
        self.waits = False

    def read(self, size=-1):
        self.waits |= not 0 <= size <= len(self.left)
        taken, self.left = self.left[:size], self.left[size:]
        return taken


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/user", 200, "201"), ("/user", MEBIBYTE, "201"), ("/user", 2 * MEBIBYTE, "413"), ("/nope", 200, "404")],
)
def test_the_original_reads_a_body_to_its_length_and_no_further(path, size, status):
    person = b'{"name": "Ada", "email": "ada@example.com", "password": "test"}'
    stream = BareSocket(person.ljust(size))
    environ = create_environ(path, method="POST", content_type="application/json")
    environ |= {"wsgi.input": stream, "CONTENT_LENGTH": str(size)}
    environ.pop("wsgi.input_terminated", None)
    statuses = []
    with own_world() as world:
        list(targets.make_original(world.services)(environ, lambda told, *_: statuses.append(told[:3])))
    assert statuses == [status]
    assert stream.left == b""
    assert not stream.waits


def test_the_original_refuses_a_body_that_is_shorter_than_it_says():
    """What has come is whole JSON; its client has not finished to ask."""
    person = b'{"name": "Ada", "email": "ada@example.com", "password": "test"}'
    environ = create_environ(path="/user", method="POST", content_type="application/json")
    environ |= {"wsgi.input": BareSocket(person), "CONTENT_LENGTH": str(len(person) + 1)}
    environ.pop("wsgi.input_terminated", None)
    statuses = []
    with own_world() as world:
        list(targets.make_original(world.services)(environ, lambda told, *_: statuses.append(told[:3])))
    assert statuses == ["400"]


@pytest.mark.parametrize("path", ["/nowhere", "/healthz"])
def test_an_answer_of_the_port_waits_for_the_whole_body(path):
    """In process no connection shows it: what counts is what is left to read when the answer begins."""
    parts, left = [True, False], []
    scope = {"type": "http", "http_version": "1.1", "scheme": "https", "method": "POST", "path": path}
    scope |= {"raw_path": path.encode(), "query_string": b"", "client": ("127.0.0.1", 1)}
    scope |= {"headers": [(b"host", b"testserver"), (b"content-length", b"2")]}

    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": parts.pop(0)}

    async def send(_):
        left.append(len(parts))

    with own_world() as world:
        asyncio.run(targets.make_port(world.services)(scope, receive, send))
    assert left[0] == 0


def test_half_a_body_is_malformed_in_the_port():
    """FastAPI raises ClientDisconnect: a 500 for whoever closed only one side."""
    parts = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    fields = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"content-length", b"9")]
    scope = {"type": "http", "http_version": "1.1", "scheme": "https", "method": "POST", "path": "/user"}
    scope |= {"raw_path": b"/user", "query_string": b"", "client": ("127.0.0.1", 1), "headers": fields}
    statuses = []

    async def receive():
        return parts.pop(0) if len(parts) > 1 else parts[0]

    async def send(message):
        statuses.append(message.get("status"))

    with own_world() as world:
        asyncio.run(targets.make_port(world.services)(scope, receive, send))
    assert statuses[0] == 400
