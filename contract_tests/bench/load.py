"""A load client in the standard library: connections that each send their next request when an answer is whole."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from contract_tests.bench.clocks import cpu_of
from contract_tests.resilience.wire import Answer

# A server that says nothing for so long has stalled; the sample says how many were left.
SILENCE = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What a load saw: answers in `seconds`, latencies in milliseconds, CPU in microseconds an answer."""

    answers: int
    refused: int
    lost: int
    seconds: float
    p50: float
    p99: float
    server_cpu: float
    client_cpu: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    def told(self) -> dict[str, float]:
        return {**asdict(self), "per_second": self.per_second}


class Client:
    """One connection with one request under way."""

    __slots__ = ("answer", "began", "connection")

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=SILENCE)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = Answer()
        self.began = 0.0

    def send(self, request: bytes) -> None:
        self.answer = Answer()
        self.began = time.perf_counter()
        self.connection.sendall(request)

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole."""
        return self.answer.take(self.connection.recv(1 << 16))


def load(
    port: int, make: Callable[[], bytes], *, pid: int, connections: int, seconds: float, whole: bool = True
) -> Sample:
    """Send requests over so many connections for so long, each as `make` gives it; `pid` is the server's group.

    Where `whole`, each request that was sent is awaited and counted, so that no CPU is told without its answer.
    """
    clients = [Client(port) for _ in range(connections)]
    latencies: list[float] = []
    refused = 0
    with selectors.DefaultSelector() as selector:
        server_cpu, client_cpu = cpu_of(pid), time.process_time()
        began = time.perf_counter()
        until = began + seconds
        for client in clients:
            selector.register(client.connection, selectors.EVENT_READ, client)
            client.send(make())
        # Where nothing more is sent, the map empties; where something is lost, silence ends the wait.
        while selector.get_map() and (ready := selector.select(SILENCE if whole else max(until - _now(), 0.0))):
            for key, _ in ready:
                client = key.data
                if not client.receive() and not client.answer.ended:
                    continue
                now = _now()
                if client.answer.whole:
                    latencies.append(now - client.began)
                    refused += client.answer.status >= 400
                if now < until and not client.answer.ended:
                    client.send(make())
                else:
                    selector.unregister(client.connection)
            if not whole and _now() > until:
                break
        took = _now() - began
        server_cpu, client_cpu = cpu_of(pid) - server_cpu, time.process_time() - client_cpu
    for client in clients:
        client.connection.close()
    lost = sum(not client.answer.whole for client in clients) if whole else 0
    return _sample(latencies, refused, lost, took, server_cpu, client_cpu)


def _now() -> float:
    return time.perf_counter()


def _sample(
    latencies: list[float], refused: int, lost: int, seconds: float, server_cpu: float, client_cpu: float
) -> Sample:
    ordered = sorted(latencies) or [0.0]
    answers = max(len(latencies), 1)
    return Sample(
        answers=len(latencies),
        refused=refused,
        lost=lost,
        seconds=seconds,
        p50=1e3 * ordered[len(ordered) // 2],
        p99=1e3 * ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)],
        server_cpu=1e6 * server_cpu / answers,
        client_cpu=1e6 * client_cpu / answers,
    )
