"""A case is run once on each side: both rewound before it, each sent its own ids, tokens and cookies."""

from __future__ import annotations

from contract_tests.parity.cases import Case
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.keeping import Memory, NothingKeptError
from contract_tests.parity.messages import Request
from contract_tests.parity.pair import Pair

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# What people wrote down is always run on worlds of its own.
_GIVEN = frozenset({"cases", "recorded"})


class Runner:
    """Runs cases against a pair.

    With `rewinds` both worlds are rewound before a case. For cases that the engine made itself, a world is left as
    it is when nothing since its last rewinding can have changed it: safe requests alone, and refusals.
    """

    def __init__(self, pair: Pair, *, rewinds: bool) -> None:
        self.pair, self.rewinds = pair, rewinds
        self._touched = True
        self.since: list[Case] = []

    def run(self, case: Case) -> list[Exchange]:
        """The exchanges of a case. Raises Inconclusive, SpecError, ResetError, LifespanError and SettleError."""
        if self.rewinds and (self._touched or case.source in _GIVEN):
            # The table of partners lives as long as the two databases do.
            self.pair.reset()
            self._touched = False
            self.since = []
        self.since.append(case)
        exchanges: list[Exchange] = []
        ours, theirs = Memory(), Memory()
        try:
            for at, step in enumerate(case.steps):
                exchange = self._exchange(case, step, ours, theirs)
                exchanges.append(exchange)
                ours.learn(exchange.original, case.kept(at))
                theirs.learn(exchange.port, case.kept(at))
        except NothingKeptError:
            # The original did not tell what the next request needs: the case ends here.
            pass
        except BaseException:
            self._touched = True
            raise
        self._touched = self._touched or any(map(_may_change, exchanges))
        return exchanges

    def _exchange(self, case: Case, step: Request, ours: Memory, theirs: Memory) -> Exchange:
        if not case.keeps and not case.cookies:
            return self.pair.exchange(step)
        request = ours.filled(step, cookies=case.cookies)
        # Translated before it is filled: what the port said itself is in its own ids already.
        own = theirs.filled(self.pair.translated(step), ours.values, cookies=case.cookies)
        return self.pair.exchange(request, port_request=own)


def _may_change(exchange: Exchange) -> bool:
    statuses = (exchange.original.status, exchange.port.status)
    if 429 in statuses or exchange.original.failure or exchange.port.failure:
        return True
    refused = all(400 <= status < 500 for status in statuses)
    return exchange.request.method not in _SAFE and not refused
