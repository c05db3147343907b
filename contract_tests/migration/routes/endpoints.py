"""What an endpoint of the port is: a stub or implemented, and which models it has."""

from __future__ import annotations

import ast
import sys

from contract_tests.migration.routes.code import Code, Definition
from contract_tests.migration.routes.declared import Route
from contract_tests.migration.routes.owners import keyword

_MODELS = ("pydantic.", "sqlmodel.", "msgspec.", "typing.TypedDict", "typing.NamedTuple", "typing_extensions.TypedDict")
_FRAMEWORKS = frozenset({"builtins", "fastapi", "starlette", "sqlalchemy", "typing_extensions", "flask", "werkzeug"})
_TYPED = frozenset({"list", "dict", "set", "tuple", "Sequence", "Iterable", "Mapping", "Page"})
_NOT_YET = frozenset({"NotImplementedError", "NotImplemented"})


def is_stub(node: ast.AST | None) -> bool:
    """Whether a function does nothing yet: `...`, `pass`, NotImplementedError, 501."""
    body = list(getattr(node, "body", []))
    if body and isinstance(body[0], ast.Expr) and isinstance(getattr(body[0].value, "value", None), str):
        body = body[1:]
    return all(_is_empty(each) for each in body) or any(_is_not_yet(each) for each in body)


def _is_empty(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(statement, ast.Pass) or (isinstance(value, ast.Constant) and value.value is ...)


def _is_not_yet(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Raise | ast.Return):
        return False
    made = statement.exc if isinstance(statement, ast.Raise) else statement.value
    name = made.func if isinstance(made, ast.Call) else made
    if getattr(name, "id", getattr(name, "attr", "")) in _NOT_YET:
        return True
    given = [*made.args, *(each.value for each in made.keywords)] if isinstance(made, ast.Call) else []
    given += made.elts if isinstance(made, ast.Tuple) else []
    return any(
        (isinstance(each, ast.Constant) and each.value == 501 and each.value is not True)
        or "501" in str(getattr(each, "attr", ""))
        or getattr(each, "attr", "") == "NOT_IMPLEMENTED"
        for each in given
    )


class Models:
    """Tells which models a route of the port has: `in`, `out`."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def of(self, route: Route) -> tuple[str, ...]:
        node = self._code.node(route.function) if route.function else None
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or route.function is None:
            return ()
        module, scope = route.function[0], self._code.outer(route.function)
        given = self._takes(module, scope, node, 4)
        return (*(("in",) if given else ()), *(("out",) if self._has_output(route, node) else ()))

    def _has_output(self, route: Route, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        response = keyword(route.call, "response_model") if route.call else None
        if response is not None:
            return not (isinstance(response, ast.Constant) and response.value is None)
        module, scope = route.function or (0, 0)
        return self._is_typed(module, self._code.outer((module, scope)), node.returns)

    def _is_typed(self, module: int, scope: int, node: ast.expr | None) -> bool:
        node = _quoted(node)
        if isinstance(node, ast.Subscript):
            return _name(node.value) in _TYPED or self._is_typed(module, scope, _first(node))
        if isinstance(node, ast.BinOp):
            return self._is_typed(module, scope, node.left) or self._is_typed(module, scope, node.right)
        return self._is_model(module, scope, node)

    def _is_read(self, module: int, scope: int, mark: ast.expr | None, depth: int) -> bool:
        """Whether what a route depends on takes a model itself."""
        given = mark.args[0] if isinstance(mark, ast.Call) and mark.args else None
        for function in self._code.functions(module, scope, given) if depth else ():
            node = self._code.node(function)
            if self._takes(function[0], self._code.outer(function), node, depth - 1):
                return True
        return False

    def _takes(self, module: int, scope: int, node: Definition | None, depth: int) -> bool:
        """Whether a function has a parameter that FastAPI fills from a model."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        positional = (*node.args.posonlyargs, *node.args.args)
        defaults = [*[None] * (len(positional) - len(node.args.defaults)), *node.args.defaults, *node.args.kw_defaults]
        for each, default in zip((*positional, *node.args.kwonlyargs), defaults, strict=True):
            depends = isinstance(default, ast.Call) and _name(default.func) in ("Depends", "Security")
            found = (
                self._is_read(module, scope, default, depth)
                if depends
                else self._is_input(module, scope, each.annotation, depth)
            )
            if found:
                return True
        return False

    def _is_input(self, module: int, scope: int, node: ast.expr | None, depth: int) -> bool:
        node = _quoted(node)
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if _name(node.value) == "Annotated":
                marks = [e for e in inner if isinstance(e, ast.Call) and _name(e.func) in ("Depends", "Security")]
                if marks:
                    return any(self._is_read(module, scope, each, depth) for each in marks)
                return self._is_input(module, scope, inner[0], depth)
            return any(self._is_input(module, scope, each, depth) for each in inner)
        if isinstance(node, ast.BinOp):
            return any(self._is_input(module, scope, each, depth) for each in (node.left, node.right))
        if isinstance(node, ast.Name | ast.Attribute):
            for where, at, value in self._code.assigned(module, scope, node):
                if isinstance(value, ast.Subscript) and self._is_input(where, at, value, depth):
                    return True
        return self._is_model(module, scope, node)

    def _is_model(self, module: int, scope: int, node: ast.expr | None) -> bool:
        for value in self._code.of(module, scope, node) if isinstance(node, ast.Name | ast.Attribute) else ():
            if value[0] == "O" and _is_foreign_model(value[1]):
                return True
            if value[0] == "C":
                cls = self._code.node((value[1], value[2]))
                decorated = any("dataclass" in ast.unparse(each) for each in (cls.decorator_list if cls else ()))
                if decorated or any(base.startswith(_MODELS) for base in self._code.bases((value[1], value[2]))):
                    return True
        return False


def _is_foreign_model(full: str) -> bool:
    """A class that is not among the given modules: a model, unless it is the framework's or Python's own."""
    top, last = full.partition(".")[0], full.rpartition(".")[2]
    own = top in sys.stdlib_module_names or top in _FRAMEWORKS
    return last[:1].isupper() and not own and not last.endswith(("Response", "Request"))


def _quoted(node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return None
    return node


def _first(node: ast.Subscript) -> ast.expr:
    return node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
