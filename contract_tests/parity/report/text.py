"""The report as lines for a terminal: causes by number, the gravest first, and the verdict last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from contract_tests.parity.telling import visible

_VALUE, _SHOWN, _NAME = 200, 3, 11


def of(run: dict[str, Any]) -> str:
    return "\n".join(lines(run)) + "\n"


def lines(run: dict[str, Any]) -> Iterator[str]:
    """The whole report; the last line is the verdict."""
    for number, cause in enumerate(run["causes"], 1):
        yield from told(cause, number)
        yield ""
    for entry, count in run["accepted"].items():
        yield f"accepted {count} times: {visible(entry)}"
    if any(cause["closes"] for cause in run["causes"]):
        yield "closed by: what stands there is in the wire kit; parity kit FOLDER copies it into your project"
    yield from map(visible, run["told"])
    yield visible(run["verdict"])


def told(cause: dict[str, Any], number: int) -> Iterator[str]:
    """One cause: what it is, where it was seen first, how to see it again, how far it goes, and what closes it."""
    yield f"{number}. {visible(cause['title'])}"
    first = next(iter(cause["fingerprints"] or cause["folded"]), "")
    yield f"     {visible(first)}"
    for side in ("original", "port"):
        yield _named(side, "(absent)" if cause[side] is None else visible(cause[side])[:_VALUE])
    yield _named("in", listed(cause["cases"]))
    yield f"     {visible(cause['curl'])}"
    yield from _extent(cause)
    if cause["closes"]:
        yield _named("closed by", f"{piece(cause['closes'])} ({cause['closes']['docs']})")


def piece(closes: dict[str, str]) -> str:
    """A piece of the wire kit, and the line to write."""
    return f"{closes['names'].replace(':', '.')}: {closes['write']}"


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return visible(", ".join(names[:_SHOWN]) + more)


def _extent(cause: dict[str, Any]) -> Iterator[str]:
    operations = list(cause["operations"])
    if len(operations) > 1:
        yield _named("also in", listed(operations[1:]))
    alike, folded = len(cause["fingerprints"]) - 1, len(cause["folded"])
    if alike > 0:
        yield _named("counts", f"{alike + 1} differences of this cause")
    if folded:
        yield _named("with it", f"{folded} difference{'s' * (folded > 1)} that follow{'s' * (folded == 1)}")


def _named(name: str, value: str) -> str:
    return f"     {name:{_NAME - 1}}{value}"
