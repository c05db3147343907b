"""The command `parity routes`: the board of a migration, and its gate."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import click

from contract_tests.migration.globals.command import OneLine, Wrong
from contract_tests.migration.routes.asked import AskError, is_spec
from contract_tests.migration.routes.board import Board, Side, board_of
from contract_tests.migration.routes.decisions import Decision, DecisionError, read_decisions
from contract_tests.migration.routes.evidence import Evidence, ReportError
from contract_tests.migration.routes.html import html_of
from contract_tests.migration.routes.pages import json_of, markdown_of, table_of
from contract_tests.migration.survey.reading import default_folder


@click.command("routes", cls=OneLine)
@click.argument("original", metavar="ORIGINAL")
@click.argument("port", metavar="PORT")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="report.json of a parity run; else as [tool.parity] says.",
)
@click.option(
    "--decisions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What was decided of routes (TOML); else pyproject.toml's tool.parity.routes.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "json", "html"]), default="table", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write there instead.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files or folders; may be repeated.")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR", help="Where to keep what was read.")
@click.option("--no-cache", is_flag=True, help="Keep nothing, and use nothing that was kept.")
def routes(
    original: str, port: str, report: Path | None, decisions: Path | None, form: str, out: Path | None,
    exclude: tuple[str, ...], cache: Path | None, no_cache: bool,
) -> None:  # fmt: skip
    """Match every route of ORIGINAL with its port in PORT, and show the state of the talk's six steps.

    A path is read, and nothing of it runs. A SPEC (module:attribute or module:factory()) is imported and asked, too.
    Exit code: 0 done, 1 a route without a port or a decision, or a guard that the port lacks, 2 usage.
    """
    folder = None if no_cache else cache or default_folder()
    if report is None and (report := last_report(Path.cwd())) is not None:
        click.echo(f"last report: {report}", err=True)
    try:
        board = _board(original, port, report, _decided(decisions), exclude, folder)
    except (AskError, DecisionError, ReportError) as error:
        raise Wrong(str(error)) from None
    except OSError as error:
        raise Wrong(f"{error.filename}: {error.strerror}") from None
    color = out is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    forms = {
        "table": lambda: table_of(board, color=color),
        "markdown": lambda: markdown_of(board),
        "json": lambda: json_of(board),
        "html": lambda: html_of(board, original=original, port=port, report=report, out=out),
    }
    if out:
        try:
            out.write_text(forms[form]() + "\n", encoding="utf-8")
        except OSError as error:
            raise Wrong(f"{error.filename}: {error.strerror}") from None
    else:
        click.echo(forms[form](), color=color)
    for reason in board.fails:
        click.echo(reason, err=True)
    sys.exit(1 if board.fails else 0)


def _board(
    original: str, port: str, report: Path | None, decisions: dict[str, Decision], exclude: tuple[str, ...],
    cache: Path | None,
) -> Board:  # fmt: skip
    for each in (original, port):
        if not is_spec(each) and not Path(each).exists():
            raise Wrong(f"{each}: no such file or folder, and no SPEC such as package.module:create_app()")
    evidence = Evidence.read(report) if report else Evidence(None)
    sides = (
        Side(original, port=False, exclude=exclude, cache=cache), Side(port, port=True, exclude=exclude, cache=cache)
    )  # fmt: skip
    for each, side in zip((original, port), sides, strict=True):
        if not side.routes:
            framework = "Flask" if side is sides[0] else "FastAPI"
            raise Wrong(f"{each}: no route of {framework} there{_besides(side)}")
    return board_of(*sides, evidence, decisions)


def _besides(side: Side) -> str:
    """What may hold the routes that were not found."""
    unread = [f"{path} is not read: {why}" for path, _, why in side.code.readings.unreadable]
    found = [*(f"the source does not tell the rules of {each}" for each in side.untold), *unread]
    return f"; {found[0]}{f', and {len(found) - 1} more' if found[1:] else ''}" if found else ""


def last_report(folder: Path) -> Path | None:
    """The report of the last parity run: in the folder that [tool.parity] of a pyproject.toml names, if it is there."""
    try:
        told = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        kept = told.get("tool", {}).get("parity", {}).get("report")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return None
    found = Path(kept) / "report.json" if isinstance(kept, str) else None
    return found if found is not None and (folder / found).is_file() else None


def _decided(path: Path | None) -> dict[str, Decision]:
    if path:
        return read_decisions(path)
    own = Path("pyproject.toml")
    return read_decisions(own) if own.is_file() else {}
