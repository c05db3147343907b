"""The reason of a difference is a value: its name, the marks that make it one, and what a person is told."""

from __future__ import annotations

from dataclasses import dataclass, field

_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Reasons are one where name and marks are; `plain` is what the reason were if the request had been a usual one."""

    name: str
    marks: tuple[str, ...]
    title: str = field(compare=False)
    plain: Reason | None = field(default=None, compare=False)


def shown(text: str | None) -> str:
    """A value within a title."""
    if text is None:
        return "absent"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026"
