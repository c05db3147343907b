"""A case is run once on each side: both rewound before it, each sent its own ids, tokens and cookies."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from contract_tests.parity.cases import Case
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.keeping import Memory, NothingKeptError
from contract_tests.parity.messages import Request, Response
from contract_tests.parity.pair import Pair
from contract_tests.parity.signing_in import SignIn

if TYPE_CHECKING:
    from contract_tests.parity.effects import Effects

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# What people wrote down is always run on worlds of its own.
GIVEN = frozenset({"cases", "recorded"})


class Runner:
    """Runs cases against a pair.

    With `rewinds` both worlds are rewound before a case. For cases that the engine made itself, a world is left as
    it is when nothing since its last rewinding can have changed it: safe requests alone, and refusals. So is its
    sign-in. `since` are the cases since then, and `answers` the original's to the last case, without its sign-in.
    """

    def __init__(self, pair: Pair, *, rewinds: bool) -> None:
        self.pair, self.rewinds = pair, rewinds
        self.sign_in: SignIn | None = None
        self.effects: Effects | None = None
        self.since: list[Case] = []
        self.answers: list[Response] = []
        self._touched = True
        self._signed: tuple[Memory, Memory] | None = None

    def run(self, case: Case, *, anew: bool = False) -> list[Exchange]:
        """The exchanges of a case; `anew` rewinds whatever happened before.

        Raises Inconclusive, SpecError, ResetError, LifespanError and SettleError.
        """
        if self.rewinds and (anew or self._touched or case.source in GIVEN):
            self._rewind()
        self.since.append(case)
        self.answers = []
        story = Story(self.pair, case)
        try:
            if self.effects is not None:
                self.effects.begin()
            begin = self._signed_in(story)
            story.go(begin, len(case.steps))
            if self.effects is not None:
                story.exchanges = self.effects.judged(story.exchanges, case.name, self.pair)
        except BaseException:
            self._touched = True
            raise
        self.answers = [exchange.original for exchange in story.exchanges[story.prefix :]]
        self._touched = self._touched or any(map(_may_change, story.exchanges[story.prefix :]))
        return story.exchanges

    def _rewind(self) -> None:
        # Until it is done, it is not: a reset may fail.
        self._touched, self._signed, self.since = True, None, []
        # The table of partners lives as long as the two databases do.
        self.pair.reset()
        self._touched = False

    def _signed_in(self, story: Story) -> int:
        """Sign in, or go on as one who has in this world; the number of the first step that is left."""
        steps = self.sign_in.steps if self.sign_in is not None and story.case.signed_in else ()
        if not steps or story.case.steps[: len(steps)] != steps:
            return 0
        if self._signed is not None and self.rewinds:
            story.ours, story.theirs = copy.deepcopy(self._signed)
        else:
            story.go(0, len(steps))
            story.prefix = len(story.exchanges)
            self._signed = copy.deepcopy((story.ours, story.theirs))
        return len(steps)


class Story:
    """One case on its way: what each side told so far."""

    def __init__(self, pair: Pair, case: Case) -> None:
        self.pair, self.case = pair, case
        self.ours, self.theirs = Memory(), Memory()
        self.exchanges: list[Exchange] = []
        self.prefix = 0

    def go(self, begin: int, end: int) -> None:
        """Take the steps from `begin` up to `end`; the case ends where the original told not what a step needs."""
        for at in range(begin, end):
            try:
                exchange = self._exchange(self.case.steps[at])
            except NothingKeptError:
                return
            self.exchanges.append(exchange)
            self.ours.learn(exchange.original, self.case.kept(at))
            self.theirs.learn(exchange.port, self.case.kept(at))

    def _exchange(self, step: Request) -> Exchange:
        if not self.case.keeps and not self.case.cookies:
            return self.pair.exchange(step)
        request = self.ours.filled(step, cookies=self.case.cookies)
        # Translated before it is filled: what the port said itself is in its own ids already.
        own = self.theirs.filled(self.pair.translated(step), self.ours.values, cookies=self.case.cookies)
        return self.pair.exchange(request, port_request=own)


def _may_change(exchange: Exchange) -> bool:
    statuses = (exchange.original.status, exchange.port.status)
    if 429 in statuses or exchange.original.failure or exchange.port.failure:
        return True
    # A cookie is the client's, who forgets it after the case.
    refused = all(400 <= status < 500 for status in statuses)
    return exchange.request.method not in _SAFE and not refused
