"""Probes side by side: each lane has a pair of servers of its own, and takes the next area when it is done with one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from contract_tests.live.lanes import Said
from contract_tests.live.probes.judging import judge_probes, judge_servers
from contract_tests.live.probes.pairs import ProbedPair, quirks_pair, quirks_probes, service_pair, service_probes
from contract_tests.parity.verdict import NOT_ASKED, Run
from contract_tests.suite.contract import open_ledger

# On two cores, beside the suite's own lane: a probe's time is waiting in good part.
LANES = 2


# What opens a pair of apps for the ledger that accepts what differs.
PAIRS = {"service": service_pair, "quirks": quirks_pair}


class Area(NamedTuple):
    """The probes of one area, or those of them that were asked for."""

    pair: str
    name: str
    probes: frozenset[str]


class Part(NamedTuple):
    """What a lane gives: what it saw, and which entries of the ledger occurred to it."""

    run: Run
    occurred: dict[int, set[str]]


def areas(only: frozenset[str] = frozenset()) -> list[Area]:
    """The areas of both pairs, the largest first; or what these ids and areas name. Raises ProbeError."""
    found: dict[tuple[str, str], set[str]] = {}
    for pair, probes in (("quirks", quirks_probes()), ("service", service_probes())):
        for probe in probes:
            if not only or {probe.id, probe.area} & only:
                found.setdefault((pair, probe.area), set()).add(probe.id)
    every = [Area(pair, name, frozenset(ids)) for (pair, name), ids in found.items()]
    return sorted(every, key=lambda area: -len(area.probes))


def probe_lanes(wanted: Sequence[Area], count: int = LANES) -> dict[str, Callable[[Said], Part]]:
    """Lanes that share these areas out among them, by their names."""
    count = min(count, len(wanted))
    queue = multiprocessing.get_context("fork").SimpleQueue()
    for number in [*range(len(wanted)), *[-1] * count]:
        queue.put(number)

    def work(said: Said) -> Part:
        return _probe(said, (wanted[number] for number in iter(queue.get, -1)))

    return {f"probes {number}": work for number in range(1, count + 1)}


def _probe(said: Said, taken: Iterator[Area]) -> Part:
    """The whole life of a lane. Raises ServerError, WorldError."""
    ledger, run = open_ledger(), Run(dict(NOT_ASKED), noun="probe")
    try:
        with ExitStack() as stack:
            pairs: dict[str, ProbedPair] = {}
            for area in taken:
                if area.pair not in pairs:
                    said.line(f"starting a pair of servers for probes of the {area.pair}")
                    pairs[area.pair] = stack.enter_context(PAIRS[area.pair](ledger))
                judge_probes(run, pairs[area.pair], only=area.probes)
                said.advance(area.name, len(area.probes))
            for pair in pairs.values():
                judge_servers(run, pair)
    except KeyboardInterrupt:
        run.interrupted = True
    return Part(run, ledger.occurred())
