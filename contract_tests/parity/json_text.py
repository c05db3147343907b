"""JSON is read as it was written: every token keeps its exact text, duplicate keys stay, and no depth is too deep."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

BOM = b"\xef\xbb\xbf"

# Possessive repeats: a string that is never closed must not make the search exponential.
_TOKEN = re.compile(
    r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
    r"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    r"|[\[\]{},:]|true|false|null|NaN|-?Infinity|[^ \t\n\r]"
)
_DIGITS = frozenset("0123456789")
_CLOSING = {"[": "]", "{": "}"}


class NotJsonError(ValueError):
    """The text is no JSON value; the message says why and at which byte."""


class Array:
    """An array: its elements, and where its tokens begin and end."""

    __slots__ = ("items", "start", "stop")

    def __init__(self, start: int) -> None:
        self.start, self.stop = start, start
        self.items: list[Node] = []


class Object(Array):
    """An object: `keys` decoded and in order, duplicates included; `items` the values beside them."""

    __slots__ = ("keys", "written")

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.keys: list[str] = []
        self.written: list[str] = []


# A scalar is its index among the tokens: an int, so that a large document stays small.
Node = Array | Object | int


@dataclass
class Document:
    """One JSON text (RFC 8259): its tokens as written and the tree over them.

    A byte order mark and the words NaN, Infinity and -Infinity are read, since Python's own
    reader and writer use them; `marked` tells of the former, the latter are leaves of their own type.
    """

    text: str
    marked: bool
    tokens: list[str]
    root: Node = field(default=0)

    def written(self, node: Node) -> str:
        """A node's text without white space."""
        if isinstance(node, int):
            return self.tokens[node]
        return "".join(self.tokens[node.start : node.stop])

    def rewritten(self, changed: Mapping[int, str]) -> bytes:
        """The body with some of its tokens replaced, by their index, and every other byte as it was."""
        parts, end = [], 0
        for at in sorted(changed):
            start, stop = self.spans[at]
            parts += [self.text[end:start], changed[at]]
            end = stop
        return BOM * self.marked + "".join([*parts, self.text[end:]]).encode("utf-8")

    @cached_property
    def gaps(self) -> list[str]:
        """The white space before each token, and after the last."""
        return _TOKEN.split(self.text)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where each token stands in `text`."""
        return [found.span() for found in _TOKEN.finditer(self.text)]


def read(body: bytes) -> Document:
    """Read a body as one JSON value. Raises NotJsonError."""
    marked = body.startswith(BOM)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from None
    document = Document(text, marked, _TOKEN.findall(text))
    document.root = _Reader(document).root()
    return document


def decoded(token: str) -> str:
    """The string that a string token stands for."""
    if "\\" not in token:
        return token[1:-1]
    value: str = json.loads(token)
    return value


class _Reader:
    """Builds the tree without recursion: the open containers are a list."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[Array] = []

    def root(self) -> Node:
        tokens = self.document.tokens
        if not tokens:
            raise NotJsonError("there is nothing but white space" if self.document.text else "it is empty")
        top, index = self._value(0)
        while self.open:
            index = self._step(self.open[-1], index)
        if index < len(tokens):
            self._fail(index)
        return top

    def _value(self, index: int) -> tuple[Node, int]:
        """Begin the value at a token; a container is opened and filled later."""
        token = self._token(index)
        if token in _CLOSING:
            node = Array(index) if token == "[" else Object(index)
            self.open.append(node)
            return node, index + 1
        # Single characters other than digits are what the pattern could not place.
        if (len(token) == 1 and token not in _DIGITS) or token in ("]", "}", ",", ":"):
            self._fail(index)
        return index, index + 1

    def _step(self, container: Array, index: int) -> int:
        """Read one element or member, or the end, of the innermost container."""
        tokens = self.document.tokens
        closing = "}" if isinstance(container, Object) else "]"
        token = self._token(index)
        if token == closing:
            self.open.pop()
            container.stop = index + 1
            return index + 1
        if container.items:
            if token != ",":
                self._fail(index)
            index += 1
        if isinstance(container, Object):
            index = self._key(container, index)
        elif index < len(tokens) and tokens[index] == "]":
            self._fail(index)
        node, index = self._value(index)
        container.items.append(node)
        return index

    def _key(self, container: Object, index: int) -> int:
        token = self._token(index)
        if token[0] != '"' or len(token) == 1:
            self._fail(index)
        container.keys.append(decoded(token))
        container.written.append(token)
        if self._token(index + 1) != ":":
            self._fail(index + 1)
        return index + 2

    def _token(self, index: int) -> str:
        if index >= len(self.document.tokens):
            raise NotJsonError("it ends too early")
        return self.document.tokens[index]

    def _fail(self, index: int) -> None:
        start, _ = self.document.spans[index]
        offset = len(self.document.text[:start].encode()) + len(BOM) * self.document.marked
        raise NotJsonError(f"{self.document.tokens[index][:20]!r} at byte {offset} has no place there")
