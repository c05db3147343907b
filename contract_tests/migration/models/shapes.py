"""What a value may be, as code reads it and as traffic showed it: kinds, fields and items, with where each was seen.

GenSON infers schemas of samples alone: it keeps no counts, and nothing that says where a field comes from. Here a field
must be marked as seen in code, in traffic or in both, so these few rules are our own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CODE, TRAFFIC = "code", "traffic"
_SCALARS = {bool: "bool", int: "int", float: "float", str: "str", type(None): "None"}


@dataclass(slots=True)
class Shape:
    """A value. `objects` counts how many objects traffic showed; no kind, no field and no item: nothing is known."""

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, Field] = field(default_factory=dict)
    items: Shape | None = None
    objects: int = 0
    is_object: bool = False

    @property
    def is_known(self) -> bool:
        return bool(self.kinds or self.fields or self.items or self.is_object)

    def see(self, value: Any) -> None:
        """Take in a value of the traffic."""
        if isinstance(value, dict):
            self.is_object = True
            self.objects += 1
            for name, below in value.items():
                found = self.fields.setdefault(str(name), Field())
                found.sources.add(TRAFFIC)
                found.seen += 1
                found.shape.see(below)
        elif isinstance(value, list):
            self.items = self.items or Shape()
            for each in value:
                self.items.see(each)
        else:
            self.kinds.add(_SCALARS[type(value)])

    def field(self, name: str) -> Field:
        """A field that the code names."""
        self.is_object = True
        found = self.fields.setdefault(name, Field())
        found.sources.add(CODE)
        return found

    def item(self) -> Shape:
        self.items = self.items or Shape()
        return self.items

    def add(self, other: Shape) -> None:
        """Take in what is known of another value of the same place."""
        if other is self:
            return
        self.kinds |= other.kinds
        self.is_object |= other.is_object
        self.objects += other.objects
        for name, found in other.fields.items():
            mine = self.fields.setdefault(name, Field())
            mine.sources |= found.sources
            mine.seen += found.seen
            mine.optional |= found.optional
            mine.default = mine.default or found.default
            mine.shape.add(found.shape)
        if other.items:
            self.item().add(other.items)


@dataclass(slots=True)
class Field:
    """A field of an object: `default` is source text; `many` a key that may be repeated; `tested` by `in`."""

    shape: Shape = field(default_factory=Shape)
    sources: set[str] = field(default_factory=set)
    seen: int = 0
    optional: bool = False
    default: str | None = None
    many: bool = False
    tested: bool = False

    def is_optional(self, owner: Shape) -> bool:
        """Whether the code has an answer to its absence, or traffic showed an object without it."""
        return self.optional or (TRAFFIC in self.sources and self.seen < owner.objects)
