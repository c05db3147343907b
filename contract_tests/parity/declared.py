"""Which names, paths and texts hold ids, and of which kind, is declared in one table (docs/parity.md#ids, 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

OPAQUE = "opaque"
_REMEMBERED = 10_000

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_INTEGER = re.compile(r"0|[1-9][0-9]*")
# An integer in any spelling that a router may take for it: `01`, `+1`, `1.0`, `%31`.
_SPELLED = re.compile(r"(?:[+-]|%2[BbDd])?(?:[0-9]|%3[0-9])+(?:\.0*)?")
_OPAQUE_SEGMENT = re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{20,}")
# Members that only wrap what an operation is about: an `id` below them is of the operation's own kind.
_WRAPPERS = frozenset(
    {"data", "item", "result", "row", "record", "content", "value", "element", "entry", "list", "page"}
)
_OPAQUE_NAMES = frozenset(
    {
        "request_id",
        "x_request_id",
        "correlation_id",
        "x_correlation_id",
        "state",
        "nonce",
        "code_challenge",
        "csrf_token",
        "access_token",
        "refresh_token",
        "id_token",
        "session_id",
        "token",
        "csrf",
        "xsrf",
        "jwt",
    }
)


class DeclarationError(ValueError):
    """The table `[bind]` cannot be used as it is written."""


@dataclass(frozen=True)
class Declared:
    """The table `[bind]` of a ledger.

    `names` give a member, parameter or wrapping member its kind (`owner_id = "user"`, `author = "user"`);
    `own` are further names at which an id is born, beside `id`; `paths` are templates ("/user/{id}",
    "/files/{file_id}/content"), `texts` templates of messages ("File {file_id} is stored"); `opaque` are
    names of members, parameters and headers that hold random tokens; `unordered` are integer kinds
    whose order tells nothing. `integers` and `etags` say whether those are bound at all.
    """

    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    own: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    opaque: frozenset[str] = _OPAQUE_NAMES
    unordered: frozenset[str] = frozenset()
    integers: bool = True
    etags: bool = True

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Declared:
        """Read the table; names in `opaque` are added to the usual ones. Raises DeclarationError."""
        unknown = sorted(table.keys() - {"names", "own", "paths", "texts", "opaque", "unordered"})
        if unknown:
            raise DeclarationError(f"[bind]: unknown key {', '.join(unknown)}")
        names = table.get("names", {})
        if not isinstance(names, dict) or not all(isinstance(kind, str) for kind in names.values()):
            raise DeclarationError("[bind]: names is a table of texts")
        own, paths, texts, opaque, unordered = (
            _texts(table, key) for key in ("own", "paths", "texts", "opaque", "unordered")
        )
        return cls(
            MappingProxyType({snake(name): kind for name, kind in names.items()}),
            frozenset(map(snake, own)),
            tuple(paths),
            tuple(texts),
            _OPAQUE_NAMES | frozenset(map(snake, opaque)),
            frozenset(unordered),
        )

    def place(self, name: str, around: str) -> tuple[str | None, bool]:
        """The kind of a member's id, and whether it is born there: `kind` and `is_own` at once, remembered."""
        known = self._places.get((name, around))
        if known is None:
            kind = self.kind(name, around) if name else None
            known = (kind, kind is not None and self.is_own(name, kind, around))
            if len(self._places) < _REMEMBERED:
                self._places[name, around] = known
        return known

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[str | None, bool]]:
        return {}

    def kind(self, name: str, around: str) -> str | None:
        """The kind of the id that a member or parameter of this name holds; None where it holds none.

        `around` is the kind of what encloses it.
        """
        plain = snake(name)
        if plain in self.opaque or plain.endswith("_token"):
            return OPAQUE
        if plain in self.names:
            return self.names[plain]
        kind = self._named_kind(plain, around)
        # Two worlds in one process make the same integers, and yet random tokens of their own.
        return kind if self.integers or kind is None else OPAQUE

    def _named_kind(self, plain: str, around: str) -> str | None:
        if plain in ("id", "ids") or plain in self.own:
            return around or "id"
        stem = plain.removesuffix("s").removesuffix("_id")
        return self.alias(stem) if plain.endswith(("_id", "_ids")) and stem else None

    def is_own(self, name: str, kind: str, around: str) -> bool:
        """Whether an id is born at this name: `id`, a name declared so, and `user_id` of a user itself."""
        plain = snake(name)
        return kind == OPAQUE or plain == "id" or plain in self.own or (plain.endswith("_id") and kind == around)

    def alias(self, name: str) -> str:
        """The kind that a collection or a wrapping member is of: `users` and `author` may both be `user`."""
        plain = singular(snake(name))
        return self.names.get(snake(name)) or self.names.get(plain) or plain

    def within(self, member: str, around: str) -> str:
        """The kind of what stands below a member."""
        plain = singular(snake(member))
        return around if plain in _WRAPPERS else self.alias(member)

    def typed(self, path: str) -> list[dict[int, str]]:
        """For each declared template that fits a path, the kinds by segment; where none fits, a guess.

        The guess: an integer that follows a name is an id of that name's kind.
        """
        segments = path.split("/")
        fitting = [kinds for template in self.paths if (kinds := self._fit(template, segments)) is not None]
        if fitting or not self.integers:
            return fitting
        named = [(at, segment) for at, segment in enumerate(segments) if segment]
        return [{
            at: self.alias(unquote(before))
            for (_, before), (at, segment) in pairwise(named)
            if is_spelled_integer(segment) and not _INTEGER.fullmatch(before)
        }]  # fmt: skip

    def collection(self, path: str) -> str:
        """The kind that an operation is about: that of its last id, or of its last name where no id ends it."""
        segments = [segment for segment in path.split("/") if segment]
        typed = self.typed(path)
        last = len(path.rstrip("/").split("/")) - 1
        for kinds in typed:
            if last in kinds:
                return kinds[last]
        names = [segment for segment in segments if not _looks_like_id(segment)]
        return self.alias(names[-1]) if names else ""

    def template(self, path: str) -> str:
        """The path's declared template, or the path with `{id}` for what looks like an id."""
        segments = path.split("/")
        for template in self.paths:
            if self._fit(template, segments) is not None:
                return template
        return "/".join("{id}" if _looks_like_id(segment) else segment for segment in segments)

    @cached_property
    def patterns(self) -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
        """Where ids stand in running text: a pattern for each template, with a group and a kind for each id."""
        templates = [*sorted(self.paths, key=len, reverse=True), *self.texts]
        return [pattern for template in templates if (pattern := self._pattern(template))[1]]

    def _fit(self, template: str, segments: list[str]) -> dict[int, str] | None:
        wanted = template.split("/")
        if len(wanted) != len(segments):
            return None
        for want, segment in zip(wanted, segments, strict=True):
            fits = bool(segment) if _PLACEHOLDER.fullmatch(want) else want == segment
            if not fits:
                return None
        kinds = (self._kind_at(wanted, at) for at in range(len(wanted)))
        return {at: kind for at, kind in enumerate(kinds) if kind}

    def _kind_at(self, template: list[str], at: int) -> str | None:
        found = _PLACEHOLDER.fullmatch(template[at])
        if found is None or not self.integers:
            return None
        before = template[at - 1] if at else ""
        return self.kind(found[1], self.alias(before) if not _PLACEHOLDER.fullmatch(before) else "")

    def _pattern(self, template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
        parts, kinds = [], []
        pieces = _PLACEHOLDER.split(template)
        for at, piece in enumerate(pieces):
            kind = self.kind(piece, self.alias(pieces[at - 1].strip("/").rpartition("/")[2])) if at % 2 else None
            parts.append(r"([0-9]+)" if kind else r"[^\s/]+" if at % 2 else re.escape(piece))
            kinds += [kind] if kind else []
        return re.compile(rf"(?<![\w-]){''.join(parts)}(?![\w-])"), tuple(kinds)


DEFAULT_BINDINGS = Declared()


@lru_cache(4096)
def snake(name: str) -> str:
    """A name in lower case with underscores: `ownerId`, `Owner-Id` and `owner_id` are one."""
    return _CAMEL.sub("_", name).lower().replace("-", "_")


@lru_cache(4096)
def singular(name: str) -> str:
    """The singular of a plain English plural."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def is_spelled_integer(segment: str) -> bool:
    """Whether a segment of a path may be taken for an integer; Python's int takes the digits of any script."""
    return _SPELLED.fullmatch(segment) is not None or ("%" in segment and unquote(segment).isdecimal())


def _looks_like_id(segment: str) -> bool:
    return bool(_INTEGER.fullmatch(segment) or _OPAQUE_SEGMENT.fullmatch(segment))


def _texts(table: Mapping[str, Any], key: str) -> Iterator[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DeclarationError(f"[bind]: {key} is a list of texts")
    yield from value
