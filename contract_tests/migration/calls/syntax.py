"""Small questions to a tree: names, defaults, kinds of methods."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from contract_tests.migration.calls.values import (
    Class,
    Function,
    FunctionNode,
    Instance,
    Outside,
    Scope,
    Value,
    arguments_of,
)

Values = tuple[Value, ...]

# Of all that a name may stand for, so many are followed.
MOST = 8


def name_of(value: Value) -> str | None:
    """The dotted name of what is outside, as a callee: an object's own is its class's and `()`."""
    if isinstance(value, Outside):
        return value.name
    return f"{value.of.name}()" if isinstance(value, Instance) and isinstance(value.of, Outside) else None


def is_property(function: Function) -> bool:
    return any(last_name(each) in {"property", "cached_property"} for each in function.decorators)


def is_abstract(function: Function) -> bool:
    """Whether a method leaves its work to subclasses: nothing but a docstring, `...`, `pass` or NotImplementedError."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    rest = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return all(
        isinstance(each, ast.Pass) or (isinstance(each, ast.Raise) and "NotImplemented" in ast.dump(each))
        for each in rest
    )


def defaults(node: FunctionNode) -> dict[str, ast.expr]:
    """The default of each argument that has one."""
    positional = [*node.args.posonlyargs, *node.args.args]
    found = dict(zip((each.arg for each in reversed(positional)), reversed(node.args.defaults), strict=False))
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return found | {each.arg: default for each, default in pairs if default is not None}


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name, of what is called or subscripted too; empty where there is none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
    return ""


def some(values: Iterable[Value]) -> Values:
    found: dict[Value, None] = {}
    for value in values:
        found[value] = None
        if len(found) == MOST:
            break
    return tuple(found)


def ends_in_state(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and last_name(node) == "state"


def assignments_to_self(cls: Class) -> Iterator[tuple[str, ast.Assign | ast.AnnAssign, Scope]]:
    """Each `self.name = ...` in a class's methods, by the name."""
    for scope in cls.scope.inner.values():
        arguments = arguments_of(scope.node) if isinstance(scope.node, FunctionNode) else []
        for node in scope.nodes if arguments else ():
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    match target:
                        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == arguments[0].arg:
                            yield name, node, scope


def enclosing_class(scope: Scope | None) -> Class | None:
    while scope is not None:
        if isinstance(scope.node, ast.ClassDef):
            return Class(scope)
        scope = scope.outer
    return None
