"""A second may end between the two requests: only whole re-runs that are alike say so of two times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .exchange import Exchange

# A quarter of a second apart, re-runs see each half of a second: who rounds and who truncates differ in one of them.
_TIMES, _PAUSE = 4, 0.25


@dataclass(frozen=True, slots=True)
class Outline:
    """What an exchange shares with its re-run whatever the time is: its operation, statuses and lengths in bytes."""

    operation: str
    statuses: tuple[int, int]
    lengths: tuple[int, int]

    @classmethod
    def of(cls, exchange: Exchange) -> Outline:
        ours, theirs = exchange.original, exchange.port
        return cls(exchange.operation, (ours.status, theirs.status), (len(ours.body), len(theirs.body)))


def again(run: Callable[[], list[Exchange]]) -> list[list[Exchange]]:
    """The exchanges of each of a few runs, spread over a second."""
    begin, runs = time.monotonic(), []
    for number in range(_TIMES):
        time.sleep(max(0.0, begin + number * _PAUSE - time.monotonic()))
        runs.append(run())
    return runs


def is_settled(
    fingerprint: str,
    outline: Outline,
    runs: Sequence[Sequence[Exchange]],
    fingerprints: Callable[[Exchange], set[str]],
) -> bool:
    """Whether every re-run was whole, had the exchange that differed again, and in none it differed so."""
    return bool(runs) and all(
        not any(each.original.failure or each.port.failure for each in run)
        and any(Outline.of(each) == outline for each in run)
        and not any(fingerprint in fingerprints(each) for each in run)
        for run in runs
    )
