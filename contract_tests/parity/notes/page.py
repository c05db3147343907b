"""The notes as a page of Markdown, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.notes.change import ADDED, BREAKING, OTHER, WEIGHTS, Change, code

_HEADINGS = {BREAKING: "Breaking changes", OTHER: "Other changes", ADDED: "Additions"}
_COUNTED = {BREAKING: "breaking change", OTHER: "other change", ADDED: "addition"}


@dataclass(frozen=True, slots=True)
class Notes:
    """What changes, by operation; `titles` are those of the documents, `remarks` what the notes do not know."""

    titles: dict[str, str | None]
    routes: dict[str, list[Change]] = field(default_factory=dict)
    malformed: list[Change] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def open(self) -> int:
        """How many changes break a client and are accepted by nobody."""
        return sum(change.is_open for changes in self.routes.values() for change in changes)

    def counts(self) -> dict[str, int]:
        every = [change.weight for changes in self.routes.values() for change in changes]
        return {weight: every.count(weight) for weight in WEIGHTS}

    def as_json(self) -> dict[str, Any]:
        return {
            "documents": self.titles,
            "counts": self.counts(),
            "not_accepted": self.open,
            "routes": {name: [each.as_json() for each in _sorted(found)] for name, found in self.routes.items()},
            "malformed_requests": [each.as_json() for each in self.malformed],
            "remarks": self.remarks,
        }

    def markdown(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# What changes for users of this API"
        yield ""
        known = [f"{side}: {title}" for side, title in self.titles.items() if title is not None]
        if known:
            yield ", ".join(_plain(each[:1].upper() + each[1:]) for each in known) + "."
            yield ""
        yield ", ".join(_counted(count, _COUNTED[weight]) for weight, count in self.counts().items()) + "."
        if not any(self.counts().values()):
            yield ""
            yield "Nothing changes that is known."
        for weight in WEIGHTS:
            yield from self._section(weight)
        if self.malformed:
            yield from ("", "## Requests that no ordinary client sends", "")
            yield from map(_bullet, self.malformed)
        if self.remarks:
            yield from ("", "## What these notes do not know", "")
            yield from (f"- {each}" for each in self.remarks)

    def _section(self, weight: str) -> Iterator[str]:
        found = {
            name: chosen
            for name, changes in sorted(self.routes.items(), key=lambda each: _place(each[0]))
            if (chosen := [each for each in changes if each.weight == weight])
        }
        if not found:
            return
        yield from ("", f"## {_HEADINGS[weight]}")
        for name, changes in found.items():
            yield from ("", f"### {code(name)}", "")
            yield from map(_bullet, changes)


def _sorted(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda each: WEIGHTS.index(each.weight))


def _place(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    return path, method


def _bullet(change: Change) -> str:
    where = f"{change.where[:1].upper()}{change.where[1:]}: " if change.where else ""
    text = change.text if where else f"{change.text[:1].upper()}{change.text[1:]}"
    line = f"- {where}{text}."
    if change.reason:
        until = f", until {change.until}" if change.until else ""
        reason = _plain(change.reason).removesuffix(".")
        line += f" {reason[:1].upper()}{reason[1:]} (decision {change.decision}{until})."
    return line


def _plain(text: str) -> str:
    """A person's text on one line; what Markdown would take for a tag is shown."""
    return " ".join(text.split()).replace("<", "&lt;")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
