"""The board: each route of the original beside its port, with the state of the talk's six steps, and the gate."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from contract_tests.migration.routes.asked import Asked, ask, folder_of, is_spec
from contract_tests.migration.routes.code import Code
from contract_tests.migration.routes.decisions import Decision
from contract_tests.migration.routes.declared import Declared, Route, once
from contract_tests.migration.routes.endpoints import Models, is_stub
from contract_tests.migration.routes.evidence import Evidence, Seen
from contract_tests.migration.routes.guards import Guard, Guards
from contract_tests.migration.routes.owners import Owners
from contract_tests.migration.routes.paths import kinds, shape
from contract_tests.migration.survey.routes import Function


@dataclass(slots=True)
class Row:
    """A route of the original. `state` is implemented, stub, not included, ? or empty; `deep` counts deep uses."""

    original: Route
    guards: list[Guard]
    port: Route | None = None
    port_guards: list[Guard] = field(default_factory=list)
    state: str = ""
    models: tuple[str, ...] = ()
    deep: int = 0
    seen: Seen = field(default_factory=Seen)
    notes: list[str] = field(default_factory=list)
    decision: Decision | None = None

    @property
    def is_unguarded(self) -> bool:
        """Guarded in the original, and by nothing in the port; or there by no more than the whole app's guard.

        Where the original has a guard for the whole app and one of the route's own, the port's guard for the whole app
        stands for the first alone.
        """
        if self.port is None or (self.decision is not None and self.decision.guard == "dropped"):
            return False
        whole = [each for each in self.guards if each.everywhere]
        own_in_port = any(not each.everywhere for each in self.port_guards)
        lost = 0 < len(whole) < len(self.guards) and not own_in_port
        return bool(self.guards) and (not self.port_guards or lost)

    @property
    def is_missing(self) -> bool:
        return self.port is None and not (self.decision and self.decision.drops)


@dataclass(slots=True)
class Board:
    """All rows, those that are unguarded first; `extra` are routes that only the port has; `untold` are not read."""

    rows: list[Row]
    extra: list[Route]
    untold: dict[str, list[str]]
    unreadable: list[str]
    stale: list[str]

    @property
    def unguarded(self) -> list[Row]:
        return [row for row in self.rows if row.is_unguarded]

    @property
    def missing(self) -> list[Row]:
        return [row for row in self.rows if row.is_missing]

    @property
    def fails(self) -> list[str]:
        """Why the gate is shut, a line each."""
        reasons = []
        if self.unguarded:
            reasons.append(f"{_counted(self.unguarded)} guarded in the original, and by nothing in the port")
        if self.missing:
            reasons.append(f"{_counted(self.missing)} without a port and without a decision")
        return [*reasons, *self.stale]


def _counted(rows: list[Row]) -> str:
    return f"{len(rows)} route{'s are' if len(rows) != 1 else ' is'}"


class Side:
    """One side's routes and guards: from its source, and from the application itself where a SPEC names it."""

    def __init__(self, where: str, *, port: bool, exclude: Iterable[str] = (), cache: Path | None = None) -> None:
        asked = ask(where) if is_spec(where) else None
        paths = _paths(where, asked) if asked is not None else [Path(where)]
        self.code = Code(paths, exclude=tuple(exclude), cache=cache)
        owners = Owners(self.code)
        declared = Declared(self.code, owners)
        self.routes = declared.port() if port else declared.original()
        self.untold = [*declared.untold, *owners.untold]
        if asked is not None:
            self.routes, self.untold = once([self._confirmed(each) for each in asked]), []
        self._guards = Guards(self.code, owners, port=port)

    def guards(self, route: Route) -> list[Guard]:
        return self._guards.of(route)

    def _confirmed(self, asked: Asked) -> Route:
        """What the application says of a route, with what its source says of the same."""
        function = self._function(asked.source)
        guards = tuple(found for each in asked.guards if (found := self._function(each)))
        for route in self.routes:
            if route.method == asked.method and shape(route.path) == shape(asked.path):
                return replace(
                    route, path=asked.path, automatic=asked.automatic, reached=True, asked=guards,
                    function=function or route.function,
                )  # fmt: skip
        place = f"{asked.source[0]}:{asked.source[1]}" if asked.source else "?"
        wrapped: tuple[tuple[int, int, ast.expr], ...] = ()
        if function:
            node, scope = self.code.node(function), self.code.outer(function)
            place = self.code.place(function[0], self.code.world.scope(*function)["line"])
            wrapped = tuple((function[0], scope, each) for each in (node.decorator_list if node else ()))
        return Route(
            asked.method, asked.path, function, place, automatic=asked.automatic, asked=guards, wrapped=wrapped
        )

    def _function(self, source: tuple[str, int, str] | None) -> Function | None:
        """The definition that a function's first line, its first decorator's, lies in."""
        if source is None:
            return None
        path, line, name = source
        for module, file in enumerate(self.code.readings.files):
            if str(file.path) == path or file.path.resolve() == Path(path).resolve():
                for number, node in self.code.tree(module).definitions.items():
                    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                    if node.name == name and first <= line <= node.lineno:
                        return module, number
        return None


def _paths(where: str, asked: list[Asked]) -> list[Path]:
    """The folder of a SPEC's module, and the files of views that stand elsewhere, but for installed packages."""
    folder = folder_of(where)
    sources = {Path(each.source[0]) for each in asked if each.source}
    others = [each for each in sources if not each.is_relative_to(folder) and "site-packages" not in each.parts]
    return [folder, *sorted(each for each in others if each.is_file())]


def board_of(original: Side, port: Side, evidence: Evidence, decisions: dict[str, Decision]) -> Board:
    """Match both sides up, and gather what is known of each route."""
    deep = _deep(original.code)
    models = Models(port.code)
    rows, taken = [], set()
    for route in original.routes:
        decision = decisions.get(str(route))
        row = Row(route, original.guards(route), deep=deep.get(route.function, 0), decision=decision)
        wanted = replace(route, path=decision.moved_to.partition(" ")[2]) if decision and decision.moved_to else route
        found = _partner(wanted, port.routes, row.notes)
        if found and found.reached:
            taken.add(found)
            row.port, row.port_guards, row.models = found, port.guards(found), models.of(found)
            node = port.code.node(found.function) if found.function else None
            row.state = "?" if node is None else "stub" if is_stub(node) else "implemented"
        elif found:
            row.notes.append(f"written in {found.place}, in a router that no app includes")
        row.seen = evidence.of(route.method, route.path, found.path if found else None)
        rows.append(row)
    rows.sort(key=lambda row: (not row.is_unguarded, not row.is_missing))
    extra = [route for route in port.routes if route not in taken and route.reached]
    untold = {"original": original.untold, "port": port.untold}
    return Board(rows, extra, untold, _unreadable(original, port), _stale(rows, decisions))


def _partner(route: Route, candidates: list[Route], notes: list[str]) -> Route | None:
    same = [each for each in candidates if each.method == route.method]
    exact = [each for each in same if shape(each.path) == shape(route.path)]
    if exact:
        return min(exact, key=lambda each: (not each.reached, kinds(each.path) != kinds(route.path)))
    for each in same:
        if shape(each.path).rstrip("/") == shape(route.path).rstrip("/"):
            if route.strict:
                notes.append(f"the port has it as {each.path}: the slash at the end differs")
            return each
    for each in same:
        if shape(each.path).replace("{path}", "{}") == shape(route.path).replace("{path}", "{}"):
            notes.append(f"the port has it as {each.path}: one of the two takes slashes in a field")
            return each
    return None


def _deep(code: Code) -> dict[Function | None, int]:
    """How many deep uses of Flask's globals each function's calls lead to."""
    data = code.survey.data()
    found: dict[Function | None, int] = {}
    for use in data["uses"]:
        if use["place"] == "deep":
            for way in data["ways"].get(use["function"], ()):
                for function in code.survey.entries[way["entry"]].functions:
                    found[function] = found.get(function, 0) + 1
    return found


def _unreadable(*sides: Side) -> list[str]:
    return [f"{path}: {why}" for side in sides for path, _, why in side.code.readings.unreadable]


def _stale(rows: list[Row], decisions: dict[str, Decision]) -> list[str]:
    known = {str(row.original): row for row in rows}
    found = []
    for route, decision in decisions.items():
        if route not in known:
            found.append(f"a decision names {route}, which the original does not have")
        elif decision.drops and known[route].port:
            found.append(f"a decision says that {route} has no port, and it has one")
    return found
