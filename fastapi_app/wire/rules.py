"""Werkzeug's order of rules over paths as FastAPI writes them: which rule takes a path, where several would.

A path is matched part by part between its slashes. A static part comes before a placeholder, and of two placeholders
the one of less weight: numbers 50, text 100, paths 200, as `weight` of a convertor says. Of equals the first declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from starlette.convertors import Convertor, FloatConvertor, IntegerConvertor, PathConvertor
from starlette.exceptions import HTTPException
from starlette.routing import PARAM_REGEX

# How much static text, how much of it where, how many placeholders, of which weights.
Weight = tuple[int, list[tuple[int, int]], int, list[int]]

STARLETTES_WEIGHTS = {IntegerConvertor: 50, FloatConvertor: 50, PathConvertor: 200}


@dataclass(eq=False)
class Rule:
    """What is routed at a path: its methods, or None where it takes them all, and the pattern FastAPI matches it by."""

    path: str
    methods: frozenset[str] | None
    pattern: re.Pattern[str]
    convertors: Mapping[str, Convertor[Any]]

    @cached_property
    def allowed(self) -> frozenset[str]:
        """With the two methods that come by themselves: HEAD with GET, OPTIONS with anything."""
        if self.methods is None:
            return frozenset()
        return self.methods | {"OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())

    def takes(self, method: str) -> bool:
        return self.methods is None or method in self.allowed

    def values(self, path: str) -> dict[str, Any] | None:
        """The placeholders' values; None where one cannot be converted: then Werkzeug tries no other rule."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        try:
            return {name: self.convertors[name].convert(value) for name, value in found.groupdict().items()}
        except (ValueError, HTTPException):
            return None


class SlashMissing(Exception):
    """The path would be taken if it ended in a slash."""


@dataclass(frozen=True)
class Part:
    """What stands between two slashes of a rule; a `final` one, with a placeholder for slashes too, runs to the end."""

    pattern: re.Pattern[str]
    final: bool
    suffixed: bool
    weight: Weight

    def __hash__(self) -> int:
        return hash(self.pattern)


@dataclass
class State:
    """How far a path has been matched: the rules that end here, and the parts that may follow."""

    rules: list[Rule] = field(default_factory=list)
    static: dict[str, State] = field(default_factory=dict)
    dynamic: list[tuple[Part, State]] = field(default_factory=list)

    def after(self, part: Part | str) -> State:
        """The state behind a part, made where there is none yet."""
        if isinstance(part, str):
            return self.static.setdefault(part, State())
        known = next((state for each, state in self.dynamic if each == part), None)
        if known is None:
            known = State()
            self.dynamic.append((part, known))
            self.dynamic.sort(key=lambda entry: entry[0].weight)
        return known


class Rules:
    """Rules by their paths; without `strict_slashes`, each takes its path with a trailing slash and without."""

    def __init__(self, rules: Iterable[Rule], *, strict_slashes: bool = True) -> None:
        self.strict_slashes = strict_slashes
        self._root = State()
        for rule in rules:
            state = self._root
            for part in parts_of(rule):
                state = state.after(part)
            state.rules.append(rule)

    def match(self, path: str, method: str, *, websocket: bool = False) -> Search:
        """What was found for a path: the rule that takes it by a method, or why none does. Raises SlashMissing."""
        search = Search(method, websocket=websocket, strict_slashes=self.strict_slashes)
        search.rule = search.follow(self._root, path.split("/"))
        return search


@dataclass
class Search:
    """One walk through the states: depth first, and the first rule that fits is the one.

    `others` are the methods by which other rules would take the path; `not_websockets` is whether a rule would take it
    but for the request being for a websocket, which none of these rules is.
    """

    method: str
    websocket: bool
    strict_slashes: bool
    rule: Rule | None = None
    others: set[str] = field(default_factory=set)
    not_websockets: bool = False

    def follow(self, state: State, parts: list[str]) -> Rule | None:
        if not parts:
            return self._end(state)
        if parts[0] in state.static and (found := self.follow(state.static[parts[0]], parts[1:])):
            return found
        for part, following in state.dynamic:
            remaining = rest_after(part, parts)
            if remaining is not None and (found := self.follow(following, remaining)):
                return found
        if parts == [""] and not self.strict_slashes:
            return self._taken(state.rules)
        return None

    def _end(self, state: State) -> Rule | None:
        if found := self._taken(state.rules):
            return found
        with_slash = state.static[""].rules if "" in state.static and not self.websocket else []
        found = next((rule for rule in with_slash if rule.takes(self.method)), None)
        if found is not None and self.strict_slashes:
            raise SlashMissing
        return found

    def _taken(self, rules: list[Rule]) -> Rule | None:
        taking = [rule for rule in rules if rule.takes(self.method)]
        self.others.update(*(rule.allowed for rule in rules if rule not in taking))
        if taking and self.websocket:
            self.not_websockets = True
            return None
        # A route of its own for HEAD or OPTIONS comes before what another one answers by itself.
        own = (rule for rule in taking if rule.methods is None or self.method in rule.methods)
        return next(own, taking[0] if taking else None)


def rest_after(part: Part, parts: list[str]) -> list[str] | None:
    """What remains of a path after a part with placeholders, None where that does not match."""
    found = part.pattern.match("/".join(parts) if part.final else parts[0])
    if found is None:
        return None
    if part.suffixed and found.groups()[-1] == "/":
        return [""]
    return [] if part.final else parts[1:]


def parts_of(rule: Rule) -> Iterator[Part | str]:
    """A rule's parts: text where there is no placeholder in it."""
    rest = rule.path
    while True:
        # A placeholder holds no slash, so the first slash ends a part.
        text, slash, following = rest.partition("/")
        placeholders = [rule.convertors[each[1]] for each in PARAM_REGEX.finditer(text)]
        if not placeholders:
            yield text
        elif all(isolates(each) for each in placeholders):
            yield part_of(text, rule.convertors, final=False)
        else:
            yield part_of(rest, rule.convertors, final=True)
            if rest.endswith("/"):
                yield ""
            return
        if not slash:
            return
        rest = following


def part_of(text: str, convertors: Mapping[str, Convertor[Any]], *, final: bool) -> Part:
    """A part with placeholders, as Werkzeug compiles and weighs it."""
    pattern = ""
    static: list[tuple[int, int]] = []
    weights: list[int] = []
    for index, piece in enumerate(re.split(f"({PARAM_REGEX.pattern.replace('(', '(?:')})", text)):
        if index % 2:
            convertor = convertors[PARAM_REGEX.fullmatch(piece)[1]]  # type: ignore[index]
            pattern += f"({convertor.regex})"
            weights.append(weight_of(convertor))
        else:
            pattern += re.escape(piece)
            static += [(len(static) + at, -len(each)) for at, each in enumerate(filter(None, piece.split("/")))]
    suffixed = final and text.endswith("/")
    if suffixed:
        pattern = pattern.removesuffix("/") + "(?<!/)(/?)"
    return Part(re.compile(pattern + r"\Z"), final, suffixed, (-len(static), static, -len(weights), weights))


def weight_of(convertor: Convertor[Any]) -> int:
    """A convertor's own `weight`, or what Werkzeug gives to one of its kind."""
    return int(getattr(convertor, "weight", STARLETTES_WEIGHTS.get(type(convertor), 100)))


def isolates(convertor: Convertor[Any]) -> bool:
    """Whether it takes no slash: a convertor's own `part_isolating`, or whether its pattern has one."""
    by_pattern = "/" not in convertor.regex.replace("[^/]", "") and not isinstance(convertor, PathConvertor)
    return bool(getattr(convertor, "part_isolating", by_pattern))
