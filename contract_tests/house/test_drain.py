"""On real servers: what only a socket shows"""

import socket
import sys

import pytest

from contract_tests.live import SERVERS
from contract_tests.parity.servers import Server
from contract_tests.world import environment, settings

MEBIBYTE = 1 << 20


@pytest.fixture(params=sorted(SERVERS))
def server(request, tmp_path):
    # On the embedded database, which migrates itself, and by the very command that `make parity` runs.
    env = environment(settings())
    with Server([sys.executable, "-m", *SERVERS[request.param].split()], env=env, cwd=tmp_path, ready="/readyz") as it:
        yield it


@pytest.mark.parametrize(("path", "status"), [("/user", b"413"), ("/nope", b"404"), ("/healthz", b"405")])
def test_an_answer_reaches_a_client_that_sends_its_whole_body_first(server, path, status):
    """A connection closed on unread bytes is reset, and the answer is lost."""
    size = 16 * MEBIBYTE
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(head.encode() + b" " * size)
        assert client.recv(12) == b"HTTP/1.1 " + status
