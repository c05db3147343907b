"""`pytest --original SPEC --port SPEC`: a suite that exists compares two apps, and no line of it changes.

Without the two options nothing of the engine is imported, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contract_tests.parity.clients.suite import Suite

ROLES = ("original", "port")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "compare two apps by this suite (flask-fastapi-parity)")
    for role in ROLES:
        group.addoption(f"--{role}", metavar="SPEC", help=f"the {role}: module:attribute, module:factory(), a URL, ...")
        group.addoption(f"--reset-{role}", metavar="CMD", help=f"rewinds the {role} where the suite does not ask it")
    group.addoption("--parity-ledger", metavar="FILE", type=Path, help="the accepted differences (TOML)")
    group.addoption(
        "--parity-collect", action="store_true", help="go on after a difference, and fail the test with all at its end"
    )
    group.addoption(
        "--parity-reset",
        choices=["test", "app", "never"],
        default="test",
        help="when the app that the suite does not make is rewound: before each test, with each new app, or never",
    )
    group.addoption(
        "--parity-break",
        metavar="FAULT",
        help="break the app that the suite does not make in a way of `parity strength`",
    )
    group.addoption("--parity-shared-sessions", action="store_true", help="both apps keep their sessions in one store")


def pytest_configure(config: pytest.Config) -> None:
    given = {role: config.getoption(f"--{role}") for role in ROLES}
    if not any(given.values()):
        return
    if not all(given.values()):
        raise pytest.UsageError("parity: give both --original SPEC and --port SPEC, or neither")
    config.pluginmanager.register(Plugin(config, _suite(config, given)), "parity-suite")


def _suite(config: pytest.Config, given: dict[str, Any]) -> Suite:
    from contract_tests.parity.binding import DeclarationError
    from contract_tests.parity.clients.suite import Suite
    from contract_tests.parity.ledger import LedgerError
    from contract_tests.parity.specs import SpecError

    try:
        return Suite(
            **given,
            resets={role: config.getoption(f"--reset-{role}") for role in ROLES},
            ledger=config.getoption("--parity-ledger"),
            collect=config.getoption("--parity-collect"),
            reset=config.getoption("--parity-reset"),
            broken=config.getoption("--parity-break"),
            sessions_shared=config.getoption("--parity-shared-sessions"),
        )
    except (SpecError, LedgerError, DeclarationError, OSError) as error:
        raise pytest.UsageError(f"parity: {error}") from None


class Plugin:
    """The hooks of a run that compares."""

    def __init__(self, config: pytest.Config, suite: Suite) -> None:
        self.config, self.suite = config, suite
        self.counts: dict[str, dict[str, int]] = {"accepted": {}, "fingerprints": {}}
        self.exchanges = 0

    def pytest_collection_finish(self) -> None:
        self.suite.patch()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self.suite.begin_test()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[Any]:
        # What fixtures make is not there before they run.
        self.suite.patch()
        result = yield
        # What the test itself caught, or what was collected: it failed all the same.
        untold = self.suite.untold()
        if untold is not None:
            raise untold
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.suite.close()
        self._count(self.suite.exchanges, {"accepted": self.suite.accepted, "fingerprints": self.suite.fingerprints})
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["parity"] = (self.exchanges, self.counts)
        elif not self.exchanges and session.testscollected and session.exitstatus == pytest.ExitCode.OK:
            # A run that compared nothing must not look like one that found nothing.
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended."""
        exchanges, counts = getattr(node, "workeroutput", {}).get("parity", (0, {}))
        self._count(exchanges, counts)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("parity")
        for entry, count in self.counts["accepted"].items():
            terminalreporter.line(f"accepted {count} times: {entry}")
        for fingerprint, count in sorted(self.counts["fingerprints"].items()):
            terminalreporter.line(f"{count} times: {fingerprint}")
        terminalreporter.line(self._line())

    def _line(self) -> str:
        if not self.exchanges:
            return (
                "INCONCLUSIVE: no request of this suite went to both apps: none of its clients asks an app of the kind "
                "that --original or --port names in this process"
            )
        found = self.counts["fingerprints"]
        word = f"DIFFERENT: {len(found)} new difference{'s' * (len(found) != 1)}" if found else "ALIKE"
        who = ", ".join(f"{role} {spec}" for role, spec in self.suite.specs.items())
        return f"{word} ({self.exchanges} requests went to both; {who})"

    def _count(self, exchanges: int, counts: dict[str, dict[str, int]]) -> None:
        self.exchanges += exchanges
        for name, found in counts.items():
            for key, count in found.items():
                self.counts[name][key] = self.counts[name].get(key, 0) + count
