"""Sends probes to both apps, each in a world of its own, and compares all that comes back."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.live.probes.worlds import Made, WorldError
from contract_tests.parity import Bindings, Difference, Ledger, Target
from contract_tests.parity.conversations import compare_conversations
from contract_tests.parity.declared import Declared
from contract_tests.parity.drivers.raw import Conversation, converse
from contract_tests.parity.ledger import Entry
from contract_tests.parity.messages import Request
from contract_tests.parity.probes import Act, Probe, Send

SOURCE = "probes"
# Worlds that are used again by probes that only read in them; what is counted of a client goes on in them.
COSTLY = frozenset({"people"})
# How long a server may say nothing before it is taken to wait for more, in seconds.
QUIET, PATIENT = 0.25, 4.0

MakeWorld = Callable[[str, Target], Made]


@dataclass(frozen=True, slots=True)
class Side:
    """An app on a server of its own, by the server's port and as the target that makes its worlds."""

    port: int
    target: Target

    def made(self, probe: Probe, make_world: MakeWorld) -> Made:
        self.target.reset()
        return make_world(probe.world, self.target)


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
    """Two apps under probe. `ledger` accepts, `make_world` makes what a probe's world names.

    Who is silent where the other speaks is asked again, with `patience` in seconds: an answer may be late on a busy
    machine.
    """

    original: Side
    port: Side
    ledger: Ledger
    make_world: MakeWorld
    patience: float = PATIENT
    _worlds: tuple[str, Made, Made] | None = None
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "probe"))

    def run(self, probes: Iterable[Probe]) -> Iterator[Result]:
        """Probe after probe. Raises WorldError where the original's world cannot be made."""
        for probe in probes:
            result = self._sent(probe, QUIET)
            if (
                self.patience
                and result.differences
                and {result.original.ending, result.port.ending} & {"waiting", "deaf"}
            ):
                result = self._sent(probe, self.patience)
            yield result

    def _sent(self, probe: Probe, quiet: float) -> Result:
        try:
            ours, theirs = self._world(probe)
        except PortWorldError as error:
            return unmade(probe, error)
        bindings = Bindings.opaque(Declared.of(self.ledger.bind))
        for (request, original), (_, port) in zip(ours.exchanges, theirs.exchanges, strict=False):
            bindings.learn(request, original, port)
        requests = probe.requests(ours.values)
        methods = [request.method for request in requests]
        steps = {self.original: probe.steps(ours.values), self.port: probe.steps(theirs.values)}
        heard = self._both(lambda side: self._heard(side, steps[side], methods, quiet))
        new, accepted = [], []
        for operation, difference in compare_conversations(requests, *heard, bindings=bindings):
            entry = self.ledger.accepts(operation, difference, source=SOURCE, probe=probe.id)
            new.append((operation, difference)) if entry is None else accepted.append((difference, entry))
        result = Result(probe, requests, *heard, tuple(new), tuple(accepted))
        over = {each.ending for each in heard} <= {"kept", "closed"}
        if probe.world not in COSTLY or not (over and result.alike and all(map(changes_nothing, requests))):
            self._worlds = None
        return result

    def _world(self, probe: Probe) -> tuple[Made, Made]:
        """The world of a probe, as it was left by one that only read in it, or made anew. Raises WorldError."""
        if self._worlds is None or self._worlds[0] != probe.world:
            self._worlds = None
            ours, theirs = self._both(lambda side: self._made(side, probe))
            if isinstance(ours, WorldError):
                raise ours
            if isinstance(theirs, WorldError):
                raise PortWorldError(str(theirs))
            self._worlds = (probe.world, ours, theirs)
        return self._worlds[1:]

    def _made(self, side: Side, probe: Probe) -> Made | WorldError:
        try:
            return side.made(probe, self.make_world)
        except WorldError as error:
            return error

    @staticmethod
    def _heard(side: Side, steps: Sequence[Send | Act], methods: Sequence[str], quiet: float) -> Conversation:
        drops = Act("drop") in steps
        before = open_connections(side.port) if drops else 0
        conversation = converse(side.port, steps, methods, quiet=quiet)
        if drops:
            # What it began must not reach into the next probe's world.
            await_closed(side.port, before)
        return conversation

    def _both(self, act: Callable[[Side], Any]) -> tuple[Any, Any]:
        """Do it on both sides at once."""
        port = self._threads.submit(act, self.port)
        original = act(self.original)
        return original, port.result()


class PortWorldError(Exception):
    """The port does not let a world be made that the original lets be made."""


def changes_nothing(request: Request) -> bool:
    """Whether a request leaves the world as it was, and is the usual client's."""
    others = any(name.lower().startswith(b"x-forwarded") for name, _ in request.headers)
    return request.method in ("GET", "HEAD", "OPTIONS") and not others


def unmade(probe: Probe, error: PortWorldError) -> Result:
    """What becomes of a probe whose world the port does not let be made."""
    nothing, world = Conversation((), "not asked"), Difference("transport", "world", "missing", "made", str(error))
    return Result(probe, (), nothing, nothing, (("its world", world),))


def await_closed(port: int, connections: int, *, seconds: float = 2.0) -> int:
    """Wait until no more than so many connections of a port are open; gives how many still are."""
    deadline = time.monotonic() + seconds
    while (still_open := open_connections(port)) > connections and time.monotonic() < deadline:
        time.sleep(0.01)
    return still_open


def open_connections(port: int) -> int:
    """How many connections of a local server's port are open, or wait for the server to close them."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established, close_wait = "01", "08"
    local = f"{socket.htonl(socket.INADDR_LOOPBACK):08X}:{port:04X}"
    return sum(row[1] == local and row[3] in (established, close_wait) for row in rows)
