"""Two documents are walked side by side: every scalar comes with its path and the kind of id that its name means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .declared import Declared
from .json_text import Array, Document, Node, Object
from .json_values import Path


class Scalars(NamedTuple):
    """The scalars at one path: their indexes among the tokens (`original` None where only the port has one),
    the kind of id that stands there (None: none), and whether such an id is born there.
    """

    path: Path | None
    original: int | None
    port: int
    kind: str | None
    own: bool


class _Open(NamedTuple):
    path: Path | None
    original: Node | None
    port: Node
    name: str
    around: str


def scalars(document: Document, declared: Declared, collection: str) -> Iterator[Scalars]:
    """The scalars of one document; `collection` is the kind that the operation is about."""
    return paired(document, document, declared, collection)


def paired(original: Document, port: Document, declared: Declared, collection: str) -> Iterator[Scalars]:
    """The port's scalars, each with the original's at the same path."""
    todo = [_Open(None, original.root, port.root, "", collection)]
    while todo:
        here = todo.pop()
        path, ours, theirs, name, around = here
        if isinstance(theirs, int):
            kind, own = declared.place(name, around)
            yield Scalars(path, ours if isinstance(ours, int) else None, theirs, kind, own)
        else:
            todo.extend(_members(here, theirs, declared) if isinstance(theirs, Object) else _elements(here, theirs))


def _members(here: _Open, port: Object, declared: Declared) -> Iterator[_Open]:
    ours: dict[str, list[Node]] = {}
    if isinstance(here.original, Object):
        for key, item in zip(here.original.keys, here.original.items, strict=True):
            ours.setdefault(key, []).append(item)
    for token, key, item in zip(port.written, port.keys, port.items, strict=True):
        twins = ours.get(key)
        around = declared.within(key, here.around) if _holds_objects(item) else here.around
        yield _Open((here.path, token), twins.pop(0) if twins else None, item, key, around)


def _elements(here: _Open, port: Array) -> Iterator[_Open]:
    # In lists of unequal length the same index is not the same element: nothing may be learned from it.
    twins = (
        here.original.items if type(here.original) is Array and len(here.original.items) == len(port.items) else None
    )
    for at, item in enumerate(port.items):
        yield _Open((here.path, at), twins[at] if twins is not None else None, item, here.name, here.around)


def _holds_objects(node: Node) -> bool:
    """Whether a member names what is below it; a scalar, or a list of them, belongs to its owner."""
    while type(node) is Array and node.items:
        node = node.items[0]
    return isinstance(node, Object)
