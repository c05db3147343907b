"""Judges what the workers heard, in the order of the corpus: the same steps, and so the same report, as one process."""

from __future__ import annotations

import math
import pickle
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from contract_tests.parity.binding import Inconclusive
from contract_tests.parity.cases import Case, CaseError
from contract_tests.parity.checking import Check
from contract_tests.parity.cluster.clusters import Cluster, LostError, opened
from contract_tests.parity.cluster.raised import Raised
from contract_tests.parity.cluster.shards import WORKER, Heard, Part, Setting, Sides, Stop, Told, end_run, run_pickled
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.options import Options
from contract_tests.parity.pair import Pair
from contract_tests.parity.plan import HOMES
from contract_tests.parity.resets import ResetError
from contract_tests.parity.runner import Runner
from contract_tests.parity.signing_in import SignIn
from contract_tests.parity.specs import SpecError, can_reset, is_on_socket
from contract_tests.parity.two_clocks import TwoClocks
from contract_tests.parity.verdict import Run

# Shards for each worker: enough that none waits long for the last, few enough that a pair is made seldom.
_SHARDS = 8
# Cases and bytes of a shard; and how many shards for each worker are on their way at once.
_MOST, _LARGEST, _AHEAD = 500, 2_000_000, 3


def checked_on(sides: Sides, cases: Sequence[Case], ledger: Ledger, options: Options) -> Run:
    """Run stored cases on a cluster. Raises SpecError and CaseError for what cannot be divided."""
    _demand_stored(cases, options)
    with opened(options.cluster or "local") as cluster:
        _demand_own(sides, cluster)
        run = uuid.uuid4().hex
        shards = Shards(cluster, Setting(run, sides, ledger.bind), cases)
        targets = Elsewhere(sides.original[0]), Elsewhere(sides.port[0])
        clocks = None if sides.anew else TwoClocks.from_now(options.clocks)
        check = Gathering(*targets, shards, ledger, sides, clocks)
        explorer = Explorer(check, cases, options)
        try:
            explorer.explore()
            if sides.anew and not check.result.down:
                check.control(Elsewhere(sides.original[0]), cases)
            explorer.keep()
        except KeyboardInterrupt:
            check.result.interrupted = True
        except LostError as error:
            check.result.down.append(str(error))
        finally:
            cluster.everywhere(end_run, run)
        targets[0].name, targets[1].name = shards.names
        return check.finish()


def _demand_stored(cases: Sequence[Case], options: Options) -> None:
    """Sources make their cases of what was answered before, within a budget of time: no two runs are the same."""
    making = [name for name in options.sources if name in HOMES or name == "all"]
    if making or not cases:
        asked = f"not those of --sources {making[0]}" if making else "give --cases or --har"
        raise CaseError(f"--cluster runs cases that are stored: {asked}")
    if options.database_original:
        raise SpecError("--cluster compares no databases: each worker would need two of its own")


def _demand_own(sides: Sides, cluster: Cluster) -> None:
    """Raises SpecError where cases depend on those before them, or two workers would share one world."""
    if not sides.rewinds:
        raise SpecError(
            "--cluster: nothing is rewound here, so each case builds on the one before and none can be run elsewhere: "
            "give module:factory(), or --reset-original and --reset-port"
        )
    for spec, reset in (sides.original, sides.port):
        own = can_reset(spec) or WORKER in spec + (reset or "")
        if not own and not cluster.is_apart:
            raise SpecError(
                f"--cluster: {cluster.workers} workers on one machine would rewind {spec!r} under each other: write "
                f"{WORKER} where the worker's own server or database is named, or give module:factory()"
            )


class Elsewhere:
    """A target that a worker has."""

    app = None

    def __init__(self, spec: str) -> None:
        self.name = "elsewhere"
        self.on_socket = is_on_socket(spec)

    def send(self, request: Request) -> Response:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        return

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *exc: object) -> None:
        return


class Shards:
    """The cases that are run on a cluster, and what came of each."""

    def __init__(self, cluster: Cluster, setting: Setting, given: Sequence[Case]) -> None:
        self.names = ("not asked", "not asked")
        self._cluster, self._setting = cluster, setting
        self._given = {id(case) for case in given}
        self._waiting: deque[list[Case]] = deque()
        self._sent: deque[tuple[list[Case], Any]] = deque()
        self._told: dict[tuple[int, bool], deque[Told]] = {}

    def begin(self, cases: Sequence[Case], sign_in: SignIn | None) -> None:
        """Divide cases into shards, in their order, and send the first ones."""
        self._setting = replace(self._setting, sign_in=sign_in)
        size = max(1, min(_MOST, math.ceil(len(cases) / (self._cluster.workers * _SHARDS))))
        self._waiting.extend(_divided(cases, size))
        self._ahead()

    def told(self, case: Case, *, control: bool, sign_in: SignIn | None) -> Told:
        """What came of a case, once for each time that it is asked for. Raises the error that no case outlives."""
        known = self._told.setdefault((id(case), control), deque())
        while not known and self._sent:
            self._take()
        return known.popleft() if known else self._alone(case, control=control, sign_in=sign_in)

    def _ahead(self) -> None:
        while self._waiting and len(self._sent) < self._cluster.workers * _AHEAD:
            cases = self._waiting.popleft()
            self._sent.append((cases, self._submitted(self._setting, cases)))

    def _submitted(self, setting: Setting, cases: list[Case]) -> Any:
        controlled = [setting.sides.anew and id(case) in self._given for case in cases]
        return self._cluster.submit(run_pickled, pickle.dumps((setting, cases, controlled)))

    def _take(self) -> None:
        """Wait for the first shard that is not known, and send another one."""
        cases, future = self._sent[0]
        parts = list(self._parts(cases, future, self._setting))
        self._sent.popleft()
        self._ahead()
        for taken, part in parts:
            self._note(taken, part)

    def _parts(self, cases: list[Case], future: Any, setting: Setting) -> Iterator[tuple[list[Case], Part]]:
        try:
            yield cases, self._cluster.result(future)
        except Exception as error:
            if not self._cluster.died(error):
                raise
            if len(cases) == 1:
                # With the one case that no worker outlives, the others of its shard are not lost.
                stop = Stop(ResetError.__name__, "each worker that ran it died")
                yield cases, Part(self.names, (Told((), (), 0, stop),), (Told((), (), 0, stop),))
                return
            for case in cases:
                yield from self._parts([case], self._submitted(setting, [case]), setting)

    def _note(self, cases: Sequence[Case], part: Part) -> None:
        if part.stop is not None:
            raise part.stop.error()
        self.names = part.names
        for control, every in ((False, part.told), (True, part.control)):
            for case, told in zip(cases, every, strict=False):
                if told is not None:
                    self._told.setdefault((id(case), control), deque()).append(told)

    def _alone(self, case: Case, *, control: bool, sign_in: SignIn | None) -> Told:
        """A case by itself, its answers whole: a sign-in, or one that is to be controlled after all."""
        setting = replace(self._setting, sign_in=sign_in, whole=True)
        future = self._cluster.submit(run_pickled, pickle.dumps((setting, [case], [control])))
        for _, part in self._parts([case], future, setting):
            if part.stop is not None:
                raise part.stop.error()
            self.names = part.names
            told = (part.control if control else part.told)[0]
            assert told is not None
            return told
        raise AssertionError


class Gathering(Check):
    """A check whose cases are run elsewhere."""

    def __init__(
        self,
        original: Target,
        port: Target,
        shards: Shards,
        ledger: Ledger,
        sides: Sides,
        clocks: TwoClocks | None = None,
    ) -> None:
        self._shards = shards
        self._replays = 0
        super().__init__(original, port, ledger, own_ids=not sides.anew, rewinds=sides.rewinds, clocks=clocks)

    def expect(self, cases: Sequence[Case]) -> None:
        self._shards.begin(cases, self.runner.sign_in)

    def _runner(self, pair: Pair) -> Runner:
        # The first one is the run's, each other one a control's.
        self._replays += 1
        return Replay(pair, self._shards, rewinds=self.rewinds, control=self._replays > 1)


class Replay(Runner):
    """Gives what workers heard, as if it had sent it: learns the secrets that were sent, and judges, in order."""

    def __init__(self, pair: Pair, shards: Shards, *, rewinds: bool, control: bool) -> None:
        super().__init__(pair, rewinds=rewinds)
        self._shards, self._control = shards, control

    def run(self, case: Case, *, anew: bool = False) -> list[Exchange]:  # noqa: ARG002 - nothing is rewound here
        told = self._shards.told(case, control=self._control, sign_in=self.sign_in)
        self.answers = []
        exchanges = list(self._judged(case, told))
        if told.stop is not None:
            error = told.stop.error()
            raise Inconclusive(self.pair.secrets.hide(str(error))) if isinstance(error, Inconclusive) else error
        self.answers = [exchange.original for exchange in exchanges[told.prefix :]]
        return exchanges

    def _judged(self, case: Case, told: Told) -> Iterable[Exchange]:
        for sent, heard in zip_longest(told.sent, told.heard):
            request, port_request = sent
            self.pair.secrets.learn(case.steps[request] if isinstance(request, int) else request)
            if port_request is not None:
                self.pair.secrets.learn(port_request)
            if heard is not None:
                yield self._exchange(heard)

    def _exchange(self, heard: Heard) -> Exchange:
        original, port = (
            _with(response, raised)
            for response, raised in zip((heard.exchange.original, heard.exchange.port), heard.raised, strict=True)
        )
        exchange = replace(heard.exchange, original=original, port=port)
        for response, page in zip((original, port), heard.pages, strict=True):
            self.pair.secrets.learn_page(replace(response, body=page) if page else response)
        if not exchange.differences:
            return exchange
        return self.pair.judged(exchange, port if heard.port is None else heard.port)


def _with(response: Response, raised: Raised | None) -> Response:
    return response if raised is None else replace(response, exception=raised.error())


def _divided(cases: Sequence[Case], size: int) -> Iterator[list[Case]]:
    shard: list[Case] = []
    weight = 0
    for case in cases:
        own = len(pickle.dumps(case))
        if shard and (len(shard) == size or weight + own > _LARGEST):
            yield shard
            shard, weight = [], 0
        shard.append(case)
        weight += own
    if shard:
        yield shard
