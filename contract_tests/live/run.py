"""One run of this project's own two apps, or of two others: its lanes, and one verdict on what they saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract_tests.live.explored import explore
from contract_tests.live.lanes import LanesInterrupted, Said, run_lanes
from contract_tests.live.places import own_servers
from contract_tests.live.probes.judging import down
from contract_tests.live.probes.lane import Part, areas, probe_lanes
from contract_tests.live.terminal import Display
from contract_tests.live.watch import Watch
from contract_tests.parity.messages import Request
from contract_tests.parity.servers import Server
from contract_tests.parity.verdict import NOT_ASKED, Run
from contract_tests.suite.contract import PLANTED_SECRET, Contract, open_ledger

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "contract_tests" / "suite"
# The lane of the contract suite, and what its progress is called; and that of the engine's own cases.
TESTS = "contract tests"
EXPLORED = "engine's cases"


def run_own(tests: Sequence[str], folder: Path) -> Run:
    """The suite against our own apps; beside it probes and the engine's cases, unless only some tests are asked for.

    Raises what no_verdict() tells in one line.
    """

    def suite(said: Said) -> Part:
        servers: dict[str, Server] = {}
        with own_servers(servers, said.line) as contract:
            return _suite(contract, servers, tests, folder, said)

    return _run({TESTS: suite} if tests else {TESTS: suite, **probe_lanes(areas()), EXPLORED: explore})


def run_others(opened: AbstractContextManager[Contract], tests: Sequence[str], folder: Path) -> Run:
    """The suite against two other apps. Raises what no_verdict() tells in one line."""

    def suite(said: Said) -> Part:
        with opened as contract:
            return _suite(contract, {}, tests, folder, said)

    return _run({TESTS: suite})


def _run(lanes: Mapping[str, Callable[[Said], Part]]) -> Run:
    """One run of what all lanes saw. A single lane is called here: it needs no process of its own."""
    began = time.monotonic()
    with Display() as display:
        try:
            parts = run_lanes(lanes, display.lane, forked=len(lanes) > 1)
        except LanesInterrupted as interrupted:
            parts = dict(interrupted.values)
    ended = [name for name, part in parts.items() if not part.run.interrupted]
    suite = parts.pop(TESTS, Part(Run(dict(NOT_ASKED)), {}))
    run, ledger = suite.run, open_ledger()
    ledger.note(suite.occurred)
    for part in parts.values():
        run.add(part.run)
        ledger.note(part.occurred)
    run.interrupted |= len(ended) < len(lanes)
    run.probed = len(lanes) > 1 and not run.interrupted
    run.seconds = time.monotonic() - began
    ran = {"suite": run.whole, "probes": run.probed, "recorded": run.probed}
    complete = {source for source, whole in ran.items() if whole}
    run.ledger += [f"expired: {entry}" for entry in ledger.expired(datetime.now(UTC).date())]
    run.ledger += [f"stale: {entry}" for entry in ledger.stale(complete, known=set(ran))]
    return run


def _suite(contract: Contract, servers: Mapping[str, Server], tests: Sequence[str], folder: Path, said: Said) -> Part:
    """The lane of the suite: its tests against the two targets, and what is known of these at the end."""
    watch = Watch(contract, said)
    code = pytest.main(
        [
            *(tests or (str(SUITE),)),
            "--disable-plugin-autoload",
            "--rootdir",
            str(ROOT),
            "-c",
            str(ROOT / "pyproject.toml"),
            "--junitxml",
            str(folder / "junit.xml"),
        ],
        plugins=[watch],
    )
    run = watch.run
    run.interrupted = code == pytest.ExitCode.INTERRUPTED and not watch.broken
    run.failures |= watch.broken
    run.whole = not tests and not run.interrupted and set(run.left_out) <= {"in_process"}
    for role in ("original", "port"):
        target = contract.target(role)
        outcome = target.send(Request("GET", b"/healthz", ((b"Host", b"localhost"),)))
        run.names[role] = target.name
        if outcome.failure:
            run.down.append(down(role, outcome, servers.get(role)))
    for name, server in servers.items():
        if PLANTED_SECRET in server.log_tail(1_000_000):
            run.failures[f"the {name}'s log"] = "a secret that a client sent stands in the server's log"
    return Part(run, contract.ledger.occurred())
