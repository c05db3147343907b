"""The port must answer as the original: every request goes to both, and the original's answer is the one given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from .binding import Bindings, Inconclusive
from .compare import compare
from .difference import Difference
from .different import Different
from .exchange import Exchange
from .ledger import Entry, Ledger
from .messages import Request, Response, Target
from .rules import DEFAULT, Rules
from .secrets import Secrets
from .settled import following
from .two_clocks import TwoClocks

_TIMED = frozenset({b"date", b"last-modified", b"retry-after", b"set-cookie", b"x-ratelimit-reset"})


class Pair:
    """Two targets under one lock; made once for two databases, since it remembers which ids are partners.

    `accepted` is the ledger (none: nothing is accepted) and `source` the source by which it is asked
    (one of ledger.SOURCES). `bindings` say which ids may differ: without them opaque tokens alone,
    as for two worlds in one process. `clocks` say which times may differ: without them none.
    `operation` names a request's operation for the ledger.
    The targets belong to the caller, who closes them.
    """

    def __init__(
        self,
        original: Target,
        port: Target,
        *,
        accepted: Ledger | None = None,
        bindings: Bindings | None = None,
        operation: Callable[[Request], str] | None = None,
        rules: Rules = DEFAULT,
        source: str = "suite",
        clocks: TwoClocks | None = None,
    ) -> None:
        if original is port:
            raise ValueError("the original and the port are one target: that compares nothing")
        self.original, self.port = original, port
        self.accepted = accepted or Ledger.empty()
        self.bindings = bindings or Bindings.opaque()
        self.operation = operation or self.bindings.operation
        self.rules, self.source, self.clocks = rules, source, clocks
        self.secrets = Secrets()
        self._lock = threading.Lock()

    def exchange(
        self, request: Request, *, origin: str = "", probe: str | None = None, port_request: Request | None = None
    ) -> Exchange:
        """Send a request to the original, then to the port, and compare the outcomes.

        `port_request` is what the port is sent where that is known; else the request's ids are translated.
        Raises Inconclusive where they cannot be without guessing.
        """
        self.secrets.learn(request)
        with self._lock:
            if port_request is None:
                port_request = self.translated(request)
            elif port_request is not request:
                self.secrets.learn(port_request)
            original, original_received = _timed(self.original, request)
            port, port_received = _timed(self.port, port_request)
            self.secrets.learn_page(original)
            self.secrets.learn_page(port)
            if self.bindings.idle and _are_equal(original, port):
                # To the byte: there is nothing to walk through, and nothing to learn.
                name = self._name(request)
                return Exchange(name, request, port_request, original, port, origin=origin or _origin(request))
            learned = self.bindings.learn(request, original, port)
        received = (original_received, port_received)
        found = compare(original, learned.port, rules=self.rules, received=received)
        differences = tuple(sorted({*found, *learned.differences}))
        name = self._name(request)
        exchange = Exchange(name, request, port_request, original, port, differences, (), origin or _origin(request))
        return self.judged(exchange, learned.port, probe=probe)

    def judged(self, exchange: Exchange, port: Response, *, probe: str | None = None) -> Exchange:
        """An exchange all of whose differences are new, with those apart that the ledger accepts.

        `port` is the port's answer in the original's ids.
        """
        operation, request, differences = exchange.operation, exchange.request, exchange.differences
        times: tuple[Difference, ...] = ()
        if self.clocks is not None:
            differences, times = self.clocks.differences(operation, request, differences)
        entries = {
            each: entry for each in differences if (entry := self._entry(operation, request, each, probe)) is not None
        }
        if any(entry.follows for entry in entries.values()):
            entries |= following(entries, differences, exchange.original, port, self.secrets)
        new = tuple(each for each in differences if each not in entries)
        accepted = tuple((each, entries[each]) for each in differences if each in entries)
        return replace(exchange, differences=new, accepted=accepted, times=times)

    def reset(self) -> None:
        """Rewind both worlds, and with them the knowledge of which ids are partners."""
        with self._lock:
            self.original.reset()
            self.port.reset()
            self.bindings.clear()

    def translated(self, request: Request) -> Request:
        """The request in the port's ids. Raises Inconclusive."""
        try:
            return self.bindings.translate(request)
        except Inconclusive as error:
            raise Inconclusive(self.secrets.hide(str(error))) from None

    def _name(self, request: Request) -> str:
        """The request's operation; one that is written in a way of its own is apart: `GET /users (chunked)`."""
        name = self.operation(request)
        return f"{name} ({request.spelling})" if request.spelling else name

    def _entry(self, operation: str, request: Request, difference: Difference, probe: str | None) -> Entry | None:
        found = self.accepted.accepts(operation, difference, source=self.source, probe=probe)
        # Entries written before templates were known call a request by its own path.
        plain = operation if found else self.bindings.operation(request)
        if plain == operation:
            return found
        return self.accepted.accepts(plain, difference, source=self.source, probe=probe)


class Judge:
    """What becomes of an exchange: told at once, or collected and told at the end."""

    def __init__(self, pair: Pair, *, collect: bool, on_exchange: Callable[[Exchange], object] | None) -> None:
        self.pair, self.collect, self.on_exchange = pair, collect, on_exchange
        self._different: list[Exchange] = []

    def exchange(self, request: Request, *, origin: str = "") -> Exchange:
        """Exchange and judge. Raises Different for a difference that is not accepted, unless collecting."""
        exchange = self.pair.exchange(request, origin=origin)
        if self.on_exchange is not None:
            self.on_exchange(exchange)
        if exchange.differences:
            if not self.collect:
                raise Different(exchange, secrets=self.pair.secrets)
            self._different.append(exchange)
        return exchange

    def finish(self) -> None:
        """Raise one Different with all that was collected since the last time, if anything was."""
        collected, self._different = self._different, []
        if collected:
            raise Different(*collected, secrets=self.pair.secrets)


def _timed(target: Target, request: Request) -> tuple[Response, float]:
    response = target.send(request)
    return response, time.time()


def _are_equal(original: Response, port: Response) -> bool:
    """Whether two whole answers are the same, and hold no time, which must be a valid one even so."""
    if original != port or original.failure is not None:
        return False
    return not any(name.lower() in _TIMED for name, _ in original.headers)


def _origin(request: Request) -> str:
    host = next((value for name, value in request.headers if name.lower() == b"host"), b"localhost")
    return f"http://{host.decode('latin-1')}"
