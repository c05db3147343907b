"""The command `parity accept`: a cause of the last report becomes an entry of the ledger, with a person's reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from contract_tests.parity.ledger import Ledger, LedgerError

_USAGE = 2
# What only a person knows, and how it is asked for.
_WORDS = {
    "reason": "Why may it stay",
    "decision": "Number of the decision (four digits)",
    "owner": "Who answers for it",
}


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--ledger", "ledger_file", required=True, type=click.Path(path_type=Path), help="The ledger (TOML).")
@click.option("--cause", "number", required=True, type=click.IntRange(min=1), help="The cause's number in the report.")
@click.option("--reason", help="Why it may stay.")
@click.option("--decision", help="The decision's number, of four digits.")
@click.option("--owner", help="Who answers for it.")
def accept(report: Path, ledger_file: Path, number: int, **given: str | None) -> None:
    """Add a cause of REPORT (its folder, or report.json) to the ledger, and ask for what only a person knows.

    The entry names each operation, and accepts what follows from its differences where they occur. The file is left as
    it was if it could not be read with the entry in it.
    """
    try:
        # Nobody is asked for words that then cannot be written.
        cause = _cause(report, number)
        before = _read(ledger_file)
        text = before + ("\n" if before else "") + "\n".join(entries(cause, asked(given)))
        Ledger.loads(text, name=str(ledger_file))
        _write(ledger_file, text)
    except (ValueError, LedgerError) as error:
        sys.stderr.write(f"parity: {error}\n")
        sys.exit(_USAGE)
    click.echo(f"accepted: {cause['title']} ({len(cause['operations'])} operations, {ledger_file})")


def asked(given: Mapping[str, str | None]) -> dict[str, str]:
    """What of reason, decision and owner is not given is asked for. Raises ValueError where nobody can be asked."""
    missing = [f"--{name}" for name in _WORDS if not given[name]]
    if missing and not on_terminal():
        raise ValueError(f"give {', '.join(missing)}: there is no terminal to ask for more")
    return {name: given[name] or click.prompt(words) for name, words in _WORDS.items()}


def on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read(ledger: Path) -> str:
    """The ledger's text, nothing where there is none yet. Raises ValueError and LedgerError where it is of no use."""
    if not ledger.parent.is_dir():
        raise ValueError(f"{ledger}: {ledger.parent} is no folder")
    try:
        text = ledger.read_text(encoding="utf-8") if ledger.exists() else ""
    except UnicodeDecodeError as error:
        raise ValueError(f"{ledger}: a ledger is UTF-8: {error.reason}") from None
    except OSError as error:
        raise ValueError(f"{ledger}: {error.strerror}") from None
    if text:
        Ledger.loads(text, name=str(ledger))
    return text


def _write(ledger: Path, text: str) -> None:
    try:
        ledger.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{ledger}: {error.strerror}") from None


def _cause(report: Path, number: int) -> dict[str, Any]:
    """A cause of a report. Raises ValueError where there is no report or no such cause, or it is nothing to accept."""
    path = report / "report.json" if report.is_dir() else report
    try:
        causes = json.loads(path.read_text(encoding="utf-8"))["causes"]
        count = len(causes)
        cause: dict[str, Any] = causes[number - 1] if number <= count else {}
        secret = cause and (cause["exposes"], any("<secret:" in each for each in cause["fingerprints"]))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; run parity check with --report first") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path}: this is no report of parity check") from None
    if not secret:
        raise ValueError(f"{path}: there are {count} causes, and none has the number {number}")
    if secret[0]:
        raise ValueError(f"cause {number} shows a secret: close it, it is nothing to accept")
    if secret[1]:
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
