"""The main job: starts both apps on real servers, runs the suite against them over sockets, gives the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from contract_tests.parity.verdict import NOT_ASKED, Run, no_verdict

HERE = Path(__file__).parents[1]


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
    # Here, for --help needs none of it.
    from contract_tests.live.run import run_others, run_own
    from contract_tests.live.terminal import show
    from contract_tests.suite.contract import open_contract

    try:
        with no_verdict():
            if original and port:
                others = open_contract(
                    original=original, port=port, reset_original=reset_original, reset_port=reset_port
                )
                run = run_others(others, tests, folder)
            else:
                run = run_own(tests, folder)
    except KeyboardInterrupt:
        run = Run(dict(NOT_ASKED), interrupted=True)
    run.write(folder)
    show(run)
    sys.exit(run.code)


if __name__ == "__main__":
    main()
