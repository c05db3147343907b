"""The scopes of one module: where each name is bound, and which uses of names may mean something elsewhere."""

from __future__ import annotations

import builtins
from typing import Any

from contract_tests.migration.survey.expressions import Encoder, Expression, root_of
from contract_tests.migration.survey.known import REGISTERS

_BUILTINS = frozenset(dir(builtins)) - {"super", "setattr", "delattr", "hasattr", "vars", "map", "filter", "property"}


class Scopes:
    """A module's scopes by number, the module's own first; the encoder knows which one is walked."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.all: list[dict[str, Any]] = []

    def open(self, kind: str, name: str, line: int) -> int:
        parent = self._encoder.scope if self.all else -1
        self.all.append({"kind": kind, "parent": parent, "name": name, "line": line, "names": {}})
        self._encoder.scope = len(self.all) - 1
        return parent

    @property
    def current(self) -> dict[str, Any]:
        return self.all[self._encoder.scope]

    def bind(self, name: str, binding: list[Any], at: int | None = None) -> None:
        number = self._encoder.scope if at is None else at
        scope = self.all[number]
        if name in scope.get("global", ()):
            number = 0
        elif name in scope.get("nonlocal", ()):
            number = self._outer_function(number)
        self.all[number]["names"].setdefault(name, []).append(binding)

    def _outer_function(self, number: int) -> int:
        number = self.all[number]["parent"]
        while self.all[number]["kind"] in "cg":
            number = self.all[number]["parent"]
        return number

    def bind_names(self) -> None:
        """Say of each name where it is bound, by Python's rule: a class's names are seen in its own body only."""
        for made, scope in self._encoder.names:
            made[2] = self._where(scope, made[1])

    def _where(self, scope: int, name: str) -> int:
        current = scope
        while current >= 0:
            each = self.all[current]
            if name in each.get("global", ()):
                return 0 if name in self.all[0]["names"] else -1
            if name in each["names"] and (current == scope or each["kind"] != "c"):
                return current
            current = each["parent"]
        return -1

    def kept(self, refs: list[list[Any]]) -> tuple[list[list[Any]], list[list[Any]]]:
        """The uses that may mean something elsewhere, and the calls on what nothing is known of."""
        memo: dict[tuple[int, str], bool] = {}
        stars = "stars" in self.all[0] or any("stars" in scope for scope in self.all)
        kept, loose = [], []
        for ref in refs:
            if self._may_mean(ref[1], stars, memo):
                kept.append(ref)
                continue
            called = _called_name(ref[1])
            # An app that is a parameter is not known, and what is registered with it is.
            if called in REGISTERS:
                kept.append(ref)
            elif called:
                loose.append([ref[0], called, ref[2], ref[3]])
        return kept, loose

    def _may_mean(self, expression: Expression, stars: bool, memo: dict[tuple[int, str], bool]) -> bool:
        root = root_of(expression)
        if root[0] in "|t":
            return any(each and self._may_mean(each, stars, memo) for each in root[1])
        if root[0] != "n":
            return bool(root[0] == "l")
        name, scope = root[1], root[2]
        if scope == -1:
            return name not in _BUILTINS if not stars else True
        if (scope, name) not in memo:
            memo[scope, name] = False
            bindings = self.all[scope]["names"][name]
            memo[scope, name] = scope == 0 or any(self._is_known(each, stars, memo) for each in bindings)
        return memo[scope, name]

    def _is_known(self, binding: list[Any], stars: bool, memo: dict[tuple[int, str], bool]) -> bool:
        kind = binding[0]
        if kind == "p":
            return bool(binding[3] or any(each and self._may_mean(each, stars, memo) for each in binding[1:3]))
        if kind in "ewhx":
            return self._may_mean(binding[1], stars, memo)
        return bool(kind != "u")

    def forget_unknown(self) -> None:
        """What is bound to nothing known matters only while names are bound."""
        for scope in self.all:
            if scope["kind"] in "flg":
                names = scope["names"]
                scope["names"] = {name: found for name, found in names.items() if any(each != ["u"] for each in found)}


def _called_name(expression: Expression) -> str:
    """The method or function that the last call of a chain calls."""
    while expression[0] in "as":
        expression = expression[1]
    if expression[0] != "c":
        return ""
    callee = expression[1]
    return str(callee[2]) if callee[0] == "a" else str(callee[1]) if callee[0] == "n" else ""
