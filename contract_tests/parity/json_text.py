"""JSON is read as it was written: every token keeps its exact text, duplicate keys stay, and no depth is too deep."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NoReturn

BOM = b"\xef\xbb\xbf"
_KEPT = 65536

# Possessive repeats: a string that is never closed must not make the search exponential.
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_TOKEN = re.compile(
    _STRING.pattern + r"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    # A string that is never closed takes the rest, or each quote in it would be searched for an end.
    r'|[\[\]{},:]|true|false|null|NaN|-?Infinity|"[\x00-\U0010ffff]*+|[^ \t\n\r]'
)
_DIGITS = frozenset("0123456789")
_MARKS = frozenset(",:]}")
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
    """An object: its keys as `written`, in order and with duplicates, and `items`, the values beside them."""

    __slots__ = ("written",)

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.written: list[str] = []

    @property
    def keys(self) -> list[str]:
        """The keys, decoded."""
        return [decoded(token) for token in self.written]


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
        return BOM * self.marked + "".join([*parts, self.text[end:]]).encode("utf-8", "surrogatepass")

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
    return _read_again(body) if len(body) <= _KEPT else _read(body)


def _read(body: bytes) -> Document:
    marked = body.startswith(BOM)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from None
    document = Document(text, marked, _TOKEN.findall(text))
    document.root = _Reader(document).root()
    return document


# Identities and comparison both read a pair's two bodies, and nobody changes a document.
_read_again = lru_cache(maxsize=8)(_read)


def decoded(token: str) -> str:
    """The string that a string token stands for."""
    if "\\" not in token:
        return token[1:-1]
    value: str = json.loads(token)
    return value


def rewritten(token: str, text: str) -> str:
    """A string token for another text, in the manner of the token: escaped where that has no other characters."""
    return f'"{text}"' if "\\" not in token else json.dumps(text, ensure_ascii=token.isascii())


class _Reader:
    """Builds the tree without recursion: the open containers are a list."""

    def __init__(self, document: Document) -> None:
        self.document, self.tokens = document, document.tokens
        self.open: list[Array] = []

    def root(self) -> Node:
        if not self.tokens:
            raise NotJsonError("there is nothing but white space" if self.document.text else "it is empty")
        if self.tokens[-1][0] == '"' and not _STRING.fullmatch(self.tokens[-1]):
            self._fail(len(self.tokens) - 1)
        top: list[Node] = []
        try:
            index = self._values(top)
        except IndexError:
            raise NotJsonError("it ends too early") from None
        if index < len(self.tokens):
            self._fail(index)
        return top[0]

    def _values(self, top: list[Node]) -> int:
        """Read values, each with its key, until the first of them is whole."""
        # One flat loop: this runs once for each value of every body that differs.
        tokens, index, items = self.tokens, 0, top
        written: list[str] | None = None
        while True:
            token = tokens[index]
            if written is not None:
                if token[0] != '"' or len(token) == 1:
                    self._fail(index)
                if tokens[index + 1] != ":":
                    self._fail(index + 1)
                written.append(token)
                index += 2
                token = tokens[index]
            if token in _CLOSING:
                node = Object(index) if token == "{" else Array(index)
                items.append(node)
                self.open.append(node)
                index += 1
                if tokens[index] != _CLOSING[token]:
                    items, written = node.items, node.written if isinstance(node, Object) else None
                    continue
            else:
                if token in _MARKS or (len(token) == 1 and token not in _DIGITS):
                    self._fail(index)
                items.append(index)
                index += 1
                if self.open and tokens[index] == ",":
                    index += 1
                    continue
            index = self._ends(index)
            if not self.open:
                return index
            items = self.open[-1].items
            written = self.open[-1].written if isinstance(self.open[-1], Object) else None

    def _ends(self, index: int) -> int:
        """Close what ends after a value; gives the index of the next value."""
        tokens = self.tokens
        while self.open:
            token, container = tokens[index], self.open[-1]
            if token == ",":
                return index + 1
            if token != ("}" if isinstance(container, Object) else "]"):
                self._fail(index)
            self.open.pop()
            index += 1
            container.stop = index
        return index

    def _fail(self, index: int) -> NoReturn:
        start, _ = self.document.spans[index]
        offset = len(self.document.text[:start].encode("utf-8")) + len(BOM) * self.document.marked
        raise NotJsonError(f"{self.tokens[index][:20]!r} at byte {offset} has no place there")
