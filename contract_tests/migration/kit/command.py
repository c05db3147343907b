"""The command `parity kit`: the pieces that make FastAPI answer as Flask does, in a project of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .copying import KitError, compare, copy, modules


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--check", "checks", is_flag=True, help="Say which modules of a copy were changed, or are older.")
def kit(folder: Path | None, checks: bool) -> None:
    """List the wire kit's modules, or copy them into FOLDER, a package of your project.

    \b
      parity kit
      parity kit shop/wire
      parity kit shop/wire --check

    The kit needs FastAPI alone; `protocol` also needs uvicorn and httptools. Nothing is written over. Exit code: 0,
    with --check 1 for a module that was changed or is older, 2 usage.
    """
    try:
        if folder is None:
            if checks:
                raise KitError("--check wants the folder of a copy: parity kit FOLDER --check")
            for module in modules():
                click.echo(f"{module.name:15} {module.told}")
        elif checks:
            sys.exit(_checked(folder))
        else:
            count = len(copy(folder)) - 1
            name = folder.name if folder.is_absolute() or ".." in folder.parts else ".".join(folder.parts)
            click.echo(f"copied {count} modules and their license to {folder}: from {name}.routing import Routing")
    except KitError as error:
        click.echo(f"parity: {error}", err=True)
        sys.exit(2)


def _checked(folder: Path) -> int:
    found = compare(folder)
    for word, names in (("changed", found.changed), ("missing", found.missing), ("your own", found.own)):
        for name in names:
            click.echo(f"{word:9} {name}")
    click.echo(f"{len(found.alike)} of {len(found.alike) + len(found.changed)} modules are as this kit has them")
    return int(bool(found.changed))
