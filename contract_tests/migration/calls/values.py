"""What a name or an expression may stand for, as far as the source says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from contract_tests.migration.calls.sources import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(slots=True, eq=False)
class Scope:
    """Where names are bound: a module, a class's body or a function. `names` has their bindings, each with its scope.

    `nodes` is all that runs with its body.
    """

    source: Source
    outer: Scope | None
    node: ast.Module | ast.ClassDef | FunctionNode
    names: dict[str, list[tuple[ast.AST, Scope]]] = field(default_factory=dict)
    inner: dict[ast.AST, Scope] = field(default_factory=dict)
    nodes: tuple[ast.AST, ...] = ()
    yields: bool = False

    @property
    def module(self) -> Scope:
        return self if self.outer is None else self.outer.module

    @property
    def owner(self) -> Class | None:
        """The class whose body this function stands in."""
        return Class(self.outer) if self.outer is not None and isinstance(self.outer.node, ast.ClassDef) else None

    def all(self) -> Iterator[Scope]:
        yield self
        for inner in self.inner.values():
            yield from inner.all()


@dataclass(frozen=True, slots=True)
class Module:
    """A module among the given ones."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Folder:
    """A part of a dotted name that is no module itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class among the given modules."""

    scope: Scope

    @property
    def node(self) -> ast.ClassDef:
        assert isinstance(self.scope.node, ast.ClassDef)
        return self.scope.node


@dataclass(frozen=True, slots=True)
class Function:
    """A function, method or lambda among the given modules."""

    scope: Scope

    @property
    def node(self) -> FunctionNode:
        assert isinstance(self.scope.node, FunctionNode)
        return self.scope.node

    @property
    def name(self) -> str:
        """The qualified name, without the module."""
        parts, scope = [], self.scope
        while not isinstance(scope.node, ast.Module):
            parts.append(getattr(scope.node, "name", "<lambda>"))
            assert scope.outer is not None
            scope = scope.outer
        return ".".join(reversed(parts))

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def decorators(self) -> list[ast.expr]:
        return [] if isinstance(self.node, ast.Lambda) else self.node.decorator_list

    @property
    def is_generator(self) -> bool:
        return self.scope.yields


@dataclass(frozen=True, slots=True)
class Outside:
    """What is not among the given modules, by its dotted name: a module, a class, a function or a method."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class."""

    of: Class | Outside


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a type that is not a plain class: `Annotated[...]`, `X | None`."""

    node: ast.expr
    scope: Scope


Value: TypeAlias = Module | Folder | Class | Function | Outside | Instance | Alias


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node of a body that runs with it: not those of functions, classes and lambdas within."""
    body = node.body if isinstance(node, ast.Lambda) else getattr(node, "body", [])
    stack: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
    while stack:
        current = stack.pop()
        yield current
        if not isinstance(current, _SCOPES):
            stack.extend(reversed(list(ast.iter_child_nodes(current))))


def build_scopes(source: Source) -> Scope:
    """The scope of a module, with all within it."""
    return _build(Scope(source, None, source.tree))


def _build(scope: Scope) -> Scope:
    if isinstance(scope.node, FunctionNode):
        for argument in arguments_of(scope.node):
            scope.names.setdefault(argument.arg, []).append((argument, scope))
    scope.nodes = nodes = tuple(own_nodes(scope.node))
    scope.yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    for node in nodes:
        for name in _bound_by(node):
            names = scope.module.names if name in shared else scope.names
            names.setdefault(name, []).append((node, scope))
        if isinstance(node, _SCOPES):
            scope.inner[node] = _build(Scope(scope.source, scope, node))
    return scope


def arguments_of(node: FunctionNode) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0])
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _names(target)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
        yield from _names(node.target)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from _names(node.optional_vars)
    elif type(node).__name__ == "TypeAlias":
        yield from _names(node.name)  # type: ignore[attr-defined]  # Python 3.12


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _names(element)
