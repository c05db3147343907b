"""A shard is a part of a corpus, in its order: a worker sends it to a pair of its own, and tells what was answered."""

from __future__ import annotations

import os
import pickle
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.parity.binding import Bindings, Declared, Inconclusive
from contract_tests.parity.cases import Case
from contract_tests.parity.cluster.raised import Raised
from contract_tests.parity.drivers import LifespanError, SettleError
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.pair import Pair
from contract_tests.parity.resets import ResetError
from contract_tests.parity.runner import Runner
from contract_tests.parity.secrets import _LARGEST, Secrets
from contract_tests.parity.servers import ServerError
from contract_tests.parity.signing_in import SignIn
from contract_tests.parity.specs import SpecError, resolve
from contract_tests.parity.watching import Watched

# What the name of a worker is written for in a SPEC or a reset, and where an app reads it.
WORKER, VARIABLE = "{worker}", "PARITY_WORKER"
_TOLD = (Inconclusive, SpecError, ResetError, LifespanError, SettleError, ServerError)
# A page's fields, which come back without it: those that may be hidden, however that is written.
_INPUT = re.compile(rb"<input\b[^<>]{1,4000}>", re.IGNORECASE)
STOPS: Mapping[str, type[Exception]] = {each.__name__: each for each in _TOLD}


@dataclass(frozen=True, slots=True)
class Sides:
    """Both SPECs with their resets; whether these rewind the worlds, and make them anew; seconds for one answer."""

    original: tuple[str, str | None]
    port: tuple[str, str | None]
    rewinds: bool
    anew: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What all shards of a run have in common; `run` is a name that no other run has.

    `bind` is the ledger's table; with `whole` answers are told whole even where both are alike.
    """

    run: str
    sides: Sides
    bind: Mapping[str, Any]
    sign_in: SignIn | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The error that ended a case, or a shard before its first case."""

    name: str
    message: str

    @classmethod
    def of(cls, error: Exception) -> Stop:
        return cls(type(error).__name__, str(error))

    def error(self) -> Exception:
        return STOPS[self.name](self.message)


@dataclass(frozen=True, slots=True)
class Heard:
    """An exchange that nobody has judged; `port` is the port's answer in the original's ids where it differs.

    `pages` are the hidden fields of both answers where these come without their bodies.
    """

    exchange: Exchange
    port: Response | None
    raised: tuple[Raised | None, Raised | None] = (None, None)
    pages: tuple[bytes, bytes] = (b"", b"")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a case: what was sent (a number is a step of the case), what was heard, and what ended it."""

    sent: tuple[tuple[Request | int, Request | None], ...]
    heard: tuple[Heard, ...]
    prefix: int = 0
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What came of a shard: of each case, and of those that were to be controlled, against a second original."""

    names: tuple[str, str] = ("", "")
    told: tuple[Told | None, ...] = ()
    control: tuple[Told | None, ...] = ()
    stop: Stop | None = None


class Pairs:
    """The targets that a worker has made for a run: used by one shard after the other, and closed at its end."""

    def __init__(self) -> None:
        # Two shards in one process would share what an app keeps in its modules.
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._run, self._over = "", ""
        self._made: dict[str, Target] = {}

    @contextmanager
    def of(self, run: str) -> Iterator[Pairs]:
        """The targets of a run, for one shard alone; those of another run are closed first."""
        with self._lock:
            if run != self._run:
                self._close()
                self._run = run
            try:
                yield self
            finally:
                if self._over == run:
                    self._close()

    def target(self, what: str, spec: str, reset: str | None, timeout: float, worker: str) -> Target:
        """The target that stands for `what` in this run. Raises whatever its start does."""
        if what not in self._made:
            self._made[what] = self._stack.enter_context(_target(spec, reset, timeout, worker))
        return self._made[what]

    def end(self, run: str) -> None:
        """Close the targets of a run: at once, or after the shard that is at work with them."""
        self._over = run
        if self._lock.acquire(blocking=False):
            try:
                if self._run == run:
                    self._close()
            finally:
                self._lock.release()

    def _close(self) -> None:
        self._made, self._run = {}, ""
        stack, self._stack = self._stack, ExitStack()
        stack.close()


# One for each process of a worker.
_PAIRS = Pairs()


def run_shard(setting: Setting, cases: Sequence[Case], controlled: Sequence[bool], worker: str = "") -> Part:
    """Run cases in their order against this worker's pair.

    Those that are `controlled` are also run against two originals. `worker` is a name that no other process has.
    """
    sides = setting.sides
    with _named(worker or _name()) as name, _PAIRS.of(setting.run) as pairs:
        try:
            original = pairs.target("original", *sides.original, sides.timeout, name)
            port = pairs.target("port", *sides.port, sides.timeout, name)
            told = _all_told(_Sender(original, port, setting), cases, [True] * len(cases))
            control: tuple[Told | None, ...] = ()
            if any(controlled):
                second = pairs.target("second", sides.original[0], None, sides.timeout, name)
                control = _all_told(_Sender(original, second, setting), cases, controlled)
        except _TOLD as error:
            return Part(stop=Stop.of(error))
        return Part((_shown(sides.original[0], original), _shown(sides.port[0], port)), told, control)


def run_pickled(payload: bytes) -> Part:
    """Run a shard of pickled arguments: a scheduler, which hands them on, need not read them."""
    return run_shard(*pickle.loads(payload))


def end_run(run: str) -> None:
    """Close what this worker has made for a run."""
    _PAIRS.end(run)


def _all_told(sender: _Sender, cases: Sequence[Case], wanted: Sequence[bool]) -> tuple[Told | None, ...]:
    return tuple(sender.told(case) if is_wanted else None for case, is_wanted in zip(cases, wanted, strict=True))


def _shown(spec: str, target: Target) -> str:
    """Who answers; a command as it was given, and not as this worker runs it."""
    return spec if "{port}" in spec else target.name


def _target(spec: str, reset: str | None, timeout: float, worker: str) -> Target:
    from contract_tests.parity.cluster.ward import warded

    own, rewind = (None if each is None else each.replace(WORKER, worker) for each in (spec, reset))
    assert own is not None
    # A server must not outlive a worker that is killed.
    command = warded(own) if "{port}" in own else own
    return Watched(lambda: resolve(command, reset=rewind, timeout=timeout), timeout)


def _name() -> str:
    from distributed import get_worker

    return re.sub(r"\W+", "-", str(get_worker().name))


@contextmanager
def _named(name: str) -> Iterator[str]:
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    try:
        yield name
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


class _Unread(Secrets):
    """Nothing is learnt from a request or a page: whoever judges reads it."""

    def learn(self, request: Request) -> None:  # noqa: ARG002 - the same as its base's
        return

    def learn_page(self, response: Response) -> None:  # noqa: ARG002 - the same as its base's
        return


@dataclass(slots=True)
class _Noted:
    """What a case sent so far and, of what was answered, the port's answers in the original's ids."""

    sent: list[tuple[Request, Request | None]] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    ports: list[Response] = field(default_factory=list)


class _Sender(Pair):
    """Sends and compares; accepts nothing, and hides nothing."""

    def __init__(self, original: Target, port: Target, setting: Setting) -> None:
        declared = Declared.of(setting.bind)
        bindings = Bindings.opaque(declared) if setting.sides.anew else Bindings(declared)
        super().__init__(original, port, bindings=bindings, source="recorded")
        self.secrets = _Unread()
        self._whole = setting.whole
        self._noted = _Noted()
        self._runner = Runner(self, rewinds=setting.sides.rewinds)
        self._runner.sign_in = setting.sign_in

    def told(self, case: Case) -> Told:
        """Run a case, and tell what came of it."""
        noted = self._noted = _Noted()
        stop, prefix = None, 0
        try:
            exchanges = self._runner.run(case)
            prefix = len(exchanges) - len(self._runner.answers)
        except _TOLD as error:
            # What was heard before it is judged even so: it may be what an entry of the ledger waits for.
            stop = Stop.of(error)
        steps = {id(step): at for at, step in enumerate(case.steps)}
        sent = tuple(
            (steps.get(id(request), request), None if port is request else port) for request, port in noted.sent
        )
        heard = tuple(self._heard(*each) for each in zip(noted.exchanges, noted.ports, strict=True))
        return Told(sent, heard, prefix, stop)

    def exchange(
        self, request: Request, *, origin: str = "", probe: str | None = None, port_request: Request | None = None
    ) -> Exchange:
        self._noted.sent.append((request, port_request))
        before = len(self._noted.ports)
        exchange = super().exchange(request, origin=origin, probe=probe, port_request=port_request)
        if len(self._noted.ports) == before:
            # Equal to the byte: nothing was judged.
            self._noted.ports.append(exchange.port)
        self._noted.exchanges.append(exchange)
        return exchange

    def judged(self, exchange: Exchange, port: Response, *, probe: str | None = None) -> Exchange:  # noqa: ARG002
        self._noted.ports.append(port)
        return exchange

    def translated(self, request: Request) -> Request:
        return self.bindings.translate(request)

    def _heard(self, exchange: Exchange, port: Response) -> Heard:
        own = None if port == exchange.port else replace(port, exception=None)
        raised = Raised.of(exchange.original.exception), Raised.of(exchange.port.exception)
        bare = replace(exchange, original=self._shown(exchange, exchange.original), port=self._shown(exchange, exchange.port))  # fmt: skip  # noqa: E501
        if self._is_shown(exchange):
            return Heard(bare, own, raised)
        return Heard(bare, own, raised, (_hidden_fields(exchange.original), _hidden_fields(exchange.port)))

    def _shown(self, exchange: Exchange, response: Response) -> Response:
        """What is needed of an answer: all of one that differs, else what coverage counts."""
        if self._is_shown(exchange):
            return replace(response, exception=None)
        kinds = tuple(header for header in response.headers if header[0].lower() == b"content-type")
        return Response(response.status, kinds, b"", response.failure)

    def _is_shown(self, exchange: Exchange) -> bool:
        return self._whole or bool(exchange.differences)


def _hidden_fields(response: Response) -> bytes:
    """What Secrets.learn_page reads of a page, and no more: nothing of one that it leaves unread."""
    if b"hidden" not in response.body or len(response.body) >= _LARGEST:
        return b""
    return b"".join([b"hidden ", *_INPUT.findall(response.body)])
