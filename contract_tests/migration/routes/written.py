"""What is written out in code: texts that are put together, and calls as loops, callers and decorators make them.

`for rule, view in RULES: app.add_url_rule(rule, view_func=view)` stands for as many calls as RULES has elements,
`add_url_rule(url, view_func=view.as_view(name))` in a function for one with each call of that function, and
`add_url_rule(url, view_func=view)` in a decorator for one with each view that it decorates.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from itertools import islice, product

from contract_tests.migration.routes.code import Code, Definition
from contract_tests.migration.survey.routes import Function

_DEEPEST = 6
# So many calls may one stand for.
_MOST = 1000


class Meant(ast.Name):
    """A name that stands for one function, wherever that is."""

    function: Function


def meant(function: Function, name: str) -> Meant:
    made = Meant(name, ast.Load())
    made.function = function
    return made


class Written:
    """Reads what is written out below some paths."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._called: dict[str, list[tuple[tuple[int, int], ast.Call]]] | None = None
        self._decorators: dict[str, list[tuple[Function, Definition, ast.expr]]] | None = None

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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return self._formatted(module, scope, node.func.value, node, depth + 1)
        if isinstance(node, ast.Name | ast.Attribute):
            values = list(self._code.assigned(module, scope, node))
            return self.text(*values[0], depth + 1) if len(values) == 1 else None
        return None

    def _formatted(self, module: int, scope: int, form: ast.expr, call: ast.Call, depth: int) -> str | None:
        """`"{}.view".format(name)`"""
        text, given = (
            self.text(module, scope, form, depth),
            [self.text(module, scope, each, depth) for each in call.args],
        )
        if text is None or None in given or call.keywords:
            return None
        try:
            return text.format(*given)
        except (ValueError, IndexError, KeyError, AttributeError):
            return None

    def _part(self, module: int, scope: int, node: ast.expr, depth: int) -> str | None:
        if isinstance(node, ast.FormattedValue):
            plain = node.conversion == -1 and node.format_spec is None
            return self.text(module, scope, node.value, depth + 1) if plain else None
        return self.text(module, scope, node, depth + 1)

    def calls(self, module: int, scope: int, call: ast.Call) -> list[tuple[int, ast.Call]] | None:
        """A call as it is made: with each element of the loops, by each caller of its function; each with its scope.

        None where it stands for more than are followed, or is nested too deeply.
        """
        made = [(scope, call)]
        for expand in (self._inlined, self._looped, self._by_caller, self._looped):
            more = (each for at, one in made for each in expand(module, at, one))
            try:
                made = list(islice(more, _MOST + 1))
            except RecursionError:
                return None
            if len(made) > _MOST:
                return None
        return made

    def _inlined(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[int, ast.Call]]:
        """Texts that a function puts together before the call: `rule = f"{prefix}/all"`."""
        bound = self._code.tree(module).assigned if self._code.node((module, scope)) else {}
        found = {name: bound.get((scope, name), ()) for name in _names(call)}
        texts = {name: values[0] for name, values in found.items() if len(values) == 1 and _is_text(values[0])}
        yield scope, _instead(call, texts) if texts else call

    def _looped(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[int, ast.Call]]:
        """A call with each element of a loop, and of loops within each other with each one of the other, too."""
        loops: dict[ast.For, dict[str, list[ast.expr]]] = {}
        for name in sorted(_names(call)):
            found = list(self._code.looped(module, scope, name, call.lineno))
            if any(where != module for _, where, _, _ in found):
                yield scope, call
                return
            if found:
                # Where loops within each other bind one name, the inner one counts.
                loop = max((each[0] for each in found), key=lambda each: each.lineno)
                loops.setdefault(loop, {})[name] = [element for of, _, _, element in found if of is loop]
        turns = []
        for _, over in sorted(loops.items(), key=lambda each: each[0].lineno):
            if len({len(elements) for elements in over.values()}) != 1:
                yield scope, call
                return
            turns.append([dict(zip(over, turn, strict=True)) for turn in zip(*over.values(), strict=True)])
        for each in product(*turns):
            given = {name: element for turn in each for name, element in turn.items()}
            yield scope, _instead(call, given) if given else call

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
        decorated = list(self._by_view(module, scope, call, node)) if parameters else []
        if decorated:
            yield from decorated
            return
        callers = list(self._callers((module, scope), node.name)) if asked else []
        if not callers:
            yield scope, call
            return
        for at, caller in callers:
            given = dict(zip(parameters, caller.args, strict=False))
            given |= {each.arg: each.value for each in caller.keywords if each.arg}
            replaced = {name: given[name] for name in asked if name in given}
            if isinstance(on, ast.Name) and on.id in given:
                replaced[on.id] = given[on.id]
            yield at, _instead(call, replaced)

    def _by_view(
        self, module: int, scope: int, call: ast.Call, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Iterator[tuple[int, ast.Call]]:
        """A call in a decorator, or in what a function that makes one gives back, with each view that is decorated."""
        view = node.args.args[0].arg if node.args.args else ""
        outer = self._code.outer((module, scope))
        maker = self._code.node((module, outer)) if outer > 0 else None
        made_by = maker if isinstance(maker, ast.FunctionDef | ast.AsyncFunctionDef) else None
        function = (module, outer) if made_by else (module, scope)
        for decorated, definition, decorator in self._decorating(function, made_by.name if made_by else node.name):
            given: dict[str, ast.expr] = {view: meant(decorated, definition.name)}
            if made_by:
                if not isinstance(decorator, ast.Call):
                    continue
                names = [each.arg for each in (*made_by.args.posonlyargs, *made_by.args.args)]
                said = dict(zip(names, decorator.args, strict=False))
                said |= {each.arg: each.value for each in decorator.keywords if each.arg}
                at = self._code.outer(decorated)
                for name, value in said.items():
                    text = self.text(decorated[0], at, value)
                    given[name] = ast.Constant(text) if text is not None else value
            yield scope, _instead(call, given)

    def decorated_by(self, module: int, scope: int) -> list[Function]:
        """The views that a decorator, in which something stands, is put on; none where it is no decorator."""
        node, outer = self._code.node((module, scope)), self._code.outer((module, scope)) if scope > 0 else -1
        maker = self._code.node((module, outer)) if outer > 0 else None
        found = [self._decorating((module, scope), node.name)] if node else []
        found += [self._decorating((module, outer), maker.name)] if maker else []
        views = [decorated for each in found for decorated, _, _ in each]
        for at, caller in self._calls_of(node.name) if node and views else ():
            if (module, scope) in self._code.functions(*at, caller.func) and caller.args:
                views += self._code.functions(*at, caller.args[0])
        return views

    def _decorating(self, function: Function, name: str) -> Iterator[tuple[Function, Definition, ast.expr]]:
        if self._decorators is None:
            self._decorators = {}
            for module in self._code.modules:
                for number, node in self._code.tree(module).definitions.items():
                    for each in node.decorator_list if not isinstance(node, ast.ClassDef) else ():
                        called = each.func if isinstance(each, ast.Call) else each
                        self._decorators.setdefault(_last(called), []).append(((module, number), node, each))
        for decorated, node, each in self._decorators.get(name, ()):
            called = each.func if isinstance(each, ast.Call) else each
            if function in self._code.functions(decorated[0], self._code.outer(decorated), called):
                yield decorated, node, each

    def _is_method(self, module: int, scope: int) -> bool:
        parent = self._code.outer((module, scope))
        return parent >= 0 and self._code.world.scope(module, parent)["kind"] == "c"

    def _callers(self, function: Function, name: str) -> Iterator[tuple[int, ast.Call]]:
        for (module, scope), call in self._calls_of(name):
            if module == function[0] and function in self._code.functions(module, scope, call.func):
                yield scope, call

    def _calls_of(self, name: str) -> list[tuple[tuple[int, int], ast.Call]]:
        """The calls of what has a name, each with its module and scope."""
        if self._called is None:
            self._called = {}
            for module in self._code.modules:
                for scope, call in self._code.tree(module).calls:
                    self._called.setdefault(_last(call.func), []).append(((module, scope), call))
        return self._called.get(name, [])


def _last(node: ast.expr) -> str:
    """The last name of what is called."""
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


def _names(call: ast.Call) -> set[str]:
    return {each.id for each in ast.walk(call) if isinstance(each, ast.Name)}


def _is_text(node: ast.expr) -> bool:
    """Whether an expression puts a text together."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    return isinstance(node, ast.JoinedStr | ast.BinOp)


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
