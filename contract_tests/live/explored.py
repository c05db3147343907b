"""The engine's own cases against our two apps, in this process: what nobody wrote down, and what would differ there."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from contract_tests.live.lanes import Said
from contract_tests.live.probes.lane import Part
from contract_tests.parity import Target
from contract_tests.parity.asking import found_operations
from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.coverage import Coverage
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.operations import Operations
from contract_tests.parity.options import Options
from contract_tests.parity.watching import Watched
from contract_tests.suite import targets
from contract_tests.suite.contract import open_ledger
from contract_tests.suite.world import own_world, provider

# Who signs in: every source runs signed out and as this person.
_PERSON = {"name": "Ada", "email": "ada@example.com", "password": "Lovelace-1815"}
_SIGN_IN = {
    "case": "Ada",
    "steps": [
        {"method": "POST", "target": "/user", "json": _PERSON},
        {"method": "POST", "target": "/session", "json": {key: _PERSON[key] for key in ("email", "password")}},
    ],
}
# For one answer, in seconds: nothing in this process waits for anybody.
_TIMEOUT = 10.0
# So many cases, and more until the floors are reached, but no longer than so many seconds.
CASES, LONGEST = 3000, 150.0
# Floors are looked at once in so many cases.
_EVERY = 100
# So many requests each source sends to each operation; mutations need something to change.
FLOORS = {"framework": 4, "sequences": 2, "generated": 1, "mutated": 10}
# A change of a value needs one.
_WITH_VALUES = "mutated"


class _EnoughError(Exception):
    """All was asked that is to be asked."""


class _Counted(Check):
    """A check that says how far it is, and ends where it was to come to."""

    def take(self, case: Case) -> list[Exchange]:
        exchanges = super().take(case)
        self.said.advance(f"explored/{case.source}")
        if self.taken >= self.cases and self.taken % _EVERY == 0 and not below_floors(self.result.coverage, self.known):
            raise _EnoughError
        return exchanges

    def count(self, cases: int, said: Said) -> None:
        self.cases, self.said = cases, said
        self.known = found_operations(self.pair.original, self.pair.port)


def explore(said: Said, *, cases: int = CASES, seconds: float = LONGEST) -> Part:
    """Ask both apps so many cases of all sources, each in worlds that are rewound before it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-")))
        (folder / "signin.jsonl").write_text(json.dumps(_SIGN_IN) + "\n")
        original, port = (stack.enter_context(_opened(role, stack)) for role in ("original", "port"))
        ledger = open_ledger()
        check = _Counted(original, port, ledger, own_ids=False, rewinds=True)
        check.count(cases, said)
        check.judges_stale = False
        sign_in = str(folder / "signin.jsonl")
        options = Options(auth=sign_in, budget=seconds, sources=tuple(FLOORS))
        explorer = Explorer(check, (), options)
        try:
            with suppress(_EnoughError):
                explorer.explore()
            # What shrinks a case takes no more cases.
            check.cases = sys.maxsize
            explorer.keep()
        except KeyboardInterrupt:
            check.result.interrupted = True
        run = check.finish()
        run.outcomes = {f"explored/{source}": outcomes for source, outcomes in run.outcomes.items()}
        run.unseen += below_floors(run.coverage, check.known)
        # What is left out for want of time, or is known to be refused, is no news of each run.
        run.told = []
        return Part(run, ledger.occurred())


def below_floors(coverage: Coverage, operations: Operations) -> list[str]:
    """Each operation that a source asked too little for, as a line."""
    return [
        f"{each.name}: {asked} requests of the source {source}, which is below {floor}"
        for each in operations
        for source, floor in FLOORS.items()
        if (source != _WITH_VALUES or each.bodies) and (asked := coverage.asked(each.name, source)) < floor
    ]


def _opened(role: str, stack: ExitStack) -> Target:
    world = stack.enter_context(own_world(**provider().settings()))
    return Watched(lambda: targets.open_target(role, world), _TIMEOUT)
