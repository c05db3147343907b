"""Two JSON values are alike only if every path holds the same type and the same value, in the same order."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, DecimalException

from .difference import Difference
from .json_text import Array, Document, Node, Object, decoded

# A path is a chain towards the root, of indexes and of keys as written. It is written out only for a difference:
# a deep document has no long paths to copy.
Path = tuple["Path | None", "str | int"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# A member that tells which thing an element is; a text or an integer.
_IDENTITY = re.compile(r"(?:_?id|uuid|slug|key|code|pk)", re.IGNORECASE)
_KEYS = frozenset('"-0123456789')
# Aligning arrays compares whole elements; beyond this many tokens they are compared by index alone.
_ALIGNED_TOKENS = 20_000


class Comparison:
    """The walk over two documents at once: `differences()` by path, and afterwards `respelled`,
    the first pair of scalars that are equal in value and written in two ways (`1.0` and `1.00`).
    """

    def __init__(self, original: Document, port: Document) -> None:
        self.original, self.port = original, port
        self.respelled: tuple[str, str] | None = None
        self._open: list[tuple[Path | None, Node, Node]] = []

    def differences(self) -> Iterator[Difference]:
        """Every difference, by path. A missing or extra element's index is that of the side that has it."""
        if self.original.tokens == self.port.tokens:
            return
        self._open.append((None, self.original.root, self.port.root))
        while self._open:
            path, original, port = self._open.pop()
            if isinstance(original, int) and isinstance(port, int):
                yield from self._scalars(path, self.original.tokens[original], self.port.tokens[port])
            elif isinstance(original, Object) and isinstance(port, Object):
                yield from self._objects(path, original, port)
            elif type(original) is Array and type(port) is Array:
                yield from self._arrays(path, original, port)
            else:
                yield self._difference(path, "type", original, port)

    def _scalars(self, path: Path | None, original: str, port: str) -> Iterator[Difference]:
        if original == port:
            return
        if scalar_type(original) != scalar_type(port):
            yield Difference("json", written(path), "type", original, port)
        elif not _same_value(original, port):
            yield Difference("json", written(path), "value", original, port)
        else:
            self.respelled = self.respelled or (original, port)

    def _objects(self, path: Path | None, original: Object, port: Object) -> Iterator[Difference]:
        if original.written != port.written:
            yield from self._keys(path, original, port)
        if original.written == port.written:
            self._open_all(path, original.written, original.items, port.items)
            return
        ours, theirs = _by_key(original), _by_key(port)
        for key in ours | theirs:
            yield from self._members((path, json.dumps(key)), ours.get(key, []), theirs.get(key, []))

    def _open_all(self, path: Path | None, steps: Iterable[str | int], original: list[Node], port: list[Node]) -> None:
        """Open each pair of values, but for the scalars that are written alike: most of them are."""
        ours, theirs = self.original.tokens, self.port.tokens
        for step, one, other in zip(steps, original, port, strict=False):
            if one.__class__ is int and other.__class__ is int and ours[one] == theirs[other]:
                continue
            self._open.append(((path, step), one, other))

    def _keys(self, path: Path | None, original: Object, port: Object) -> Iterator[Difference]:
        ours, theirs = dict.fromkeys(original.keys), dict.fromkeys(port.keys)
        shared = [[key for key in ours if key in theirs], [key for key in theirs if key in ours]]
        if shared[0] != shared[1]:
            yield Difference("json", written(path), "order", ", ".join(shared[0]), ", ".join(shared[1]))
        elif original.keys == port.keys and self.respelled is None:
            pairs = zip(original.written, port.written, strict=True)
            self.respelled = next((pair for pair in pairs if pair[0] != pair[1]), None)

    def _members(self, path: Path, original: list[Node], port: list[Node]) -> Iterator[Difference]:
        if not port:
            yield self._difference(path, "missing", original[0], None)
        elif not original:
            yield self._difference(path, "extra", None, port[0])
        elif len(original) != len(port):
            yield Difference("json", written(path), "count", str(len(original)), str(len(port)))
        self._open.extend((path, one, other) for one, other in zip(original, port, strict=False))

    def _arrays(self, path: Path | None, original: Array, port: Array) -> Iterator[Difference]:
        small = max(original.stop - original.start, port.stop - port.start) <= _ALIGNED_TOKENS
        ours, theirs = len(original.items), len(port.items)
        if small and ours == theirs and ours > 1 and self._reordered(original, port):
            yield self._difference(path, "order", original, port)
            return
        by_key = self._by_key(original, port) if small and ours == theirs and ours > 1 else None
        if by_key is not None:
            yield self._difference(path, "order", original, port)
            self._open.extend(((path, at), original.items[at], port.items[other]) for at, other in by_key)
            return
        head = min(ours, theirs)
        if small and ours != theirs:
            head = self._common_head(original, port)
        tail = min(ours, theirs) - head
        if tail and not self._equal(original.items[ours - tail :], port.items[theirs - tail :]):
            head, tail = min(ours, theirs), 0
        self._open_all(path, range(head), original.items, port.items)
        for at in range(head, ours - tail):
            yield self._difference((path, at), "missing", original.items[at], None)
        for at in range(head, theirs - tail):
            yield self._difference((path, at), "extra", None, port.items[at])

    def _common_head(self, original: Array, port: Array) -> int:
        pairs = zip(original.items, port.items, strict=False)
        unequal = (at for at, (one, other) in enumerate(pairs) if not self._equal([one], [other]))
        return next(unequal, min(len(original.items), len(port.items)))

    def _equal(self, original: list[Node], port: list[Node]) -> bool:
        return [_slice(self.original, node) for node in original] == [_slice(self.port, node) for node in port]

    def _reordered(self, original: Array, port: Array) -> bool:
        pairs = zip(original.items, port.items, strict=True)
        unequal = [(one, other) for one, other in pairs if not self._equal([one], [other])]
        ours = Counter(self.original.written(one) for one, _ in unequal)
        return len(unequal) > 1 and ours == Counter(self.port.written(other) for _, other in unequal)

    def _by_key(self, original: Array, port: Array) -> list[tuple[int, int]] | None:
        """The places of elements that are one by a member that all have, and that no two share; None where they
        stand in one order, or there is no such member.
        """
        objects = [[each for each in array.items if isinstance(each, Object)] for array in (original, port)]
        if len(objects[0]) != len(original.items) or len(objects[1]) != len(port.items):
            return None
        found: list[tuple[int, int]] | None = None
        for name in sorted(objects[0][0].keys, key=lambda name: (_IDENTITY.fullmatch(name) is None, name)):
            ours, theirs = _tokens_of(self.original, objects[0], name), _tokens_of(self.port, objects[1], name)
            if ours is None or theirs is None or ours.keys() != theirs.keys():
                continue
            pairs = [(at, theirs[token]) for token, at in ours.items()]
            if all(at == other for at, other in pairs):
                return None
            found = found or pairs
            if _IDENTITY.fullmatch(name):
                break
        return found

    def _difference(self, path: Path | None, kind: str, original: Node | None, port: Node | None) -> Difference:
        ours = None if original is None else self.original.written(original)
        theirs = None if port is None else self.port.written(port)
        return Difference("json", written(path), kind, ours, theirs)


def _tokens_of(document: Document, objects: list[Object], name: str) -> dict[str, int] | None:
    """The places of objects by a text or number that each has at a name; None where two share one, or one has none."""
    found: dict[str, int] = {}
    for at, each in enumerate(objects):
        item = each.items[each.keys.index(name)] if each.keys.count(name) == 1 else None
        token = document.tokens[item] if isinstance(item, int) else ""
        if token[:1] not in _KEYS or token in found:
            return None
        found[token] = at
    return found


def written(path: Path | None) -> str:
    """A path as people write it: `$.items[0].price`, `$["a key"]`."""
    steps = []
    while path is not None:
        path, step = path
        steps.append(_step(step))
    return "$" + "".join(reversed(steps))


def scalar_type(token: str) -> str:
    """A scalar's type: integers and floats are two, and NaN and the infinities are one that JSON does not have."""
    first = token[0]
    if first == '"':
        return "string"
    if first in "tf":
        return "boolean"
    if first == "n":
        return "null"
    if token.endswith(("NaN", "Infinity")):
        return "not a number"
    return "float" if any(mark in token for mark in ".eE") else "integer"


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    key = decoded(step)
    return f".{key}" if _NAME.fullmatch(key) else f"[{json.dumps(key)}]"


def _same_value(original: str, port: str) -> bool:
    kind = scalar_type(original)
    if kind == "string":
        return decoded(original) == decoded(port)
    # Integers have one text for each value; -0 and 0 are two values to clients that read floats.
    if kind != "float":
        return False
    try:
        return Decimal(original) == Decimal(port)
    except DecimalException:
        return False


def _by_key(node: Object) -> dict[str, list[Node]]:
    members: dict[str, list[Node]] = {}
    for key, item in zip(node.keys, node.items, strict=True):
        members.setdefault(key, []).append(item)
    return members


def _slice(document: Document, node: Node) -> list[str]:
    return document.tokens[node : node + 1] if isinstance(node, int) else document.tokens[node.start : node.stop]
