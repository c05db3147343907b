"""Who calls whom, and the shortest way from each entry to a function."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Any

from contract_tests.migration.survey.expressions import Expression, root_of
from contract_tests.migration.survey.kinds import Value
from contract_tests.migration.survey.known import REGISTERS
from contract_tests.migration.survey.routes import Entries, Entry, Function
from contract_tests.migration.survey.values import World

# Of the methods that override one, so many are followed.
_MOST_OVERRIDES = 40


class Calls:
    """The calls between functions; each is noted once, by the first line where it stands."""

    def __init__(self, world: World, entries: Entries) -> None:
        self._world = world
        self._entries = entries
        self.callers: dict[Function, dict[Function, int]] = {}
        self._guessed: dict[Function, set[Function]] = {}
        self._overrides: dict[Function, list[Function]] = {}

    def add(self, caller: Function, callee: Function, line: int) -> None:
        if caller != callee:
            self.callers.setdefault(callee, {}).setdefault(caller, line)

    def guess(self, caller: Function, callee: Function) -> None:
        """Note a call by its name alone: it is followed where nothing better leads."""
        if caller != callee and caller not in self.callers.get(callee, ()):
            self._guessed.setdefault(callee, set()).add(caller)

    def called(self, caller: Function, value: Value, expression: Expression, line: int) -> None:
        """Note that a value is called in a function."""
        for function in self._entered(value):
            self.add(caller, function, line)
            root = root_of(expression)
            if (root[0] == "n" and root[1] in ("self", "cls")) or value[0] == "F":
                for other in self.overrides(function):
                    self.add(caller, other, line)

    def _entered(self, value: Value) -> list[Function]:
        if value[0] == "F":
            return [(value[1], value[2])]
        names = {"C": ("__new__", "__init__", "__post_init__"), "I": ("__call__",)}.get(value[0], ())
        found = (each for name in names for each in self._world.attribute(value, name))
        return [(each[1], each[2]) for each in found if each[0] == "F"]

    def overrides(self, function: Function) -> list[Function]:
        """The methods of subclasses that may be called in a method's place."""
        if function not in self._overrides:
            scope = self._world.scope(*function)
            parent = scope["parent"]
            found: list[Function] = []
            if (
                parent >= 0
                and self._world.scope(function[0], parent)["kind"] == "c"
                and not scope["name"].startswith("__")
            ):
                for below in self._entries.descendants((function[0], parent)):
                    for each in self._world.scope(*below)["names"].get(scope["name"], ()):
                        if each[0] == "d":
                            found.append((below[0], each[1]))
            self._overrides[function] = found[:_MOST_OVERRIDES]
        return self._overrides[function]

    def passed(self, caller: Function, value: Value, how: Any, line: int) -> None:
        """Note a function that is handed over or given back: who gets it may call it."""
        if value[0] != "F":
            return
        handed = isinstance(how, list) and how[0] == "pass" and how[1] not in REGISTERS
        if handed or self.is_within(value, caller):
            self.add(caller, (value[1], value[2]), line)

    def is_within(self, value: Value, function: Function) -> bool:
        number = self._world.scope(value[1], value[2])["parent"] if value[1] == function[0] else -1
        while number >= 0 and number != function[1]:
            number = self._world.scope(value[1], number)["parent"]
        return value[1] == function[0] and number == function[1]

    def decorated(self) -> None:
        """A function runs within what its decorators make of it; a view also within its class's decorators."""
        for module, summary in enumerate(self._world.summaries):
            inner = _inner_functions(summary["scopes"])
            for number, scope in enumerate(summary["scopes"]):
                if scope["kind"] == "f":
                    for decorator in scope["decorators"]:
                        self._wrapped((module, number), module, decorator, scope["line"])
                elif scope["kind"] == "c":
                    self._class_decorators(module, scope)
            for function, lambdas in inner.items():
                for each in lambdas:
                    self.add((module, function), (module, each), summary["scopes"][each]["line"])

    def _wrapped(self, function: Function, module: int, decorator: Expression | None, line: int) -> None:
        callee = decorator[1] if decorator and decorator[0] == "c" else decorator
        for value in self._world.of(module, callee):
            if value[0] == "F":
                for below in self._below(value[1], value[2]):
                    self.add(function, below, line)
            elif value[0] in "CI":
                for each in self._world.attribute(("I", *value[1:]), "__call__"):
                    if each[0] == "F":
                        self.add(function, (each[1], each[2]), line)

    def _class_decorators(self, module: int, scope: dict[str, Any]) -> None:
        for name in ("decorators", "method_decorators"):
            for binding in scope["names"].get(name, ()):
                if binding[0] == "e" and binding[1][0] == "t":
                    for decorator in binding[1][1]:
                        for bindings in scope["names"].values():
                            for each in bindings:
                                if each[0] == "d" and self._world.scope(module, each[1])["kind"] == "f":
                                    self._wrapped((module, each[1]), module, decorator, scope["line"])

    def _below(self, module: int, function: int) -> list[Function]:
        """All functions that stand within one."""
        scopes = self._world.summaries[module]["scopes"]
        within = {function}
        found = []
        for number in range(function + 1, len(scopes)):
            if scopes[number]["parent"] in within:
                within.add(number)
                if scopes[number]["kind"] in "fl":
                    found.append((module, number))
            elif scopes[number]["parent"] < function:
                break
        return found

    def ways(self, target: Function, entered: dict[Function, list[Entry]]) -> list[tuple[Entry, list[Function], bool]]:
        """The shortest way from each entry to a function, and whether a call on it is guessed by its name."""
        sure, following = self._ways(target, entered, guess=False)
        way = cache(lambda function: _way(function, following))
        found = [(entry, way(function), False) for entry, function in sure.values()]
        if not self._guessed.keys().isdisjoint(following):
            guessed, following = self._ways(target, entered, guess=True)
            way.cache_clear()
            found += [(entry, way(begin), True) for each, (entry, begin) in guessed.items() if each not in sure]
        return found

    def _ways(
        self, target: Function, entered: dict[Function, list[Entry]], *, guess: bool
    ) -> tuple[dict[int, tuple[Entry, Function]], dict[Function, Function | None]]:
        """Each entry with the function where a way to the target begins, and what follows each function on it."""
        following: dict[Function, Function | None] = {target: None}
        queue = deque([target])
        found: dict[int, tuple[Entry, Function]] = {}
        while queue:
            function = queue.popleft()
            for entry in entered.get(function, ()):
                if id(entry) not in found:
                    found[id(entry)] = (entry, function)
            guessed = sorted(self._guessed.get(function, ())) if guess else ()
            for caller in (*self.callers.get(function, ()), *guessed):
                if caller not in following:
                    following[caller] = function
                    queue.append(caller)
        return found, following

    def reaching(self, targets: set[Function]) -> set[Function]:
        """All functions from which one of the targets is reached, themselves too."""
        found, queue = set(targets), list(targets)
        while queue:
            for caller in self.callers.get(queue.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    queue.append(caller)
        return found


def _way(function: Function, following: dict[Function, Function | None]) -> list[Function]:
    way = [function]
    while (after := following[way[-1]]) is not None:
        way.append(after)
    return way


def _inner_functions(scopes: list[dict[str, Any]]) -> dict[int, list[int]]:
    """The lambdas of each function."""
    found: dict[int, list[int]] = {}
    for number, scope in enumerate(scopes):
        if scope["kind"] == "l":
            outer = scope["parent"]
            while outer > 0 and scopes[outer]["kind"] not in "fl":
                outer = scopes[outer]["parent"]
            if outer > 0:
                found.setdefault(outer, []).append(number)
    return found
