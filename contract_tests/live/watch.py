"""A pytest plugin that watches a run: progress while it goes on, and what it saw at the end."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.live.lanes import Said
from contract_tests.parity import Different
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.verdict import Run
from contract_tests.suite.contract import CONTRACT, GATE, Contract

# The markers of tests that a run against servers may leave out.
LEFT_OUT = ("in_process", "empty_world", "shared", "provider")


class Watch:
    """A pytest plugin in place of the terminal's: says what it is at, and has the Run at the end."""

    def __init__(self, contract: Contract, said: Said) -> None:
        self.contract = contract
        self.said = said
        self.run = Run({"original": contract.original.name, "port": contract.port.name})
        self.broken: dict[str, str] = {}
        contract.on_exchange = self.note

    def note(self, exchange: Exchange) -> None:
        self.run.saw(exchange, "suite")
        if not exchange.differences:
            # What differs comes with the failure of its test.
            self.run.causes.accept(exchange, "", self.contract.secrets, source="suite")
        for _, entry in exchange.accepted:
            self.run.accepted[str(entry)] = self.run.accepted.get(str(entry), 0) + 1

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[CONTRACT] = self.contract
        config.pluginmanager.unregister(config.pluginmanager.get_plugin("terminalreporter"))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.said.total(len(session.items))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        for item in items:
            unfit = next((name for name in LEFT_OUT if item.get_closest_marker(name)), "partial")
            self.run.left_out[unfit] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken[report.nodeid] = report.longreprtext

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        # A test that passed and whose teardown fails is told among the failures, and counted once.
        if report.when == "call" or (report.when == "setup" and report.failed):
            area = item.path.stem.removeprefix("test_")
            params = item.callspec.params if hasattr(item, "callspec") else {}
            self.run.count(area, params.get("api") or params.get("role") or "both", report.outcome)
            self.said.advance(area)
        if report.failed:
            self._note_failure(item.nodeid, call, report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        # After the suite's own hook, which holds what was seen against the document.
        yield
        gate = session.config.stash[GATE]
        self.run.unseen = sorted(fault for fault in gate.faults if fault.endswith("never seen"))
        self.run.faults = sorted(gate.faults - set(self.run.unseen))

    def _note_failure(self, nodeid: str, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        error = call.excinfo.value if call.excinfo else None
        if not isinstance(error, Different):
            self.run.failures[nodeid] = self.contract.without_secrets(report.longreprtext)
            return
        for exchange in error.exchanges:
            self.run.found(exchange, nodeid, self.contract.secrets, source="suite")
