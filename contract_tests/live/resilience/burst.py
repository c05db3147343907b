"""Many connections at once: all open before the first byte is sent, every answer awaited, no time asserted."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract_tests.live.resilience.wire import Answer

# So long without a single byte is no slowness any more: nothing here takes a tenth of it.
SILENCE = 30.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of requests that were sent at once. `seconds` is for the reader, and asserted nowhere."""

    answers: Sequence[Answer]
    seconds: float = field(compare=False)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came; 0 is no answer, or half of one."""
        return Counter(answer.status if answer.whole else 0 for answer in self.answers)

    def faults(self, expected: int) -> list[str]:
        """What no client should see: anything but `expected`, or 503 with a problem."""
        found = Counter(_fault(answer, expected) for answer in self.answers)
        found.pop("", None)
        return [f"{count} of {len(self.answers)}: {fault}" for fault, count in sorted(found.items())]

    def __str__(self) -> str:
        told = ", ".join(f"{count} x {status or 'nothing'}" for status, count in sorted(self.statuses.items()))
        return f"{told} in {self.seconds:.2f} s"


def _fault(answer: Answer, expected: int) -> str:
    if not answer.whole:
        return "reset or closed before the answer" if answer.ended else "not answered"
    if answer.status == expected or (answer.status == 503 and answer.is_problem):
        return ""
    return f"answered {answer.status}: {answer.body[:120].decode('utf-8', 'replace')}"


def send_at_once(port: int, requests: Sequence[bytes], *, silence: float = SILENCE) -> Burst:
    """Open a connection for each request, send all, read all answers whole; give up after `silence` seconds of none."""
    answers = [Answer() for _ in requests]
    opened = [socket.create_connection(("127.0.0.1", port), timeout=silence) for _ in requests]
    selector = selectors.DefaultSelector()
    began = time.perf_counter()
    try:
        for connection, request, answer in zip(opened, requests, answers, strict=True):
            connection.sendall(request)
            connection.settimeout(0)
            selector.register(connection, selectors.EVENT_READ, answer)
        while selector.get_map() and (ready := selector.select(silence)):
            for key, _ in ready:
                if key.data.take(_received(key.fileobj)) or key.data.ended:
                    selector.unregister(key.fileobj)
    finally:
        selector.close()
        for connection in opened:
            connection.close()
    return Burst(answers, time.perf_counter() - began)


def send(port: int, request: bytes, *, silence: float = SILENCE) -> Answer:
    """One request on a connection of its own."""
    return send_at_once(port, [request], silence=silence).answers[0]


def _received(connection: object) -> bytes:
    assert isinstance(connection, socket.socket)
    try:
        return connection.recv(1 << 16)
    except ConnectionError:
        return b""
