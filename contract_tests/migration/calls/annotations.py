"""What an annotation says: objects of its classes, through aliases, unions and `Annotated`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Protocol

from contract_tests.migration.calls.syntax import Values, enclosing_class, last_name, some
from contract_tests.migration.calls.values import Alias, Class, Instance, Outside, Scope, Value

# Wrappers whose first argument is what the thing is, and those whose last is (an iterator is what it yields).
_FIRST = {"Annotated", "Optional", "Final", "ClassVar", "Required", "NotRequired", "Mapped", "Awaitable"}
_FIRST |= {"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
_FIRST |= {"ContextManager", "AsyncContextManager", "AbstractContextManager", "AbstractAsyncContextManager"}
_LAST = {"Coroutine"}


class Names(Protocol):
    """What reads the names in an annotation: the inference."""

    def infer(self, node: ast.expr, scope: Scope) -> Values: ...

    def results(self, callees: Iterable[Value]) -> Values: ...


class Annotations:
    """Reads annotations, with what reads the names in them."""

    def __init__(self, inference: Names) -> None:
        self._inference = inference

    def of(self, node: ast.expr, scope: Scope) -> Values:
        """Objects of the classes that an annotation names."""
        match node:
            case ast.Constant(value=str(text)):
                try:
                    return self.of(ast.parse(text, mode="eval").body, scope)
                except SyntaxError:
                    return ()
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return some((*self.of(left, scope), *self.of(right, scope)))
            case ast.Subscript(value=owner, slice=inner):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._generic(last_name(owner), owner, parts, scope)
            case ast.Name(id="Self") if cls := enclosing_class(scope):
                return (Instance(cls),)
            case ast.Name() | ast.Attribute():
                return some(each for value in self._inference.infer(node, scope) for each in self._object(value))
        return ()

    def _object(self, value: Value) -> Values:
        if isinstance(value, Alias):
            return self.of(value.node, value.scope)
        return (Instance(value),) if isinstance(value, Class | Outside) else ()

    def _generic(self, name: str, owner: ast.expr, parts: list[ast.expr], scope: Scope) -> Values:
        if name in ("type", "Type"):
            return some(value.of for value in self.of(parts[0], scope) if isinstance(value, Instance))
        if name == "Union":
            return some(each for part in parts for each in self.of(part, scope))
        if name in _FIRST:
            provided = (
                (each for part in parts[1:] for each in self.provided(part, scope)) if name == "Annotated" else ()
            )
            return self.of(parts[0], scope) or some(provided)
        if name in _LAST:
            return self.of(parts[-1], scope)
        return some(each for value in self._inference.infer(owner, scope) for each in self._object(value))

    def provided(self, node: ast.expr, scope: Scope) -> Values:
        """What `Depends(...)` hands out."""
        if isinstance(node, ast.Call) and last_name(node.func) in ("Depends", "Security") and node.args:
            return self._inference.results(self._inference.infer(node.args[0], scope))
        return ()
