"""What changes for a client: a value that says where, in words, and how much it weighs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from contract_tests.parity.difference import Difference

BREAKING, OTHER, ADDED = "breaking", "other", "addition"
WEIGHTS = (BREAKING, OTHER, ADDED)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an operation. `weight` is one of WEIGHTS; `where` and `text` are Markdown.

    `differences` are what a check would call it, so that an entry of the ledger can be found for it. `reason`,
    `decision` and `until` are that entry's, empty where there is none.
    """

    weight: str
    where: str
    text: str
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    decision: str = ""
    until: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it breaks a client, and nobody has accepted it."""
        return self.weight == BREAKING and not self.decision

    def at(self, where: str) -> Change:
        """The same change, found there."""
        return replace(self, where=where)

    def as_json(self) -> dict[str, Any]:
        names = ("weight", "where", "text", "reason", "decision", "until")
        return {name: getattr(self, name) or None for name in names}


def code(text: object) -> str:
    """A text as Markdown's inline code, whatever it holds."""
    plain = " ".join(str(text).split())
    fence = "`"
    while fence in plain:
        fence += "`"
    space = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{space}{plain}{space}{fence}"


def codes(texts: object) -> str:
    """Several of them, with commas."""
    return ", ".join(code(each) for each in texts)  # type: ignore[attr-defined]
