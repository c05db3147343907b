"""The command `parity notes`: release notes for the users of the API that moves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from contract_tests.parity.asking import document_at
from contract_tests.parity.cases import CaseError
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.notes.change import Change
from contract_tests.parity.notes.document import Described, DocumentError
from contract_tests.parity.notes.page import Notes
from contract_tests.parity.notes.routes import Routes
from contract_tests.parity.notes.settlements import Settlements
from contract_tests.parity.stored import given_ledger
from contract_tests.parity.verdict import no_verdict

_FAILED = 1


@click.command()
@click.option("--original", metavar="FILE|URL", help="The original's OpenAPI document (or Swagger 2).")
@click.option("--port", metavar="FILE|URL", help="The port's.")
@click.option("--ledger", type=click.Path(path_type=Path), help="The accepted differences (TOML).")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file to write; else it is printed.")
@click.option("--overwrite", is_flag=True, help="Write over --output where there is a file.")
@click.option("--json", "as_json", is_flag=True, help="JSON in place of Markdown.")
@click.option("--fail-on", type=click.Choice(["breaking"]), help="Exit with 1 for a breaking change nobody accepted.")
def notes(
    original: str | None,
    port: str | None,
    ledger: Path | None,
    output: Path | None,
    *,
    overwrite: bool,
    as_json: bool,
    fail_on: str | None,
) -> None:
    """Say what changes for the users of an API, by route, what breaks them first.

    It is read from the two documents and from the ledger; any of them may be missing. Exit code: 0 written, 1 by
    --fail-on, 2 usage.
    """
    with no_verdict():
        if original is None and port is None and ledger is None:
            raise CaseError("there is nothing to read: give --original and --port, or --ledger, or all of them")
        if output is not None and output.exists() and not overwrite:
            raise CaseError(f"{output} exists: nothing is overwritten without --overwrite")
        written = made(_described(original, "--original"), _described(port, "--port"), given_ledger(ledger))
        text = json.dumps(written.as_json(), indent=2) + "\n" if as_json else written.markdown()
        # A document may hold half a character, which no file and no terminal can.
        _write(text.encode("utf-8", "backslashreplace").decode(), output)
    sys.exit(_FAILED if fail_on and written.open else 0)


def made(original: Described | None, port: Described | None, ledger: Ledger) -> Notes:
    """The notes of two documents, or of one or none, and a ledger."""
    sides = {"original": original, "port": port}
    aliases = {route.shape: route.name for side in (port, original) if side for route in side.routes.values()}
    settlements = Settlements(ledger, aliases.values())
    routes = Routes(original, port).changes() if original and port else {}
    routes = {name: settlements.explained(name, changes, ()) for name, changes in routes.items()}
    accepted = settlements.by_operation(routes)
    every: dict[str, list[Change]] = {
        name: [*routes.get(name, []), *accepted.get(name, [])] for name in dict.fromkeys([*routes, *accepted])
    }
    titles = {side: each.title if each else None for side, each in sides.items()}
    return Notes(titles, every, settlements.malformed(), _remarks(original, port, settlements))


def _remarks(original: Described | None, port: Described | None, settlements: Settlements) -> list[str]:
    found = []
    for side, document in (("original", original), ("port", port)):
        if document is None:
            found.append(f"The {side} has no document here: only accepted differences are told.")
        elif document.reader.lost:
            lost = list(document.reader.lost)
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            found.append(f"References that lead nowhere in the {side}'s document are not followed: {lost[0]}{more}.")
    if original and port and original.knows_sign_in != port.knows_sign_in:
        knows, silent = ("original", "port") if original.knows_sign_in else ("port", "original")
        found.append(f"The {knows}'s document names ways to sign in, and the {silent}'s names none: not compared.")
    if inside := settlements.inside():
        found.append(f"{inside} accepted differences of databases are left out: no client sees them.")
    return found


def _described(place: str | None, option: str) -> Described | None:
    if place is None:
        return None
    try:
        return Described(document_at(place, option))
    except RecursionError:
        raise CaseError(f"{option} {place}: nested too deeply") from None
    except DocumentError as error:
        raise CaseError(f"{option} {place}: {error}") from None


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"written: {output}")
