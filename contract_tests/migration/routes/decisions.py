"""What a team has decided of a route: a list in TOML, each with a reason and an owner.

`[[tool.parity.routes]]` in pyproject.toml, or `[[routes]]` in a file of its own: `route`, `reason`, `owner`; with
`moved_to` the port has it elsewhere, with `guard = "dropped"` it needs no guard there, else it has no port.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEYS = {"route", "reason", "owner", "moved_to", "guard"}


class DecisionError(ValueError):
    """A decision that cannot be read; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`route` as the original has it: `GET /old/<name>`."""

    route: str
    reason: str
    owner: str
    moved_to: str | None = None
    guard: str | None = None

    @property
    def drops(self) -> bool:
        return self.moved_to is None and self.guard is None


def read_decisions(path: Path) -> dict[str, Decision]:
    """The decisions of a file, by their routes. Raises DecisionError, and OSError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DecisionError(f"{path}: {error}") from None
    listed = table.get("routes", table.get("tool", {}).get("parity", {}).get("routes", []))
    if not isinstance(listed, list):
        raise DecisionError(f"{path}: routes is a list of tables")
    found = [_decision(each, f"{path}: route {number}") for number, each in enumerate(listed, 1)]
    return {each.route: each for each in found}


def _decision(table: Any, place: str) -> Decision:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise DecisionError(f"{place}: a decision is a table of texts")
    unknown = sorted(table.keys() - _KEYS)
    missing = sorted(each for each in ("route", "reason", "owner") if not table.get(each))
    if unknown or missing:
        raise DecisionError(f"{place}: " + (f"unknown key {unknown[0]}" if unknown else f"{missing[0]} is missing"))
    if table.get("guard") not in (None, "dropped"):
        raise DecisionError(f'{place}: guard is "dropped" or left out')
    return Decision(**table)
