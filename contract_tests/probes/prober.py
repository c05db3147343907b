"""Sends probes to both apps, each in a world of its own, and compares all that comes back."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from contract_tests.parity import Bindings, Difference, Ledger, Pair, Target
from contract_tests.parity.conversations import compare_conversations
from contract_tests.parity.declared import Declared
from contract_tests.parity.drivers.raw import Conversation, converse
from contract_tests.parity.ledger import Entry
from contract_tests.parity.messages import Request
from contract_tests.parity.probes import Probe
from contract_tests.probes.worlds import World

SOURCE = "probes"
# An answer may be late on a busy machine: who is silent where the other speaks is asked again, with more patience.
PATIENT = 4.0

MakeWorld = Callable[[str, Pair], World]


@dataclass(frozen=True, slots=True)
class Side:
    """An app on a server of its own, by the server's port and as the target that makes its worlds."""

    port: int
    target: Target


@dataclass(frozen=True, slots=True)
class Result:
    """What both apps made of one probe. `differences` are those that nothing accepts."""

    probe: Probe
    requests: tuple[Request, ...]
    original: Conversation
    port: Conversation
    differences: tuple[tuple[str, Difference], ...] = ()
    accepted: tuple[tuple[Difference, Entry], ...] = ()

    @property
    def alike(self) -> bool:
        return not self.differences and not self.accepted


@dataclass(slots=True)
class Prober:
    """Two apps under probe. `ledger` accepts, `make_world` makes what a probe's world names."""

    original: Side
    port: Side
    ledger: Ledger
    make_world: MakeWorld
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "probe"))

    def run(self, probes: Iterable[Probe]) -> Iterator[Result]:
        """Probe after probe. Raises WorldError."""
        for probe in probes:
            result = self._sent(probe)
            if {result.original.ending, result.port.ending} & {"waiting", "deaf"} and not result.alike:
                result = self._sent(probe, quiet=PATIENT)
            yield result

    def _sent(self, probe: Probe, quiet: float = 1.0) -> Result:
        bindings = Bindings.opaque(Declared.of(self.ledger.bind))
        pair = Pair(self.original.target, self.port.target, accepted=self.ledger, bindings=bindings)
        pair.reset()
        world = self.make_world(probe.world, pair)
        requests = probe.requests(world.original)
        methods = [request.method for request in requests]
        talks = [
            self._threads.submit(converse, side.port, probe.steps(values), methods, quiet=quiet)
            for side, values in ((self.original, world.original), (self.port, world.port))
        ]
        original, port = (talk.result() for talk in talks)
        new, accepted = [], []
        for operation, difference in compare_conversations(requests, original, port, bindings=bindings):
            entry = self.ledger.accepts(operation, difference, source=SOURCE, probe=probe.id)
            new.append((operation, difference)) if entry is None else accepted.append((difference, entry))
        return Result(probe, requests, original, port, tuple(new), tuple(accepted))


def open_connections(port: int) -> int:
    """How many connections of a local server's port are open, or wait for the server to close them."""
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    established, close_wait = "01", "08"
    local = f"{socket.htonl(socket.INADDR_LOOPBACK):08X}:{port:04X}"
    return sum(row[1] == local and row[3] in (established, close_wait) for row in rows)
