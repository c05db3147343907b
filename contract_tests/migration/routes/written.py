"""What is written out in code: texts that are put together, and calls as a loop or a caller of their function makes them.

`for rule, view in RULES: app.add_url_rule(rule, view_func=view)` stands for as many calls as RULES has elements, and
`add_url_rule(url, view_func=view.as_view(name))` in a function for one with each call of that function.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping

from contract_tests.migration.routes.code import Code
from contract_tests.migration.survey.routes import Function

_DEEPEST = 6
# So many calls may one stand for.
_MOST = 200


class Written:
    """Reads what is written out below some paths."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._called: dict[str, list[tuple[int, int, ast.Call]]] | None = None

    def text(self, module: int, scope: int, node: ast.expr | None, depth: int = 0) -> str | None:
        """The text of an expression: of constants, f-strings, sums, and names that are bound to one such; else None."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.JoinedStr):
            parts = [self._part(module, scope, each, depth) for each in node.values]
            return "".join(each for each in parts if each is not None) if None not in parts else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self.text(module, scope, node.left, depth + 1)
            right = self.text(module, scope, node.right, depth + 1)
            return left + right if left is not None and right is not None else None
        if isinstance(node, ast.Name | ast.Attribute):
            values = list(self._code.assigned(module, scope, node))
            return self.text(*values[0], depth + 1) if len(values) == 1 else None
        return None

    def _part(self, module: int, scope: int, node: ast.expr, depth: int) -> str | None:
        if isinstance(node, ast.FormattedValue):
            plain = node.conversion == -1 and node.format_spec is None
            return self.text(module, scope, node.value, depth + 1) if plain else None
        return self.text(module, scope, node, depth + 1)

    def calls(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[int, ast.Call]]:
        """A call as it is made: with each element of the loops, by each caller of its function; each with its scope."""
        made = [(scope, call)]
        for expand in (self._looped, self._by_caller, self._looped):
            made = [each for at, one in made for each in expand(module, at, one)][:_MOST]
        yield from made

    def _looped(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[int, ast.Call]]:
        over = {name: list(self._code.looped(module, scope, name, call.lineno)) for name in _names(call)}
        over = {name: found for name, found in over.items() if found}
        counts = {len(found) for found in over.values()}
        if len(counts) != 1 or any(where != module for found in over.values() for where, _, _ in found):
            yield scope, call
            return
        for number in range(counts.pop()):
            yield scope, _instead(call, {name: found[number][2] for name, found in over.items()})

    def _by_caller(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[int, ast.Call]]:
        """Only callers in the same module: what another one names is not known by that name here."""
        node = self._code.node((module, scope))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield scope, call
            return
        parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        asked = _names(call) & set(parameters)
        # What is registered, not on what: an app that is handed over is followed by its variable.
        on = call.func.value if isinstance(call.func, ast.Attribute) else None
        asked -= {on.id} if isinstance(on, ast.Name) else set()
        asked -= {parameters[0]} if self._is_method(module, scope) and parameters else set()
        callers = list(self._callers((module, scope), node.name)) if asked else []
        if not callers:
            yield scope, call
            return
        for at, caller in callers:
            given = dict(zip(parameters, caller.args, strict=False))
            given |= {each.arg: each.value for each in caller.keywords if each.arg}
            replaced = {name: given[name] for name in asked if name in given}
            yield at, _instead(call, replaced | ({on.id: given[on.id]} if _is_given(on, given) else {}))

    def _is_method(self, module: int, scope: int) -> bool:
        parent = self._code.outer((module, scope))
        return parent >= 0 and self._code.world.scope(module, parent)["kind"] == "c"

    def _callers(self, function: Function, name: str) -> Iterator[tuple[int, ast.Call]]:
        if self._called is None:
            self._called = {}
            for module in self._code.modules:
                for scope, call in self._code.tree(module).calls:
                    last = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
                    self._called.setdefault(last, []).append((module, scope, call))
        for module, scope, call in self._called.get(name, ()):
            if module == function[0] and function in self._code.functions(module, scope, call.func):
                yield scope, call


def _names(call: ast.Call) -> set[str]:
    return {each.id for each in ast.walk(call) if isinstance(each, ast.Name)}


def _is_given(on: ast.expr | None, given: Mapping[str, ast.expr]) -> bool:
    return isinstance(on, ast.Name) and on.id in given


def _instead(call: ast.Call, given: Mapping[str, ast.expr]) -> ast.Call:
    """A call with other expressions in the place of names."""
    made = _Instead(given).visit(copy.deepcopy(call))
    assert isinstance(made, ast.Call)
    return made


class _Instead(ast.NodeTransformer):
    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._given.get(node.id, node)
