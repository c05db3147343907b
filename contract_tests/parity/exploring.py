"""What is done with a pair, in order: stored cases, a sign-in, the scout, all sources in turns, the smallest cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from contract_tests.parity.asking import NOTHING, app_of, found_operations, on_sockets
from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.corpus import Corpus
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.hints import hints_of
from contract_tests.parity.known import Known
from contract_tests.parity.messages import Response
from contract_tests.parity.options import Options
from contract_tests.parity.plan import HOMES, SourceLeftOutError, Turns, chosen, opened
from contract_tests.parity.progress import Progress
from contract_tests.parity.signing_in import SignIn, carried, find_sign_in
from contract_tests.parity.specs import SpecError

# The scout may take this part of the budget: what it finds is what the others build upon.
_SCOUTING = 0.4
# Shrinking takes no more than this part of it besides, but a few seconds at least.
_SHRINKING, _LEAST = 0.5, 10.0


class Explorer:
    """Runs everything that a check is asked for; `clock` says how much of the budget is spent."""

    def __init__(
        self, check: Check, cases: Sequence[Case], options: Options, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.check, self.cases, self.options, self.clock = check, cases, options, clock
        self.sources = chosen(options.sources, given=bool(cases))
        self.own = tuple(name for name in self.sources if name in HOMES)
        self.until = clock() + options.budget
        self.progress = Progress(check.result)
        # Whether the sources have their turns: stored cases, sign-in and scout are done with.
        self.turning = False
        self.unfinished: list[str] = []
        folder = options.corpus or (options.report / "corpus" if options.report else None)
        self.corpus = Corpus(folder)
        self.sign_in: SignIn | None = None
        self.signed: Sequence[Response] = ()
        self.known: Known | None = None

    def explore(self) -> None:
        """Run the cases of all sources. Raises SpecError and CaseError for what cannot be asked at all."""
        known = self._known() if self.own else None
        given = [case for case in self.cases if case.source in self.sources or case.source not in HOMES]
        self._sign_in()
        stored = [*self.corpus.cases(self.sign_in), *given]
        self.check.expect(stored)
        for case in stored:
            self._take(case)
        if left_out := self.corpus.left_out(self.sign_in):
            self.check.result.left_out["signed-in cases of the corpus"] += left_out
        if known is None:
            return
        self.known, known.sign_in = known, self.sign_in
        stored_alone = self.check.taken
        if self.sign_in is not None:
            known.take_sign_in(self.sign_in.case, self.signed)
        self._scout(known)
        self._turns(known)
        if self.check.taken > stored_alone:
            self._tell(known)
        else:
            but = " but what is stored" if stored_alone else ""
            self.check.result.told.insert(0, f"nothing was sent{but}: the budget is {self.options.budget:g} s")

    def keep(self) -> None:
        """Shrink what the engine's own sources found, and keep it."""
        if self.own and self.check.rewinds and self.check.found:
            until = time.monotonic() + max(_SHRINKING * self.options.budget, _LEAST)
            self.check.smallest(self._keep, until=until)
        elif self.own:
            self._keep_whole()

    def _keep(self, case: Case, fingerprint: str) -> None:
        self.corpus.keep(case, fingerprint, self.sign_in)

    def _keep_whole(self) -> None:
        for fingerprint in self.check.found:
            witnesses = self.check.seen[fingerprint].witnesses
            if witnesses and witnesses[0].case.source in HOMES:
                self._keep(witnesses[0].case, fingerprint)

    def _known(self) -> Known:
        pair = self.check.pair
        operations = found_operations(pair.original, pair.port, self.options.openapi)
        if not operations and not self.cases:
            raise SpecError(NOTHING)
        self.check.know(operations)
        known = Known(operations, seed=self.options.seed, hints=hints_of(app_of(pair.original)))
        known.on_sockets = on_sockets(pair.original, pair.port)
        return known

    def _sign_in(self) -> None:
        if self.options.auth is None:
            return
        case = find_sign_in(self.options.auth, self.cases)
        self._take(case)
        self.sign_in = carried(case, self.options.auth_carry, self.check.runner.answers)
        self.signed = self.check.runner.answers
        self.check.runner.sign_in = self.sign_in

    def _scout(self, known: Known) -> None:
        from contract_tests.parity.sources.browsing import browsing
        from contract_tests.parity.sources.chaining import chaining
        from contract_tests.parity.sources.scouting import scouting

        until = self.clock() + _SCOUTING * (self.until - self.clock())
        rewinds = self.check.rewinds
        for name, source in (("scouting", scouting(known)), ("chaining", chaining(known))):
            self._run(Turns({name: source}, known, until=until, rewinds=rewinds, clock=self.clock))
        for ways in ("out", "in") if known.sign_in is not None else ("out",):
            until = self.clock() + _SCOUTING / 2 * (self.until - self.clock())
            self._run(
                Turns({"browsing": browsing(known)}, known, until=until, rewinds=rewinds, ways=ways, clock=self.clock)
            )

    def _turns(self, known: Known) -> None:
        sources = {}
        for name in self.own:
            try:
                sources[name] = opened(name, known)
            except SourceLeftOutError as error:
                self.check.result.told.append(f"left out: {name}: {error}")
        self.turning = True
        turns = Turns(sources, known, until=self.until, rewinds=self.check.rewinds, clock=self.clock)
        self._run(turns)
        self.unfinished = turns.unfinished
        if turns.unfinished:
            self.check.judges_stale = False
            ended = f"the budget of {self.options.budget:g} s ended before {', '.join(turns.unfinished)}"
            self.check.result.told.append(f"{ended}: entries of the ledger that did not occur are not judged")

    def _run(self, turns: Turns) -> None:
        for case in turns:
            exchanges = self._take(case)
            if not self.turning and self.known is not None:
                good = (each for each in exchanges if each.original.status < 400 and each.port.status < 400)
                self.known.shared.update(each.operation for each in good)
            turns.answers = self.check.runner.answers
            if not self.turning and self.known is not None:
                self.known.hear(turns.answers)

    def _take(self, case: Case) -> list[Exchange]:
        exchanges = self.check.take(case)
        self.progress.show(case)
        return exchanges

    def _tell(self, known: Known) -> None:
        """Say of what nothing can be concluded: a source that sent nothing, an operation that only refused."""
        result = self.check.result
        left_out = {line.split(":")[1].strip() for line in result.told if line.startswith("left out")}
        for name in self.own if not self.unfinished else ():
            if name not in left_out and not result.coverage.of_source(name):
                result.told.append(f"sent nothing: {name}")
        # What the port alone has is told as that: the original refuses it, as it must.
        known_by = {side for each in known.operations for side in each.sides}
        names = [each.name for each in known.operations if "original" in each.sides or "original" not in known_by]
        result.told += [f"only refused: {name}" for name in result.coverage.only_refused(names)]
