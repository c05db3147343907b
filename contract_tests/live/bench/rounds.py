"""Interleaved rounds: in each, every contender has its turn at each load, in an order that alternates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from contract_tests.live.bench.contenders import ROUTES, Contender
from contract_tests.live.bench.load import Sample, load
from contract_tests.live.bench.plan import Plan

WARM_UP = 0.3


@dataclass(frozen=True, slots=True)
class Measured:
    """A sample, and of what."""

    round: int
    database: str
    sessions: str
    contender: str
    route: str
    connections: int
    sample: Sample


def measure(
    contenders: list[Contender], plan: Plan, *, database: str, sessions: str, progress: Callable[[str], None]
) -> Iterator[Measured]:
    """Every contender under every load of the plan, round by round."""
    # Numbers of people whom nobody has registered: none is used twice in one database.
    numbers = count(10_000)
    for contender in contenders:
        for route in plan.routes:
            if contender.has(route):
                _load(contender, route, numbers, connections=4, seconds=WARM_UP / 4)
    for number in range(plan.rounds):
        progress(f"{database}, sessions in {sessions}, round {number + 1} of {plan.rounds}")
        turn = contenders if number % 2 == 0 else contenders[::-1]
        for route in plan.routes:
            for connections in plan.connections:
                for contender in turn:
                    if contender.has(route) and plan.measures(contender.name, sessions, connections):
                        sample = _load(contender, route, numbers, connections=connections, seconds=plan.seconds)
                        yield Measured(number, database, sessions, contender.name, route, connections, sample)


def _load(contender: Contender, route: str, numbers: Iterator[int], *, connections: int, seconds: float) -> Sample:
    make = contender.requests(ROUTES[route], numbers)
    sample = load(contender.server.port, make, pid=contender.server.pid, connections=connections, seconds=seconds)
    time.sleep(0.01)
    return sample
