"""The command `parity accept`: a cause of the last report becomes an entry of the ledger, with a person's reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from contract_tests.parity.ledger import Ledger, LedgerError

_USAGE = 2


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--ledger", "ledger_file", required=True, type=click.Path(path_type=Path), help="The ledger (TOML).")
@click.option("--cause", "number", required=True, type=click.IntRange(min=1), help="The cause's number in the report.")
@click.option("--reason", prompt="Why may it stay", help="Why it may stay.")
@click.option(
    "--decision", prompt="Number of the decision (four digits)", help="The decision's number, of four digits."
)
@click.option("--owner", prompt="Who answers for it", help="Who answers for it.")
def accept(report: Path, ledger_file: Path, number: int, reason: str, decision: str, owner: str) -> None:
    """Add a cause of REPORT (its folder, or report.json) to the ledger, and ask for what only a person knows.

    The entry names each operation, and accepts what follows from its differences where they occur. The file is left as
    it was if it could not be read with the entry in it.
    """
    try:
        cause = _cause(report, number)
        words = {"reason": reason, "decision": decision, "owner": owner}
        before = ledger_file.read_text(encoding="utf-8") if ledger_file.exists() else ""
        text = before + ("\n" if before else "") + "\n".join(entries(cause, words))
        Ledger.loads(text, name=str(ledger_file))
    except (OSError, ValueError, LedgerError) as error:
        sys.stderr.write(f"parity: {error}\n")
        sys.exit(_USAGE)
    ledger_file.write_text(text, encoding="utf-8")
    click.echo(f"accepted: {cause['title']} ({len(cause['operations'])} operations, {ledger_file})")


def _cause(report: Path, number: int) -> dict[str, Any]:
    path = report / "report.json" if report.is_dir() else report
    causes = json.loads(path.read_text(encoding="utf-8")).get("causes", [])
    if number > len(causes):
        raise ValueError(f"{path}: there are {len(causes)} causes, and none has the number {number}")
    cause: dict[str, Any] = causes[number - 1]
    if cause["exposes"]:
        raise ValueError(f"cause {number} shows a secret: close it, it is nothing to accept")
    if any("<secret:" in each for each in cause["fingerprints"]):
        raise ValueError(f"cause {number} has a secret in its path: write its entry by hand")
    return cause


def entries(cause: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    """The lines of the entries for a cause: one for all operations with the same differences.

    `words` are reason, decision and owner. No entry accepts in one operation what was seen only in another.
    """
    for operations, differences in _alike(cause).items():
        yield "[[accepted]]"
        yield f"operations = {_list(operations)}"
        yield "differences = ["
        yield from (f"    {{ {each} }}," for each in differences)
        yield "]"
        if cause["folded"]:
            yield "follows = true"
        yield from (f"{key} = {json.dumps(words[key])}" for key in ("reason", "decision", "owner"))
        yield ""


def _alike(cause: dict[str, Any]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Operations by what differs in them."""
    by_operation: dict[str, list[str]] = {}
    for fingerprint in cause["fingerprints"]:
        method, path, place = fingerprint.split(" ", 2)
        by_operation.setdefault(f"{method} {path}", []).extend(_tables(place, cause["values"].get(fingerprint, [])))
    found: dict[tuple[str, ...], list[str]] = {}
    for operation, tables in by_operation.items():
        found.setdefault(tuple(tables), []).append(operation)
    return {tuple(operations): tables for tables, operations in found.items()}


def _tables(place: str, values: list[list[str | None]]) -> Iterator[str]:
    """A difference's table, one for each pair of values where these are known."""
    level, rest = place.split(" ", 1)
    path, kind = rest.rsplit(" ", 1)
    keys = f"level = {json.dumps(level)}, path = {json.dumps(path)}, kind = {json.dumps(kind)}"
    for pair in values or [[None, None]]:
        sides = zip(("original", "port"), pair, strict=True)
        yield keys + "".join(f", {side} = {json.dumps(value)}" for side, value in sides if value)


def _list(operations: tuple[str, ...]) -> str:
    return "[" + ", ".join(json.dumps(each) for each in operations) + "]"
