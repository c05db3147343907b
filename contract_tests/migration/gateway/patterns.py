"""The path of a route: segments, of which `{name}` is any one and a last `*` all that follow."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LITERAL = r"[A-Za-z0-9._~@:+,=%-]*"
_SEGMENT = re.compile(rf"(?P<any>\{{\w+\}})|{_LITERAL}")
_SPECIAL = re.compile(r"[.+]")


class PatternError(ValueError):
    """No path can be written like this."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path by its segments: a literal text, None for any one; `rest` where whatever follows belongs to it, too."""

    segments: tuple[str | None, ...]
    rest: bool = False

    @classmethod
    def parse(cls, path: str) -> Pattern:
        """The pattern of `/user/{id}` or `/static/*`. Raises PatternError."""
        if not path.startswith("/"):
            raise PatternError(f"{path!r} does not begin with /")
        *before, last = path[1:].split("/")
        rest = last == "*"
        return cls(tuple(_segment(each, path) for each in (before if rest else [*before, last])), rest)

    def regex(self) -> str:
        """What matches the raw path, without a backslash or a quote: every proxy reads it as it stands."""
        parts = ["/[^/]+" if each is None else "/" + _SPECIAL.sub(r"[\g<0>]", each) for each in self.segments]
        return f"^{''.join(parts)}{'/.*' if self.rest else ''}$"

    def overlaps(self, other: Pattern) -> bool:
        """Whether a path fits both."""
        if not self._reaches(other) or not other._reaches(self):
            return False
        return all(None in (one, two) or one == two for one, two in zip(self.segments, other.segments, strict=False))

    def within(self, other: Pattern) -> bool:
        """Whether every path that fits this one fits the other, too."""
        longer = len(self.segments) - len(other.segments)
        if longer < (other.rest and not self.rest) or (not other.rest and (self.rest or longer)):
            return False
        return all(two is None or one == two for one, two in zip(self.segments, other.segments, strict=False))

    @property
    def order(self) -> tuple[tuple[int, str], ...]:
        """Sorts what is within another before it."""
        parts = [(1, "") if each is None else (0, each) for each in self.segments]
        return (*parts, (2, "")) if self.rest else tuple(parts)

    def _reaches(self, other: Pattern) -> bool:
        """Whether it can be as long as the other is."""
        return self.rest or len(self.segments) >= len(other.segments) + other.rest


def _segment(text: str, path: str) -> str | None:
    found = _SEGMENT.fullmatch(text)
    if not found:
        raise PatternError(f"{path!r} has {text!r}: a segment is plain text, {{name}}, or * at the end")
    return None if found["any"] else text
