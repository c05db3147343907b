"""A request that is known to be in the app's hands: it said 100 Continue, and its body comes when we say."""

from __future__ import annotations

import contextlib
import socket

from contract_tests.live.resilience.burst import SILENCE
from contract_tests.live.resilience.wire import Answer, request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Upload:
    """A POST whose head is sent and taken. A server says 100 Continue when its app, or it for it, wants the body."""

    def __init__(self, port: int, path: str, body: object) -> None:
        self._head, _, self._content = request("POST", path, body=body, expects=True).partition(b"\r\n\r\n")
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE)
        self._socket.sendall(self._head + b"\r\n\r\n")

    def await_continue(self) -> None:
        """Wait until the server asks for the body."""
        got = b""
        while len(got) < len(CONTINUE):
            data = self._socket.recv(len(CONTINUE) - len(got))
            assert data, "closed instead of asking for the body"
            got += data
        assert got == CONTINUE

    def finish(self) -> None:
        """Send the body, to whoever is there yet."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(self._content)

    def close(self) -> None:
        self._socket.close()

    def answer(self) -> Answer:
        """The answer, as far as the connection has one."""
        answer = Answer()
        with contextlib.suppress(ConnectionError), self._socket:
            while not answer.take(self._socket.recv(1 << 16)) and not answer.ended:
                pass
        return answer
