"""The main job: starts both apps on real servers, runs the suite against them over sockets, gives the verdict."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from contract_tests.contract import CONTRACT, GATE, PLANTED_SECRET, Contract, open_contract, open_ledger
from contract_tests.findings import add_findings, ranked
from contract_tests.parity import Different, Target, http
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.messages import Request
from contract_tests.parity.servers import Server
from contract_tests.verdict import NOT_ASKED, Run, no_verdict

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
SUITE = HERE / "suite"
THREADS = 16
# Alembic has one context a process.
MIGRATING = threading.Lock()
# The markers of tests that a run against servers may leave out.
LEFT_OUT = ("in_process", "empty_world", "shared", "provider")
SERVERS = {
    "original": f"gunicorn flask_app:create_app() --worker-class gthread --threads {THREADS} --no-control-socket"
    " --forwarded-allow-ips= --bind 127.0.0.1:{port}",
    "port": "uvicorn fastapi_app:create_app --factory --http fastapi_app.wire.protocol:GunicornHttp"
    " --no-proxy-headers --no-access-log --host 127.0.0.1 --port {port}",
}


@click.command(help=__doc__)
@click.option(
    "--original",
    metavar="SPEC",
    help="Another original: module:attribute, module:factory(), a URL, a command with {port}.",
)
@click.option("--port", metavar="SPEC", help="Another port, in the same forms.")
@click.option(
    "--reset-original", metavar="CMD", help="Rewinds the original before each test: a command, or module:callable."
)
@click.option("--reset-port", metavar="CMD", help="Rewinds the port before each test.")
@click.option(
    "--report", "folder", type=click.Path(path_type=Path, file_okay=False), default="parity-report", show_default=True
)
@click.argument("tests", nargs=-1)
def main(
    original: str | None,
    port: str | None,
    reset_original: str | None,
    reset_port: str | None,
    folder: Path,
    tests: tuple[str, ...],
) -> None:
    if bool(original) != bool(port):
        raise click.UsageError("give both --original and --port, or neither for this project's own apps")
    paths = {test: Path(test.partition("::")[0]).resolve() for test in tests}
    if missing := [test for test, path in paths.items() if not path.exists()]:
        raise click.UsageError(f"{missing[0]} does not exist")
    if strangers := [test for test, path in paths.items() if HERE not in path.parents]:
        raise click.UsageError(
            f"{strangers[0]} is no test below {HERE.name}/: a suite of your own takes a PairTransport"
        )
    try:
        with no_verdict(), ExitStack() as stack:
            servers: dict[str, Server] = {}
            if original and port:
                opened = open_contract(
                    original=original, port=port, reset_original=reset_original, reset_port=reset_port
                )
                contract = stack.enter_context(opened)
            else:
                contract = stack.enter_context(own_servers(servers))
            run = run_suite(contract, tests or (str(SUITE),), folder)
            if servers and not tests and not run.interrupted:
                probe(run, contract, servers)
            judge(run, contract, servers)
    except KeyboardInterrupt:
        run = Run(dict(NOT_ASKED), interrupted=True)
    run.write(folder)
    show(run)
    sys.exit(run.code)


@contextmanager
def own_servers(started: dict[str, Server]) -> Iterator[Contract]:
    """Both apps of this project on servers of their own: apart, and again over one database and one session store.

    Raises ServerError.
    """
    from contract_tests.world import provider

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-")))
        both = Place(folder / "shared")
        apart, shared = {}, {}
        for role, command in SERVERS.items():
            own = Place(folder / role)
            apart[role] = stack.enter_context(own.target(command, started, name=role))
            shared[role] = stack.enter_context(both.target(command, started, name=f"{role} that shares its database"))
        yield Contract(
            apart["original"],
            apart["port"],
            ledger=open_ledger(),
            bound=True,
            rewinds=True,
            provider=provider(),
            shared=shared,
        )


class Place:
    """A folder with an embedded database and a session store, where a server runs with the cheapest hashes."""

    def __init__(self, home: Path) -> None:
        from contract_tests.world import provider, settings

        # No .env file is there: the suite's own settings are all that counts.
        home.mkdir()
        self.home = home
        self.settings = settings(
            database_url=f"sqlite:///{home / 'service.sqlite3'}",
            session_store=f"sqlite:///{home / 'sessions.sqlite3'}",
            upload_dir=str(home / "uploads"),
            rate_limit_store=f"sqlite:///{home / 'limits.sqlite3'}",
            threads=THREADS,
            pool_size=THREADS,
            **provider().settings(),
        )

    @contextmanager
    def target(
        self, command: str, started: dict[str, Server], *, name: str, env: Mapping[str, str] | None = None
    ) -> Iterator[Target]:
        """A server by its command, which is noted by its name; `env` is added to the settings. Raises ServerError."""
        from contract_tests.world import empty, environment
        from shared_core.database import make_engine
        from shared_core.migrations import migrate
        from shared_core.services import make_rate_store, make_session_store

        engine, sessions = make_engine(self.settings), make_session_store(self.settings)
        counts = make_rate_store(self.settings)
        with MIGRATING:
            migrate(engine)

        def reset() -> None:
            empty(engine)
            sessions.clear(self.settings.session_key_prefix)
            shutil.rmtree(self.settings.upload_dir, ignore_errors=True)
            counts.clear()

        environ = {**environment(self.settings), **(env or {})}
        with Server([sys.executable, "-m", *command.split()], env=environ, cwd=self.home, ready="/readyz") as server:
            started[name] = server
            click.echo(f"started the {name} on {server.url}")
            with http(server.url, reset=reset) as target:
                yield target
        engine.dispose()
        sessions.close()
        counts.close()


def run_suite(contract: Contract, tests: tuple[str, ...], folder: Path) -> Run:
    """Run the contract suite against the two targets, and gather what it saw."""
    watch = Watch(contract)
    began = time.monotonic()
    with watch.progress:
        code = pytest.main(
            [
                *tests,
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
    watch.run.seconds = time.monotonic() - began
    watch.run.interrupted = code == pytest.ExitCode.INTERRUPTED and not watch.broken
    watch.run.failures |= watch.broken
    left_out = watch.run.left_out
    watch.run.whole = tests == (str(SUITE),) and not watch.run.interrupted and set(left_out) <= {"in_process"}
    return watch.run


def probe(run: Run, contract: Contract, servers: dict[str, Server]) -> None:
    """Send both apps the probes, and the specimen's pair its own: what client libraries would not send."""
    from contract_tests.probes.judging import judge_probes
    from contract_tests.probes.pairs import quirks_pair, service_pair

    began = time.monotonic()
    try:
        targets = {role: contract.target(role) for role in SERVERS}
        with quirks_pair(contract.ledger) as quirks:
            for pair in (service_pair(targets, servers, contract.ledger), quirks):
                click.echo(f"{len(pair.probes)} probes of the {pair.name}")
                judge_probes(run, pair)
        run.probed = True
    except KeyboardInterrupt:
        run.interrupted = True
    run.seconds += time.monotonic() - began


def judge(run: Run, contract: Contract, servers: dict[str, Server]) -> None:
    """What is known only at the end: who answered, who is down, what stands in the logs, what the ledger says."""
    for role in ("original", "port"):
        target = contract.target(role)
        outcome = target.send(Request("GET", b"/healthz", ((b"Host", b"localhost"),)))
        run.names[role] = target.name
        if outcome.failure:
            tail = f"; the last it wrote:\n{servers[role].log_tail()}" if role in servers else ""
            run.down.append(f"the {role} does not answer any more ({outcome.failure}){tail}")
    for role, server in servers.items():
        if PLANTED_SECRET in server.log_tail(1_000_000):
            run.failures[f"the {role}'s log"] = "a secret that a client sent stands in the server's log"
    ledger = contract.ledger
    complete = {source for source, ran in (("suite", run.whole), ("probes", run.probed)) if ran}
    run.ledger += [f"expired: {entry}" for entry in ledger.expired(datetime.now(UTC).date())]
    run.ledger += [f"stale: {entry}" for entry in ledger.stale(complete, known={"suite", "probes"})]


class Watch:
    """A pytest plugin in place of the terminal's: progress while it runs, and the Run at the end."""

    def __init__(self, contract: Contract) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.contract = contract
        self.run = Run({"original": contract.original.name, "port": contract.port.name})
        self.broken: dict[str, str] = {}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            transient=True,
            disable=not sys.stdout.isatty(),
        )
        self.bar = self.progress.add_task("contract tests", total=None)
        contract.on_exchange = self.note

    def note(self, exchange: Exchange) -> None:
        for _, entry in exchange.accepted:
            self.run.accepted[str(entry)] = self.run.accepted.get(str(entry), 0) + 1

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[CONTRACT] = self.contract
        config.pluginmanager.unregister(config.pluginmanager.get_plugin("terminalreporter"))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.progress.update(self.bar, total=len(session.items))

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
            self.progress.update(self.bar, advance=1, description=area)
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
            add_findings(self.run.differences, exchange, nodeid, self.contract.secrets)


def show(run: Run) -> None:
    """The differences and failures, the table and the verdict, on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    for found in ranked(run.differences)[:10]:
        click.echo(f"\n{found.told}\n\nmet by {len(found.cases)} tests, first {found.cases[0]}")
    # Where a target is down, its tests only say so again.
    for nodeid, told in list(run.failures.items())[: 0 if run.down else 10]:
        click.echo(f"\nFAILED {nodeid}\n{told}")
    for fault in run.faults:
        click.echo(f"not as documented: {fault}")
    heading, *rows = run.table()
    table = Table(*heading, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for entry, count in run.accepted.items():
        click.echo(f"accepted {count} times: {entry}")
    click.echo(f"\n{run.line()}")


if __name__ == "__main__":
    main()
