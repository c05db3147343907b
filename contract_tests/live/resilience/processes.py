"""The processes of a server that we started, and what they are about, as Linux and its log tell them."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from contract_tests.live.resilience.burst import SILENCE
from contract_tests.parity.servers import Server


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that have not been reaped."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def group_of(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *children_of(pid)]


def await_children(pid: int, number: int, *, without: int = 0) -> list[int]:
    """Wait until a process has so many children, not counting one."""
    deadline = time.monotonic() + SILENCE
    while True:
        children = [child for child in children_of(pid) if child != without]
        if len(children) >= number:
            return children
        assert time.monotonic() < deadline, f"{len(children)} children, {number} awaited"
        time.sleep(0.02)


def await_log(server: Server, text: str) -> None:
    """Wait until a server says so."""
    deadline = time.monotonic() + SILENCE
    while text not in server.log_tail(1000):
        assert time.monotonic() < deadline, f"{text!r} was never said"
        time.sleep(0.02)


def refuses(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SILENCE).close()
    except ConnectionRefusedError:
        return True
    return False
