"""The command `parity models`: step 5 of the talk, as a draft."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from contract_tests.migration.globals.command import OneLine, Wrong
from contract_tests.migration.models.drafts import Draft, drafts_of
from contract_tests.migration.models.recorded import RecordingError, read_recorded
from contract_tests.migration.models.writing import Writer
from contract_tests.migration.routes.asked import AskError, is_spec
from contract_tests.migration.routes.board import Side
from contract_tests.migration.routes.declared import Route
from contract_tests.migration.routes.guards import Guard
from contract_tests.migration.survey.reading import default_folder


@click.command("models", cls=OneLine)
@click.argument("original", metavar="ORIGINAL")
@click.option(
    "--recorded", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Recorded exchanges: HAR, or JSON Lines; may be repeated.",
)  # fmt: skip
@click.option("--route", "wanted", multiple=True, metavar="ROUTE", help="Only this one: 'POST /user'; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A new file to write.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files or folders; may be repeated.")
@click.option("--no-cache", is_flag=True, help="Keep nothing, and use nothing that was kept.")
def models(
    original: str, recorded: tuple[Path, ...], wanted: tuple[str, ...], out: Path | None, exclude: tuple[str, ...],
    no_cache: bool,
) -> None:  # fmt: skip
    """Draft Pydantic models for what each route of ORIGINAL reads and answers. Never written over a file.

    A path is read, and nothing of it runs. A SPEC (module:attribute or module:factory()) is imported and asked, too.
    """
    drafts, _ = drafted(original, recorded, wanted, exclude, None if no_cache else default_folder())
    text = Writer().module(drafts)
    if out:
        write_new(out, text)
    else:
        click.echo(text, nl=False)


def drafted(
    original: str, recorded: tuple[Path, ...], wanted: tuple[str, ...], exclude: tuple[str, ...], cache: Path | None
) -> tuple[list[Draft], Callable[[Route], list[Guard]]]:
    """The drafts that a command line asks for, and what tells a route's guards. Raises Wrong in one line."""
    if not is_spec(original) and not Path(original).exists():
        raise Wrong(f"{original}: no such file or folder, and no SPEC such as package.module:create_app()")
    try:
        side = Side(original, port=False, exclude=exclude, cache=cache)
        exchanges = [each for path in recorded for each in read_recorded(path)]
    except (AskError, RecordingError) as error:
        raise Wrong(str(error)) from None
    except OSError as error:
        raise Wrong(f"{error.filename}: {error.strerror}") from None
    routes = [route for route in side.routes if not wanted or str(route) in wanted]
    if not routes:
        raise Wrong(f"{original}: no route{' of that name' if wanted else ' of Flask'} there")
    return drafts_of(side.code, routes, exchanges), side.guards


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet. Raises Wrong where it is, or where it cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Wrong(f"{path} is there already: nothing is written over it") from None
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from None
