"""The command `parity check`: the engine on anyone's pair of apps."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Target
from contract_tests.parity.options import Options, configured
from contract_tests.parity.report import text
from contract_tests.parity.specs import SpecError, can_reset, demand_calls, resolve, same_target
from contract_tests.parity.stored import check_folder, given_cases, given_ledger
from contract_tests.parity.two_clocks import TwoClocks
from contract_tests.parity.verdict import NOT_ASKED, USAGE, Run, no_verdict
from contract_tests.parity.watching import Watched

SPECS = "a SPEC is module:attribute, module:factory(), a URL, or a command containing {port}"
# A control is given as long as all sources, and no less than this.
_CONTROL = 30.0
_FILE = click.Path(path_type=Path)


@click.command(epilog=SPECS)
@click.argument("original", metavar="ORIGINAL")
@click.argument("port", metavar="PORT")
@click.option("--cases", type=_FILE, help="JSON Lines, or a folder of them; alone, nothing else is sent.")
@click.option("--har", type=_FILE, help="Recorded requests (HAR 1.2); alone, nothing else is sent.")
@click.option("--openapi", metavar="FILE|URL", help="The document that says what can be asked.")
@click.option("--auth", metavar="CASE", help="A case that signs in: its name in --cases, or a file.")
@click.option("--auth-carry", metavar="WHAT", help='cookies, "bearer $.path" or "Header-Name: $.path".')
@click.option("--sources", help="all, or some of: cases recorded framework mutated sequences generated wire.")
@click.option("--budget", type=click.FloatRange(0), help="Seconds for all sources together (60).")
@click.option("--seed", type=int, help="The same seed makes the same cases (1).")
@click.option("--timeout", type=click.FloatRange(0.01), help="Seconds for one answer (10).")
@click.option(
    "--clocks", type=click.FloatRange(0), help="Seconds that two servers' times may lie apart (2); 0: none at all."
)
@click.option("--ledger", type=_FILE, help="The accepted differences (TOML).")
@click.option("--corpus", type=_FILE, help="A folder of smallest cases: run first, and added to.")
@click.option("--reset-original", metavar="CMD", help="Rewinds the original before each case.")
@click.option("--reset-port", metavar="CMD", help="Rewinds the port before each case.")
@click.option("--database-original", metavar="URL", help="What the original writes to, to be compared, too.")
@click.option("--database-port", metavar="URL", help="What the port writes to.")
@click.option(
    "--cluster", metavar="local[:N]|ADDRESS", help="Run the stored cases on N processes, or on a Dask cluster."
)
@click.option("--report", type=_FILE, help="A folder for the report.")
def check(original: str, port: str, **given: Any) -> None:
    """Ask ORIGINAL and PORT the same, and tell every difference, the gravest first.

    With nothing but the two it finds out what can be asked, and asks for up to 60 seconds:

    \b
      parity check "old.app:create_app()" "new.app:create_app()"
      parity check "old.app:create_app()" "new.app:create_app()" --auth signin.jsonl --report out

    The same keys may stand in [tool.parity] of pyproject.toml. Exit code: 0 alike or all accepted, 1 a new
    difference, 2 usage, 3 the ledger is stale or expired, 4 inconclusive (the original differs from itself, a
    target is down).
    """
    began = time.monotonic()
    options = Options()
    try:
        with no_verdict():
            options = Options.of(_listed(given), configured(Path.cwd()))
            same_target(original, port)
            if bool(options.database_original) != bool(options.database_port):
                raise SpecError("effects are compared in two databases: give --database-original and --database-port")
            ledger = given_ledger(options.ledger)
            cases = given_cases(options.cases, options.har)
            specs = Specs(original, port, options.reset_original, options.reset_port)
            _check_folders(options)
            run = (_on_cluster if options.cluster else _checked)(specs, cases, ledger, options)
    except KeyboardInterrupt:
        run = Run(dict(NOT_ASKED), noun="case", interrupted=True)
    run.seconds = time.monotonic() - began
    click.echo("\n".join(text.lines(run.as_json())))
    if options.report:
        try:
            run.write(options.report)
        except OSError as error:
            # It could be written when the run began.
            sys.stderr.write(f"parity: --report {options.report}: {error.strerror}\n")
            sys.exit(USAGE)
    # A thread that an app left hanging does not keep the command from ending.
    sys.exit(run.code)


@dataclass(frozen=True, slots=True)
class Specs:
    """The two SPECs of a check and how each target is rewound. Raises SpecError where only one of them is."""

    original: str
    port: str
    reset_original: str | None
    reset_port: str | None

    def __post_init__(self) -> None:
        one, other = (can_reset(spec, reset=reset) for spec, reset in self.sides())
        if one != other:
            demand_calls(self.original, self.port)
            side = "port" if one else "original"
            raise SpecError(f"only one side is rewound before each case: give --reset-{side}, too")

    def sides(self) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
        return (self.original, self.reset_original), (self.port, self.reset_port)

    @property
    def rewinds(self) -> bool:
        return can_reset(self.original, reset=self.reset_original)

    @property
    def anew(self) -> bool:
        """Whether both worlds are made anew for each case, and so make the same ids."""
        return can_reset(self.original) and can_reset(self.port)

    def opened(self, timeout: float) -> tuple[Target, Target]:
        """Both targets, not yet entered. Raises SpecError."""
        original, port = (watched(spec, reset, timeout) for spec, reset in self.sides())
        return original, port


def watched(spec: str, reset: str | None, timeout: float) -> Target:
    """The target of a SPEC, with a bound on each of its answers."""
    return Watched(lambda: resolve(spec, reset=reset, timeout=timeout), timeout)


def _listed(given: dict[str, Any]) -> dict[str, Any]:
    sources = given.get("sources")
    return given | {"sources": tuple(name.strip() for name in sources.split(",")) if sources else ()}


def _check_folders(options: Options) -> None:
    """Raises SpecError before anything is asked for, rather than when all has been: a run takes minutes."""
    if options.report:
        check_folder("--report", options.report)
    if options.corpus:
        check_folder("--corpus", options.corpus)
    elif options.report:
        check_folder("--report", options.report / "corpus")


def _on_cluster(specs: Specs, cases: Sequence[Case], ledger: Ledger, options: Options) -> Run:
    # What it needs is an extra, and takes a second to import.
    from contract_tests.parity.cluster.gathering import checked_on
    from contract_tests.parity.cluster.shards import Sides

    return checked_on(Sides(*specs.sides(), specs.rewinds, specs.anew, options.timeout), cases, ledger, options)


def _checked(specs: Specs, cases: Sequence[Case], ledger: Ledger, options: Options) -> Run:
    clocks = None if specs.anew else TwoClocks.from_now(options.clocks)
    with ExitStack() as stack:
        original, port = (stack.enter_context(target) for target in specs.opened(options.timeout))
        checked = Check(original, port, ledger, own_ids=not specs.anew, rewinds=specs.rewinds, clocks=clocks)
        if options.database_original and options.database_port:
            from contract_tests.parity.effects import Effects

            databases = (options.database_original, options.database_port)
            effects = Effects(*databases, partner=checked.pair.bindings.partner)
            checked.runner.effects = stack.enter_context(effects)
        explorer = Explorer(checked, cases, options)
        try:
            explorer.explore()
            if specs.anew and not checked.result.down:
                second = stack.enter_context(watched(specs.original, None, options.timeout))
                checked.control(second, cases, until=time.monotonic() + max(options.budget, _CONTROL))
            explorer.keep()
        except KeyboardInterrupt:
            checked.result.interrupted = True
        return checked.finish()
