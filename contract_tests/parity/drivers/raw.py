"""One connection, byte for byte: what a server answers to a probe, how it frames that, how it leaves the connection.

Client libraries normalise what they send and hide what they receive; here nothing is.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract_tests.parity.drivers.http11 import Incoming, ProtocolError, Stream
from contract_tests.parity.messages import Response
from contract_tests.parity.probes import Act, Send

PAUSE = 0.05
# Seconds that an answer which has begun may stall.
STALLED = 1.0
# Asks on a connection that was left open whether it is: the answers before it come before its own.
LAST = b"GET /the-last-request-of-the-probe HTTP/1.1\r\nHost: testserver\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and what a client sees of it beside: version, reason phrase, framing, interim responses before it.

    `framing` is "length", "chunked", "close", or "none" where there can be no body.
    """

    response: Response
    version: str = "1.1"
    reason: str = ""
    framing: str = "none"
    interim: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that came back over one connection.

    `ending`: "kept" (another request was answered), "closed" by the server, "waiting" (it waited for more of what it
    was sent, until we closed our side), "deaf" (left open, and another request was not heard), "hangs" (open at the
    end of all patience), "dropped" by us. `received` is the moment of the end, in seconds since the epoch.
    """

    answers: tuple[Answer, ...]
    ending: str
    received: float = field(default=0.0, compare=False)


def converse(
    port: int, steps: Sequence[Send | Act], methods: Sequence[str], *, quiet: float = 1.0, patience: float = 8.0
) -> Conversation:
    """Send a probe to a server on 127.0.0.1, and read what comes of it.

    `methods` are those of the requests, in their order: an answer to HEAD has no body. A server that says nothing for
    `quiet` seconds waits for more; `patience` is for the whole, in seconds.
    """
    deadline = time.monotonic() + patience
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=patience)
    except OSError:
        return Conversation((Answer(Response(0, failure="refused")),), "closed", time.time())
    with connection:
        talk = Talk(connection, list(methods), quiet, deadline)
        ending = talk.have(steps)
        return Conversation(tuple(talk.answers), ending, time.time())


class Talk:
    """The connection of one probe."""

    def __init__(self, connection: socket.socket, methods: list[str], quiet: float, deadline: float) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers: list[Answer] = []
        self._socket = connection
        self._stream = Stream(connection)
        self._methods = methods
        self._quiet = quiet
        self._deadline = deadline
        self._shut = False
        self._open = True
        self._keeps = True

    def have(self, steps: Sequence[Send | Act]) -> str:
        """Say it all, hear all answers, and tell how it ends."""
        for step in steps:
            if isinstance(step, Send):
                self._say(step.data)
            elif step.name == "drop":
                return "dropped"
            elif not self._act(step.name):
                break
        while self._open and self._keeps and len(self.answers) < len(self._methods):
            if not self._hear():
                return self._part("waiting")
        return self._end()

    def _act(self, name: str) -> bool:
        """Whether to go on."""
        if name == "pause":
            time.sleep(PAUSE)
        elif name == "shut":
            self._shut_down()
        elif name == "await":
            return self._hear() and self._open and self._keeps
        return True

    def _say(self, data: bytes) -> None:
        self._stream.begin(self._deadline)
        with contextlib.suppress(OSError):
            self._stream.send(data)

    def _shut_down(self) -> None:
        self._shut = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _hear(self) -> bool:
        """Whether an answer came or the connection was closed, before it became quiet."""
        if not self._arrives():
            return False
        if self._ended():
            self._open = False
            return True
        method = self._methods[len(self.answers)] if len(self.answers) < len(self._methods) else "GET"
        incoming = Incoming(method)
        self._stream.begin(min(self._deadline, time.monotonic() + max(self._quiet, STALLED)))
        failure = _failure(incoming, self._stream)
        waits = failure == "timeout" and not incoming.status and bool(incoming.interim)
        if waits:
            # It said that it wants the body, and waits for it.
            failure = None
        self._keeps = (incoming.keep_alive or waits) and failure is None
        self._open = failure is None
        self.answers.append(
            Answer(
                Response(incoming.status, incoming.headers, bytes(incoming.body), failure),
                f"1.{incoming.version.decode() or '1'}",
                incoming.reason.decode("latin-1"),
                incoming.framing,
                tuple(incoming.interim),
            )
        )
        return not waits

    def _end(self) -> str:
        """How the server leaves a connection whose answers are all there."""
        if not self._open:
            return "closed"
        if not self._keeps or self._shut:
            return self._rest("closed")
        heard = len(self.answers)
        self._say(LAST)
        if not self._hear():
            return self._part("deaf")
        if self._open:
            self._rest("closed")
        if len(self.answers) == heard:
            return "closed"
        # The last answer is to our own request, which is none of the probe's.
        self.answers.pop()
        return "kept"

    def _part(self, ending: str) -> str:
        """What comes once nothing more can be sent."""
        if self._shut:
            return "hangs"
        self._shut_down()
        return self._rest(ending)

    def _rest(self, ending: str) -> str:
        """Hear until the server closes."""
        while self._open:
            self._quiet = max(self._deadline - time.monotonic(), 0.0)
            if not self._hear():
                return "hangs"
        return ending

    def _arrives(self) -> bool:
        if self._stream.pending:
            return True
        left = max(min(self._quiet, self._deadline - time.monotonic()), 0.0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(left))

    def _ended(self) -> bool:
        """Whether the server has closed the connection; that it did so with a reset is chance."""
        if self._stream.pending:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


def _failure(incoming: Incoming, stream: Stream) -> str | None:
    """How reading a response failed. A reset is a truncation: which of the two it is is a matter of timing."""
    try:
        incoming.read(stream)
    except TimeoutError:
        return "timeout"
    except (ProtocolError, OSError):
        return "truncated"
    return None
