"""A load client in the standard library: connections that each send their next request when an answer is whole."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from contract_tests.live.bench.clocks import cpu_of
from contract_tests.live.resilience.wire import Answer

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


class Client:
    """One connection with one request under way; made anew where the server closes it."""

    __slots__ = ("answer", "began", "connection", "port")

    def __init__(self, port: int) -> None:
        self.port = port
        self.answer = Answer()
        self.began = 0.0
        self.connect()

    def connect(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.answer = Answer()
        self.began = _now()
        self.connection.sendall(request)

    def receive(self) -> None:
        """Take what has come in."""
        try:
            self.answer.take(self.connection.recv(1 << 16))
        except ConnectionError:
            self.answer.take(b"")


class Load:
    """Connections that are busy until a time; what came back is noted."""

    def __init__(self, port: int, make: Callable[[], bytes], connections: int) -> None:
        self._make = make
        self._selector = selectors.DefaultSelector()
        self._clients = [Client(port) for _ in range(connections)]
        self.latencies: list[float] = []
        self.refused = 0
        self.lost = 0

    def run(self, seconds: float, *, whole: bool) -> float:
        """Send for so long, and give how long it took until nothing was under way any more."""
        began = _now()
        until = began + seconds
        for client in self._clients:
            self._begin(client)
        while self._selector.get_map() and (whole or _now() < until):
            ready = self._selector.select(SILENCE if whole else max(until - _now(), 0.0))
            if whole and not ready:
                self.lost += len(self._selector.get_map())
                break
            for key, _ in ready:
                self._go_on(key.data, until)
        return _now() - began

    def close(self) -> None:
        self._selector.close()
        for client in self._clients:
            client.connection.close()

    def _begin(self, client: Client) -> None:
        self._selector.register(client.connection, selectors.EVENT_READ, client)
        client.send(self._make())

    def _go_on(self, client: Client, until: float) -> None:
        client.receive()
        answer, now = client.answer, _now()
        if not answer.whole and not answer.ended:
            return
        if answer.whole:
            self.latencies.append(now - client.began)
            self.refused += answer.status >= 400
        else:
            self.lost += 1
        if now < until and not answer.ended and not answer.closes:
            client.send(self._make())
            return
        self._selector.unregister(client.connection)
        if now < until:
            client.connection.close()
            client.connect()
            self._begin(client)


def load(
    port: int, make: Callable[[], bytes], *, pid: int, connections: int, seconds: float, whole: bool = True
) -> Sample:
    """Send requests over so many connections for so long, each as `make` gives it; `pid` is the server's group.

    Where `whole`, each request that was sent is awaited and counted, so that no CPU is told without its answer.
    """
    under_way = Load(port, make, connections)
    try:
        server_cpu, client_cpu = cpu_of(pid), time.process_time()
        took = under_way.run(seconds, whole=whole)
        server_cpu, client_cpu = cpu_of(pid) - server_cpu, time.process_time() - client_cpu
    finally:
        under_way.close()
    return _sample(under_way.latencies, under_way.refused, under_way.lost, took, server_cpu, client_cpu)


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
