"""A server that reads and says what its script tells it to, and notes what it was sent."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from contract_tests.parity.drivers import http
from contract_tests.parity.messages import Request, Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = Request("GET", b"/")


class Conversation:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unread = b""

    def request(self) -> bytes:
        """The next request, head and body, as it came; empty where the client has gone."""
        while b"\r\n\r\n" not in self.unread:
            if not self._more():
                return b""
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        while len(self.unread) < size and self._more():
            pass
        body, self.unread = self.unread[:size], self.unread[size:]
        return head + b"\r\n\r\n" + body

    def until(self, end: bytes) -> bytes:
        while not self.unread.endswith(end) and self._more():
            pass
        return self.unread

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self.unread += data
        return bool(data)

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close so that the client gets a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


Script = Callable[[Conversation], None]


class ScriptedServer:
    """A listener that plays one script for each connection, the last one for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.connections = 0
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(sock)
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self.play, args=(script, sock))
            self.threads.append(thread)
            thread.start()

    def play(self, script: Script, sock: socket.socket) -> None:
        with sock:
            try:
                script(Conversation(sock))
            except OSError:
                # The client has gone, or the test has ended.
                return

    def wait(self) -> None:
        """Wait for the conversations to end by themselves."""
        for thread in self.threads[1:]:
            thread.join(10)

    def close(self) -> None:
        # A closed listener does not wake a thread in accept(), a shut one does.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        self.listener.close()
        for sock in self.open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self.threads[1:]:
            thread.join()


Serve = Callable[..., ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ScriptedServer] = []

    def start(*scripts: Script) -> ScriptedServer:
        servers.append(ScriptedServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def answering(*answers: bytes) -> Script:
    """Answer each request of a connection in turn, then close it."""

    def script(conversation: Conversation) -> None:
        for answer in answers:
            if not conversation.request():
                return
            conversation.say(answer)

    return script


def once(serve: Serve, answer: bytes, request: Request = GET) -> Response:
    """The outcome of one request to a server that answers so and closes."""
    with http(serve(answering(answer)).url) as target:
        return target.send(request)


def sent(serve: Serve, request: Request) -> bytes:
    """The bytes that a request puts on the wire."""
    seen: list[bytes] = []

    def script(conversation: Conversation) -> None:
        seen.append(conversation.request())
        conversation.say(OK)

    server = serve(script)
    with http(server.url) as target:
        target.send(request)
    return seen[0].replace(server.url.removeprefix("http://").encode(), b"HOST")
