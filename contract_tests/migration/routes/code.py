"""The code below some paths: its survey, and the trees of its modules with what their names mean."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract_tests.migration.survey.expressions import Encoder
from contract_tests.migration.survey.files import find_files
from contract_tests.migration.survey.kinds import Value, Values
from contract_tests.migration.survey.reading import Cache, contents, read, uncollected
from contract_tests.migration.survey.routes import Function
from contract_tests.migration.survey.survey import Survey, silent

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# Where a variable is: its module, its scope, its name.
Variable = tuple[int, int, str]
_DEEPEST = 8


@dataclass(slots=True)
class Tree:
    """A module's tree: its definitions by scope, what is assigned to each name, each call with its scope."""

    module: ast.Module
    definitions: dict[int, Definition] = field(default_factory=dict)
    assigned: dict[tuple[int, str], list[ast.expr]] = field(default_factory=dict)
    calls: list[tuple[int, ast.Call]] = field(default_factory=list)
    loops: dict[tuple[int, str], list[tuple[ast.For, tuple[int, ...]]]] = field(default_factory=dict)


class Code:
    """Raises OSError where there is nothing at a path."""

    def __init__(self, paths: Sequence[Path], *, exclude: Sequence[str] = (), cache: Path | None = None) -> None:
        with uncollected():
            found = contents(find_files(paths, exclude))
            readings = read(found, Cache(cache), jobs=os.cpu_count() or 1, progress=silent)
            self.survey = Survey(readings)
        self.readings = readings
        self.world = self.survey.world
        self._trees: dict[int, Tree] = {}
        self._following: set[Variable] = set()

    @property
    def modules(self) -> range:
        return range(len(self.readings.files))

    def tree(self, module: int) -> Tree:
        if module not in self._trees:
            file = self.readings.files[module]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(file.path.read_bytes())
            try:
                self._trees[module] = _Indexer(self.world.summaries[module]["scopes"]).of(tree)
            except RecursionError:
                self.readings.unreadable.append((file.shown, None, "too deeply nested"))
                self._trees[module] = Tree(ast.Module([], []))
        return self._trees[module]

    def node(self, function: Function) -> Definition | None:
        """The definition of a function or class."""
        return self.tree(function[0]).definitions.get(function[1])

    def name(self, function: Function) -> str:
        return str(self.world.scope(*function)["name"])

    def place(self, module: int, line: int) -> str:
        return f"{self.readings.files[module].shown}:{line}"

    def outer(self, function: Function) -> int:
        """The scope in which a definition stands."""
        return int(self.world.scope(*function)["parent"])

    # What names mean

    def of(self, module: int, scope: int, node: ast.expr | None) -> Values:
        """What an expression in a scope may stand for."""
        encoder = Encoder()
        made = encoder.encode(node)
        for name, _ in encoder.names:
            name[2] = self.bound(module, scope, name[1])
        return self.world.of(module, made) if made else ()

    def bound(self, module: int, scope: int, name: str) -> int:
        """The scope that binds a name as it is seen in another; -1 for none."""
        scopes = self.world.summaries[module]["scopes"]
        current = scope
        while current >= 0:
            each = scopes[current]
            if (current == scope or each["kind"] != "c") and (
                name in each["names"] or (current, name) in self.tree(module).assigned
            ):
                return current
            current = each["parent"]
        return -1

    def outside(self, module: int, scope: int, node: ast.expr | None) -> str:
        """The full name of what is not among the given modules; empty for anything else."""
        return next((str(each[1]) for each in self.of(module, scope, node) if each[0] in "OJ"), "")

    def functions(self, module: int, scope: int, node: ast.expr | None) -> list[Function]:
        return [(each[1], each[2]) for each in self.of(module, scope, node) if each[0] == "F"]

    def classes(self, module: int, scope: int, node: ast.expr | None) -> list[Function]:
        return [(each[1], each[2]) for each in self.of(module, scope, node) if each[0] in "CVI"]

    def bases(self, cls: Function) -> list[str]:
        """The full names of the outside classes that a class inherits from."""
        return [str(each[1]) for each in self.world.ancestors(("C", *cls)) if each[0] == "O"]

    def method(self, cls: Function, name: str) -> Function | None:
        found = self.world.attribute(("C", *cls), name)
        return next(((each[1], each[2]) for each in found if each[0] == "F"), None)

    # Variables

    def variable(self, module: int, scope: int, node: ast.expr | None) -> Variable | None:
        """The variable that an expression names, through imports and functions that give it back."""
        if isinstance(node, ast.Name):
            where = self.bound(module, scope, node.id)
            return self._origin((module, where, node.id), 0) if where >= 0 else self._starred(module, node.id)
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                return self._own(module, scope, node.attr)
            for value in self.of(module, scope, node.value):
                if value[0] == "M":
                    return self._origin((value[1], 0, node.attr), 0)
        if isinstance(node, ast.Call):
            return self._given(module, scope, node)
        return None

    def _own(self, module: int, scope: int, name: str) -> Variable | None:
        """`self.name`, by the method of the same class that binds it."""
        cls = self.world.class_around(module, scope)
        for (at, bound), _ in self.tree(module).assigned.items() if cls else ():
            if cls and bound == f"self.{name}" and self.world.class_around(module, at) == cls:
                return self._origin((module, at, bound), 0)
        return None

    def _starred(self, module: int, name: str) -> Variable | None:
        for scope in self.world.summaries[module]["scopes"]:
            for level, dotted in scope.get("stars", ()):
                for value in self._module(module, level, dotted):
                    if value[0] == "M" and name in self.world.scope(value[1], 0)["names"]:
                        return self._origin((value[1], 0, name), 1)
        return None

    def _given(self, module: int, scope: int, call: ast.Call) -> Variable | None:
        for function in self.functions(module, scope, call.func):
            node = self.node(function)
            for each in ast.walk(node) if node else ():
                if isinstance(each, ast.Return) and isinstance(each.value, ast.Name):
                    return self.variable(*function, each.value)
        return None

    def _origin(self, variable: Variable, depth: int) -> Variable:
        module, scope, name = variable
        for binding in self.world.scope(module, scope)["names"].get(name, ()):
            if binding[0] == "f" and depth < _DEEPEST:
                for value in self._module(module, binding[1], binding[2]):
                    if value[0] == "M" and value[1] != module:
                        return self._origin((value[1], 0, binding[3]), depth + 1)
        assigned = self.tree(module).assigned.get((scope, name), ())
        if depth < _DEEPEST and len(assigned) == 1 and isinstance(assigned[0], ast.Name):
            where = self.bound(module, scope, assigned[0].id)
            if where >= 0 and (module, where, assigned[0].id) != variable:
                return self._origin((module, where, assigned[0].id), depth + 1)
        if len(assigned) == 1 and isinstance(assigned[0], ast.Call) and variable not in self._following:
            self._following.add(variable)  # a function may give back what it calls itself for
            given = self._given(module, scope, assigned[0])
            self._following.discard(variable)
            return given or variable
        return variable

    def _module(self, importer: int, level: int, dotted: str) -> list[Value]:
        modules = self.world.modules
        path = modules.relative(importer, level, dotted) if level else modules.absolute(importer, dotted)
        found = modules.at(path) if path is not None else None
        return [("M", found)] if isinstance(found, int) else []

    def looped(
        self, module: int, scope: int, name: str, line: int | None = None
    ) -> Iterator[tuple[ast.For, int, int, ast.expr]]:
        """What a loop's variable goes over, where that is written out, also behind a name; of the loops at a line.

        Each with its loop, and with its module and scope.
        """
        for loop, path in self.tree(module).loops.get((scope, name), ()):
            if line is not None and not loop.lineno <= line <= (loop.end_lineno or line):
                continue
            iterated = loop.iter
            called = iterated.func if isinstance(iterated, ast.Call) else None
            view = called.attr if isinstance(called, ast.Attribute) and called.attr in ("items", "values") else ""
            inner = called.value if view and isinstance(called, ast.Attribute) else iterated
            for where, at, each in [(module, scope, inner), *self.assigned(module, scope, inner)]:
                for element in _elements(each, view):
                    found = _at(element, path)
                    if found is not None:
                        yield loop, where, at, found

    def assigned(self, module: int, scope: int, node: ast.expr) -> Iterator[tuple[int, int, ast.expr]]:
        """The expressions that a name stands for, each with its module and scope."""
        variable = self.variable(module, scope, node)
        if variable:
            for value in self.tree(variable[0]).assigned.get((variable[1], variable[2]), ()):
                yield variable[0], variable[1], value


def _elements(node: ast.expr, view: str) -> list[ast.expr]:
    """What a loop goes over, where it is written out; `view` is `items` or `values` of a mapping."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set) and not view:
        return node.elts
    if not isinstance(node, ast.Dict):
        return []
    pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    if view == "items":
        return [ast.Tuple([key, value], ast.Load()) for key, value in pairs]
    return [value if view else key for key, value in pairs]


def _at(element: ast.expr, path: tuple[int, ...]) -> ast.expr | None:
    """What stands at a path within written-out tuples."""
    for number in path:
        inside = element.elts if isinstance(element, ast.Tuple | ast.List) else []
        if number >= len(inside):
            return None
        element = inside[number]
    return element


class _Indexer(ast.NodeVisitor):
    """Goes through a tree once, and knows the scope that it is in."""

    def __init__(self, scopes: list[dict[str, object]]) -> None:
        self._numbers: dict[tuple[object, object], list[int]] = {}
        for number, scope in enumerate(scopes):
            if scope["kind"] in ("f", "c"):
                self._numbers.setdefault((scope["name"], scope["line"]), []).append(number)
        self._scope = 0

    def of(self, tree: ast.Module) -> Tree:
        self._tree = Tree(tree)
        self.visit(tree)
        return self._tree

    def _definition(self, node: Definition) -> None:
        numbers = self._numbers.get((node.name, node.lineno))
        for each in (*node.decorator_list, *(() if isinstance(node, ast.ClassDef) else (node.args,))):
            self.visit(each)
        if not numbers:
            return
        outer, self._scope = self._scope, numbers.pop(0) if len(numbers) > 1 else numbers[0]
        self._tree.definitions[self._scope] = node
        for statement in node.body:
            self.visit(statement)
        self._scope = outer

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition  # noqa: N815 - ast's own names

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign(node.target, node.value)
        self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._tree.assigned.setdefault((self._scope, target.id), []).append(value)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            self._tree.assigned.setdefault((self._scope, f"self.{target.attr}"), []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, other in zip(target.elts, value.elts, strict=True):
                self._assign(one, other)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node.target, node, ())
        self.generic_visit(node)

    def _loop(self, target: ast.expr, loop: ast.For, path: tuple[int, ...]) -> None:
        if isinstance(target, ast.Name):
            self._tree.loops.setdefault((self._scope, target.id), []).append((loop, path))
        for number, each in enumerate(target.elts if isinstance(target, ast.Tuple | ast.List) else ()):
            self._loop(each, loop, (*path, number))

    def visit_Call(self, node: ast.Call) -> None:
        self._tree.calls.append((self._scope, node))
        self.generic_visit(node)
