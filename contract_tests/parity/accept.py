"""The command `parity accept`: a difference of the last report becomes an entry of the ledger, with its owner."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.parity.acceptance import asked
from contract_tests.parity.ledger import Ledger, LedgerError
from contract_tests.parity.verdict import USAGE

_LEVELS = ("transport", "status", "media-type", "header", "cookie", "json", "effect", "bytes")


@click.command()
@click.argument("fingerprint", required=False)
@click.option(
    "--report", type=click.Path(path_type=Path), default=Path("parity-report"), help="The last report's folder."
)
@click.option("--ledger", type=click.Path(path_type=Path), required=True, help="The ledger to add to.")
@click.option("--reason", help="Why it may differ.")
@click.option("--owner", help="Who answers for it.")
@click.option("--decision", help="The number of its decision, four digits.")
@click.option("--expires", help="The last day it is accepted, such as 2027-01-31.")
@click.option("--exact", is_flag=True, help="Accept these two values alone, and no others.")
@click.option("--class", "class_", type=click.Choice(["time"]), help="Accept any two times that lie together.")
def accept(
    fingerprint: str | None,
    report: Path,
    ledger: Path,
    reason: str | None,
    owner: str | None,
    decision: str | None,
    expires: str | None,
    exact: bool,
    class_: str | None,
) -> None:
    """Add the difference FINGERPRINT (or its number) of the last report to the ledger; without it, list them.

    What is not given is asked for. The ledger's own text stays as it is: the entry is added at its end.
    """
    found = _differences(report)
    if fingerprint is None:
        for number, each in enumerate(found, 1):
            click.echo(f"{number}. {each['fingerprint']}")
        return
    chosen = _chosen(found, fingerprint)
    try:
        texts = asked({"reason": reason, "decision": decision, "owner": owner})
    except ValueError as error:
        _fail(str(error))
    _add(ledger, _entry(chosen, texts, expires, exact=exact, class_=class_))
    click.echo(f"{ledger}: accepted {chosen['fingerprint']}")


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"parity: {message}\n")
    sys.exit(USAGE)


def _differences(report: Path) -> list[dict[str, Any]]:
    path = report / "report.json" if report.is_dir() else report
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        noise = [{"fingerprint": each, "original": None, "port": None} for each in document.get("noise", [])]
        return [*document["differences"], *noise]
    except OSError as error:
        _fail(f"{path}: {error.strerror}; run parity check with --report first")
    except (ValueError, KeyError, TypeError, AttributeError):
        _fail(f"{path}: this is no report of parity check")


def _chosen(found: list[dict[str, Any]], named: str) -> Mapping[str, Any]:
    if named.isdigit() and 1 <= int(named) <= len(found):
        return found[int(named) - 1]
    for each in found:
        if each["fingerprint"] == named:
            return each
    _fail(f"the report has no difference {named!r}; without an argument they are listed")


def _entry(
    chosen: Mapping[str, Any], texts: Mapping[str, str], expires: str | None, *, exact: bool, class_: str | None
) -> str:
    operation, level, path, kind = parts_of(chosen["fingerprint"])
    lines = ["", "[[accepted]]", f"operations = [{_quoted(operation)}]", f"level = {_quoted(level)}"]
    lines += [f"path = {_quoted(path)}", f"kind = {_quoted(kind)}"]
    for side in ("original", "port"):
        value = chosen.get(side)
        if class_ is not None:
            lines.append(f"{side} = {{ class = {_quoted(class_)} }}")
        elif exact and isinstance(value, str):
            if "<secret:" in value:
                _fail("this difference holds a secret, and the report does not: it cannot be accepted exactly")
            lines.append(f"{side} = {_quoted(value)}")
    lines += [f"{name} = {_quoted(text)}" for name, text in texts.items()]
    lines += [f"expires = {expires}"] if expires else []
    return "\n".join([*lines, 'sources = ["recorded"]', ""])


def parts_of(fingerprint: str) -> tuple[str, str, str, str]:
    """Operation, level, path and kind of a fingerprint; a path may have spaces in it."""
    words = fingerprint.split(" ")
    at = next((at for at, word in enumerate(words) if at > 1 and word in _LEVELS), None)
    if at is None or at + 2 >= len(words):
        _fail(f"{fingerprint!r} is no fingerprint: operation, level, path, kind")
    return " ".join(words[:at]), words[at], " ".join(words[at + 1 : -1]), words[-1]


def _add(ledger: Path, entry: str) -> None:
    try:
        old = ledger.read_text(encoding="utf-8") if ledger.exists() else ""
        text = (old if old.endswith("\n") or not old else old + "\n") + entry
        Ledger.loads(text, name=str(ledger))
        with ledger.open("a", encoding="utf-8") as file:
            file.write(text[len(old) :])
    except LedgerError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{ledger}: {error.strerror}")


def _quoted(text: str) -> str:
    return json.dumps(text)
