"""The command `parity scaffold`: step 2 and 6 of the talk, begun."""

from __future__ import annotations

from pathlib import Path

import click

from contract_tests.migration.globals.command import OneLine, Wrong
from contract_tests.migration.models.command import drafted, write_new
from contract_tests.migration.models.writing import Named, Writer
from contract_tests.migration.routes.asked import is_spec
from contract_tests.migration.scaffold.contract import tests_of
from contract_tests.migration.scaffold.router import Router, Stub
from contract_tests.migration.survey.reading import default_folder

FILES = ("models.py", "router.py", "test_router.py")


@click.command("scaffold", cls=OneLine)
@click.argument("original", metavar="ORIGINAL")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where to write models.py, router.py and test_router.py.",
)  # fmt: skip
@click.option(
    "--recorded", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="As for parity models."
)
@click.option("--route", "wanted", multiple=True, metavar="ROUTE", help="Only this one: 'POST /user'; may be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files or folders; may be repeated.")
@click.option("--no-cache", is_flag=True, help="Keep nothing, and use nothing that was kept.")
def scaffold(
    original: str, out: Path, recorded: tuple[Path, ...], wanted: tuple[str, ...], exclude: tuple[str, ...],
    no_cache: bool,
) -> None:  # fmt: skip
    """Draft the port's router of ORIGINAL: a stub, its models and a failing contract test for each route.

    Written to new files in --out, and over nothing. A draft to edit.
    """
    there = [str(out / name) for name in FILES if (out / name).exists()]
    if there:
        raise Wrong(f"{', '.join(there)}: there already, and nothing is written over it")
    drafts, guards = drafted(original, recorded, wanted, exclude, None if no_cache else default_folder())
    writer, router = Writer(), Router()
    texts = {"models.py": writer.module(drafts)}
    stubs = [Stub(each, writer.named.get(str(each.route), Named()), guards(each.route)) for each in drafts]
    texts["router.py"] = router.module(stubs)
    texts["test_router.py"] = tests_of(stubs, router.functions, original if is_spec(original) else None)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Wrong(f"{out}: {error.strerror}") from None
    if not (out / "__init__.py").exists():
        texts["__init__.py"] = ""
    for name, text in texts.items():
        write_new(out / name, text)
    click.echo(f"{len(stubs)} route{'s' * (len(stubs) != 1)}: wrote {', '.join(sorted(texts))} to {out}")
