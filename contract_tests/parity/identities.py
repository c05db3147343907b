"""Ids are partners one to one, for good, and integers keep their order: whatever breaks that is told as a reason."""

from __future__ import annotations

import base64
import hashlib
import re
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from .declared import OPAQUE

_CANONICAL = re.compile(r"0|[1-9][0-9]*")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{20,}")
# Of RFC 9562 versions 1, 4, 6 and 7 are of time and chance; 3 and 5 follow from a name, and must be equal.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([1467])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_FIRST_STRANGER = 2_000_000_000

Verdict = tuple[str, str] | None
# Where a canonical integer stands among others: Python makes no number of thousands of digits.
_Rank = tuple[int, str]


def is_integer(text: str) -> bool:
    """Whether a text is an integer written the one canonical way."""
    return _CANONICAL.fullmatch(text) is not None


def may_be_opaque(original: str, port: str) -> bool:
    """Whether two texts may be the same token: alike long, at least 20 token characters (docs/parity.md#ids, 3)."""
    return len(original) == len(port) and bool(_TOKEN.fullmatch(original)) and bool(_TOKEN.fullmatch(port))


def are_uuids(original: str, port: str) -> bool:
    """Whether two texts are UUIDs of one version and spelling that each side makes anew: ids, whatever their name."""
    ours, theirs = (_UUID.fullmatch(text.lower()) for text in (original, port))
    upper = [text.upper() == text for text in (original, port)]
    return ours is not None and theirs is not None and ours[1] == theirs[1] and upper[0] == upper[1]


@dataclass
class Kind:
    """The partners of one kind, both ways, and the strangers sent for what the original does not know.

    Where `opaque`, an id is a token and no integer, also one of digits alone.
    """

    ordered: bool = True
    opaque: bool = False
    to_port: dict[str, str] = field(default_factory=dict)
    to_original: dict[str, str] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)
    known_strangers: dict[str, str] = field(default_factory=dict)
    widths: set[int] = field(default_factory=set)
    _sorted: list[tuple[_Rank, _Rank]] = field(default_factory=list)

    def meet(self, original: str, port: str, *, birth: bool) -> Verdict:
        """Check two ids that stand at the same place; at a birth place unknown ones become partners.

        Gives None where they are partners, else what is wrong with each side.
        """
        partner, namesake = self.to_port.get(original), self.to_original.get(port)
        if partner == port or (partner is None and self.strangers.get(original) == port):
            return None
        if partner is not None or namesake is not None:
            return _called(original, "the port", partner), _called(port, "the original", namesake)
        if birth:
            return self._born(original, port)
        if original == port:
            return None
        return f"{original}, never seen at its own place", f"{port}, never seen at its own place"

    def add_text(self, original: str, port: str) -> None:
        """Note two texts of one content: each may have others that say the same, and keeps its first partner."""
        self.to_port.setdefault(original, port)
        self.to_original.setdefault(port, original)

    def named(self, port: str) -> str | None:
        """What the original calls an id of the port's; None where the port's id is not known."""
        return self.to_original.get(port) or self.known_strangers.get(port)

    def translated(self, text: str) -> str:
        """What the port is sent for an id of the original's: its partner, itself, or a stranger (rule 4)."""
        if text in self.to_port:
            return self.to_port[text]
        if text in self.strangers or text not in self.to_original:
            return self.strangers.get(text, text)
        stranger = self._stranger(text)
        self.strangers[text], self.known_strangers[stranger] = stranger, text
        return stranger

    def _born(self, original: str, port: str) -> Verdict:
        if self.ordered and not self.opaque and is_integer(original):
            pair = ((len(original), original), (len(port), port))
            wrong = self._out_of_order(pair)
            if wrong is not None:
                return wrong
            insort(self._sorted, pair)
        self.to_port[original], self.to_original[port] = port, original
        self.widths.add(len(port) - len(original))
        return None

    def _out_of_order(self, pair: tuple[_Rank, _Rank]) -> Verdict:
        at = bisect_left(self._sorted, pair)
        for neighbour, word in ((at - 1, "above"), (at, "below")):
            if 0 <= neighbour < len(self._sorted):
                ours, theirs = self._sorted[neighbour]
                if (pair[0] > ours) != (pair[1] > theirs):
                    other = "below" if word == "above" else "above"
                    return f"{pair[0][1]}, {word} {ours[1]}", f"{pair[1][1]}, {other} {theirs[1]}, its partner"
        return None

    def _stranger(self, text: str) -> str:
        taken = self.to_port.keys() | self.to_original.keys() | self.known_strangers.keys()
        if is_integer(text) and not self.opaque:
            return next(str(n) for n in range(_FIRST_STRANGER, 0, -1) if str(n) not in taken)
        digest = hashlib.sha512(text.encode()).digest() * (len(text) // 64 + 1)
        return base64.urlsafe_b64encode(digest).decode()[: len(text)].replace("=", "x")


class Identities:
    """The table of all kinds."""

    def __init__(self, unordered: frozenset[str]) -> None:
        self._unordered = unordered
        self._kinds: dict[str, Kind] = {}

    def kind(self, name: str) -> Kind:
        """The partners of a kind; a kind begins empty."""
        if name not in self._kinds:
            self._kinds[name] = Kind(ordered=name not in self._unordered, opaque=name == OPAQUE)
        return self._kinds[name]

    @property
    def opaque(self) -> Kind:
        """All tokens are of one kind: where one side gives the same token twice, the other must."""
        return self.kind(OPAQUE)

    def widths(self) -> Iterator[int]:
        """By how many digits the port's integers are wider, of each pair of partners; negative where narrower."""
        for kind in self._kinds.values():
            if not kind.opaque:
                yield from kind.widths

    def meet(self, kind: str, original: str, port: str, *, birth: bool) -> tuple[bool, Verdict]:
        """Check two texts at a typed place: whether they are ids that the table answers for, and its verdict."""
        if kind != OPAQUE and is_integer(original) and is_integer(port):
            return True, self.kind(kind).meet(original, port, birth=birth)
        known = original in self.opaque.to_port or port in self.opaque.to_original
        if known or original in self.opaque.strangers:
            return True, self.opaque.meet(original, port, birth=False)
        # Equal tokens need no partner; unequal ones that cannot be tokens are compared as they are.
        if birth and original != port and may_be_opaque(original, port):
            return True, self.opaque.meet(original, port, birth=True)
        return False, None


def _called(text: str, side: str, name: str | None) -> str:
    return f"{text}, unknown to {side}" if name is None else f"{text}, which {side} calls {name}"
