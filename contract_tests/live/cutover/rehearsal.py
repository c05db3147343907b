"""The runbook, step by step: the table is changed, the proxy reads it anew, and what it then does is judged."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from contract_tests.live.cutover.judging import faults_of_members, faults_of_order, faults_of_share
from contract_tests.live.cutover.load import PAUSE, Load, Tally
from contract_tests.live.cutover.proxies import Proxy
from contract_tests.live.resilience.operations import settle_people, someone
from contract_tests.live.servers import command_of, serve, sqlite_database
from contract_tests.migration.gateway.command import gateway
from contract_tests.parity import http
from contract_tests.parity.messages import Request
from contract_tests.parity.servers import Server, ServerError, free_port

MEMBERS, VISITORS = 6, 3
# Answers to visitors that a step is judged by; at 1 % also as many as it takes to see the port.
ENOUGH = 80
# Seconds in which a step has its answers, on a machine that does other things.
SEEN_WITHIN = 90.0

Say = Callable[[str], object]


@dataclass
class Rehearsal:
    """Both apps over one database and one session store, a proxy before them, and traffic while it is moved."""

    kind: str
    folder: Path
    original: Server
    port: Server
    proxy: Proxy
    tally: Tally
    say: Say
    faults: list[str] = field(default_factory=list)

    def play(self) -> None:
        """All steps; `faults` has what went wrong."""
        self._settled("original", 0)
        if self.kind == "nginx":
            self._mirror()
        self._move("1 %", 1)
        self._move("50 %", 50)
        self.faults += faults_of_order(self.tally, "1 %", "50 %")
        self._roll_back("rolled back")
        self._move("50 % again", 50)
        self._kill_the_port()
        self._move("100 %", 100)
        self._roll_back("back at the end")
        self.faults += [f"{fault} ({count} times)" for fault, count in self.tally.faults().items()]

    def write_table(self, percent: int, *, mirror: int = 0) -> None:
        """The table and the proxy's files, by the command."""
        serve = {0: '"original"', 100: '"port"'}.get(percent, f"{{ original = {100 - percent}, port = {percent} }}")
        self.table.write_text(
            f'[gateway]\nproxy = "{self.kind}"\nlisten = "127.0.0.1:{self.proxy_port}"\n'
            f'original = "127.0.0.1:{self.original.port}"\nport = "127.0.0.1:{self.port.port}"\n'
            f'logs = "{self.folder}"\nadmin_socket = "{self.folder}/admin.sock"\n'
            f'[[routes]]\npath = "/*"\nserve = {serve}\nmirror = {mirror}\n'
        )
        command("write", self.table)

    @property
    def table(self) -> Path:
        return self.folder / "cutover.toml"

    @property
    def proxy_port(self) -> int:
        return self.proxy.port

    def _move(self, step: str, percent: int) -> None:
        self.write_table(percent)
        self._reload("moving")
        self._settled(step, percent)

    def _roll_back(self, step: str) -> None:
        command("rollback", self.table)
        self._reload("rolling back")
        self._settled(step, 0)

    def _mirror(self) -> None:
        self.write_table(0, mirror=100)
        self._reload("moving")
        before = self._answered_by_port()
        self._settled("mirror", 0)
        # No client waits for the port: it may be behind what the original answered.
        if not self._within_time(lambda: self._answered_by_port() - before >= ENOUGH):
            self.faults.append("mirror: the port has not seen what the original answered")

    def _kill_the_port(self) -> None:
        """In the middle of it, at 50 %: whoever it served is served by the original, until it is back."""
        self.tally.killing = True
        os.kill(self.port.pid, signal.SIGKILL)
        if self.port.exit_code(within=10.0) is None:
            raise ServerError("the port outlived SIGKILL")
        self.tally.step = "dying"
        self._await(lambda: self._everyone_seen("dying"))
        self.tally.killing = False
        self._settled("port killed", 0)
        self.port.stop()
        self.tally.step, self.tally.pause = "coming back", 0.2
        self.port.start()
        self.tally.pause = 0.0
        self._await(lambda: self.tally.served("coming back")["port"] > 0)
        self._settled("port back", 50)

    def _reload(self, step: str) -> None:
        """While it reloads, either table holds: what begins meanwhile is judged for loss alone."""
        self.tally.step = step
        self.proxy.reload()

    def _settled(self, step: str, percent: int) -> None:
        """Let a step be seen, and judge it."""
        self.tally.step = step
        self._await(lambda: self._is_enough(step, percent))
        found = faults_of_share(self.tally, step, percent) + faults_of_members(self.tally, step)
        self.faults += found
        served = self.tally.served(step)
        told = f"original {served['original']}, port {served['port']}"
        self.say(f"{self.kind:8} {step:16} {told:32} {'WRONG' if found else 'as meant'}")

    def _is_enough(self, step: str, percent: int) -> bool:
        served = self.tally.served(step, "visitor")
        return served.total() >= ENOUGH and (not percent or served["port"] > 0) and self._everyone_seen(step)

    def _everyone_seen(self, step: str) -> bool:
        """Nobody waits any more for what they asked in the step before."""
        return len({each.who for each in self.tally.of(step)}) == MEMBERS + VISITORS

    def _await(self, enough: Callable[[], bool]) -> None:
        if not self._within_time(enough):
            raise ServerError(f"too few answers in {SEEN_WITHIN:g} s: {dict(self.tally.faults())}")

    @staticmethod
    def _within_time(reached: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SEEN_WITHIN
        while not (seen := reached()) and time.monotonic() < deadline:
            time.sleep(PAUSE)
        return seen

    def _answered_by_port(self) -> float:
        """How many requests the port has answered, as it says itself; without those that ask it this."""
        with http(self.port.url, timeout=30) as target:
            told = target.send(Request("GET", b"/metrics", ((b"Host", b"localhost"),))).body.decode()
        counted = (line for line in told.splitlines() if line.startswith("http_requests_total"))
        return sum(float(line.split()[-1]) for line in counted if 'route="/metrics"' not in line)


def command(name: str, *arguments: object) -> None:
    """What `parity gateway` does with these arguments. Raises ServerError where it refuses."""
    ended = CliRunner().invoke(gateway, [name, *map(str, arguments)])
    if ended.exit_code:
        raise ServerError(f"parity gateway {name}: {ended.output}")


@contextmanager
def rehearsal(kind: str, say: Say) -> Iterator[Rehearsal]:
    """Everything started, with traffic on it; ended with the context, whatever happens. Raises ServerError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutover-")))
        url = sqlite_database(folder)
        settle_people(url, MEMBERS)
        apps = {role: stack.enter_context(_app(role, folder, url)) for role in ("original", "port")}
        proxy = Proxy(kind, folder, port=free_port())
        load = Load(proxy.port, [someone(number) for number in range(MEMBERS)], visitors=VISITORS)
        played = Rehearsal(kind, folder, apps["original"], apps["port"], proxy, load.tally, say)
        played.write_table(0)
        stack.enter_context(proxy)
        stack.enter_context(load.running())
        yield played


def _app(role: str, folder: Path, url: str) -> Server:
    """On a port of its own that it keeps: the table names it."""
    return serve(command_of(role), folder, database_url=url, port=free_port(), pool_size=16, threads=16)
