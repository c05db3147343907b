"""The command `parity globals`: steps 3 and 4 of the talk on anyone's Flask code, from the source alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from contract_tests.migration.globals.baseline import Baseline, BaselineError
from contract_tests.migration.globals.sarif import sarif_of
from contract_tests.migration.globals.table import table_of
from contract_tests.migration.globals.tree import tree_of
from contract_tests.migration.survey.reading import default_folder
from contract_tests.migration.survey.survey import Data, silent, survey

INTERRUPTED = 130


class Wrong(click.ClickException):
    """What was asked cannot be done: one line, code 2."""

    exit_code = 2


class OneLine(click.Command):
    """A command that tells a wrong option in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise Wrong(error.format_message()) from None


@click.command("globals", cls=OneLine)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["table", "tree", "json", "sarif"]), default="table", show_default=True
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write there instead of here."
)
@click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Leave out files or folders, such as tests; may be repeated."
)
@click.option("--fail-over", type=click.IntRange(min=0), metavar="N", help="Code 1 if there are more than N uses.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Code 1 if a number has risen since.")
@click.option("--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Keep today's numbers.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to keep what was read; else the platform's place.",
)
@click.option("--no-cache", is_flag=True, help="Keep nothing, and use nothing that was kept.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="So many processes; else one for each core.")
def find_globals(
    paths: tuple[Path, ...], form: str, out: Path | None, exclude: tuple[str, ...], fail_over: int | None,
    baseline: Path | None, write_baseline: Path | None, cache: Path | None, no_cache: bool, jobs: int | None,
) -> None:  # fmt: skip
    """Find every use of Flask's request, g, session and current_app below PATH, and the way from each route to it.

    Nothing of the code is imported or run. Exit code: 0 done, 1 more than --fail-over or the baseline allow, 2 usage.
    """
    folder = None if no_cache else cache or default_folder()
    try:
        kept = Baseline.read(baseline) if baseline else None
        data = _surveyed(paths, exclude, folder, jobs)
        compared = kept.compare(data) if kept else None
        text = _rendered(data, form, out, compared.new if compared else None)
        _write(text, out)
        if write_baseline:
            Baseline.of(data).write(write_baseline)
    except (BaselineError, OSError) as error:
        raise Wrong(_reason(error)) from None
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    reasons = [*_over(data, fail_over), *(compared.reasons if compared else ())]
    for line in (*(compared.notes if compared else ()), *reasons):
        click.echo(line, err=True)
    sys.exit(1 if reasons else 0)


def _surveyed(paths: tuple[Path, ...], exclude: tuple[str, ...], folder: Path | None, jobs: int | None) -> Data:
    for path in paths:
        if not path.exists():
            raise Wrong(f"{path}: no such file or folder")
    shown = sys.stderr.isatty()
    data = survey(paths, exclude=exclude, cache=folder, jobs=jobs, progress=_progress if shown else silent)
    if shown:
        click.echo("\r\033[K", nl=False, err=True)
    if not data["files"] and not data["unreadable"]:
        raise Wrong(f"{', '.join(map(str, paths))}: no Python file there")
    if not data["files"]:
        raise Wrong(_unread(data))
    return data


def _unread(data: Data) -> str:
    """Why nothing at all could be read."""
    first, more = data["unreadable"][0], len(data["unreadable"]) - 1
    return f"{first['path']} is not read: {first['why']}{f', and {more} more' if more else ''}"


def _progress(done: int, total: int) -> None:
    if done == total or done % 20 == 0:
        click.echo(f"\rreading {done} of {total} files", nl=False, err=True)


def _rendered(data: Data, form: str, out: Path | None, new: frozenset[str] | None) -> str:
    color = out is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    forms: dict[str, Callable[[], str]] = {
        "table": lambda: table_of(data, color=color),
        "tree": lambda: tree_of(data, color=color),
        "json": lambda: json_of(data),
        "sarif": lambda: json.dumps(sarif_of(data, new), indent=1, ensure_ascii=False),
    }
    return forms[form]()


def json_of(data: Data) -> str:
    """A line a key, and a line each of what a key lists: Python's own indentation takes ten times as long."""
    lines = []
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for key, value in data.items():
        many = isinstance(value, list) and value
        text = ",\n ".join(map(encode, value)) if many else ""
        lines.append(f"{json.dumps(key)}: [\n {text}\n]" if many else f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n".join(lines) + "}"


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(
            text.encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8"), color=True
        )
    else:
        out.write_text(text + "\n", encoding="utf-8")


def _over(data: Data, limit: int | None) -> list[str]:
    number = len(data["uses"])
    return [f"{number} uses, and no more than {limit} are allowed"] if limit is not None and number > limit else []


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _end(text: str, code: int) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)
