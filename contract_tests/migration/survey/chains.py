"""Walks expressions: each chain of names is noted with the scope that it stands in and what becomes of it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from contract_tests.migration.survey.expressions import Encoder, Expression, constant, is_attribute_call, root_of
from contract_tests.migration.survey.places import Places
from contract_tests.migration.survey.scopes import Scopes

_CHAINS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
_OLD_STRINGS = sys.version_info < (3, 12)
# Fields of a tree with no name in them.
_NAMELESS = frozenset(("ctx", "op", "id", "attr", "arg", "type_comment", "level", "module", "asname", "conversion"))
# The fields of each kind of tree that may hold other trees.
_INNER: dict[type[ast.AST], tuple[str, ...]] = {}


class Chains:
    """What a walk of a module gathers, and the walk of expressions; `Walker` adds the statements."""

    def __init__(self, raw: bytes) -> None:
        self._encoder = Encoder()
        self._scopes = Scopes(self._encoder)
        self._places = Places(raw)
        self._refs: list[list[Any]] = []
        self._visit: dict[type, Callable[[Any], None]] = {
            ast.Expr: lambda node: self._any(node.value),
            ast.Lambda: self._lambda,
            ast.NamedExpr: self._walrus,
            ast.Compare: self._compare,
            ast.JoinedStr: self._string,
            ast.BinOp: self._binary,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
        }

    def _all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self._any(node)

    def _any(self, node: ast.AST, how: Any = "r") -> None:
        kind = type(node)
        if kind in _CHAINS:
            self._chain(node, how)  # type: ignore[arg-type]
            return
        if kind is ast.Constant:
            return
        visit = self._visit.get(kind)
        if visit is not None:
            visit(node)
            return
        if kind is ast.BoolOp or kind is ast.IfExp or kind is ast.Await:
            self._branches(node, how)
            return
        names = _INNER.get(kind)
        if names is None:
            names = _INNER[kind] = tuple(name for name in kind._fields if name not in _NAMELESS)
        for name in names:
            value = getattr(node, name, None)
            if value.__class__ is list:
                for each in value:
                    if isinstance(each, ast.AST):
                        self._any(each)
            elif isinstance(value, ast.AST):
                self._any(value)

    def _branches(self, node: Any, how: Any) -> None:
        if isinstance(node, ast.IfExp):
            self._any(node.test)
            values = [node.body, node.orelse]
        else:
            values = node.values if isinstance(node, ast.BoolOp) else [node.value]
        for value in values:
            self._any(value, how)

    def _binary(self, node: ast.BinOp) -> None:
        rights, left = [], node.left
        rights.append(node.right)
        while isinstance(left, ast.BinOp):  # thousands of strings may be added up
            rights.append(left.right)
            left = left.left
        self._any(left)
        for right in reversed(rights):
            self._any(right)

    def _target(self, target: ast.expr, value: ast.expr | None, binding: list[Any] | None = None) -> None:
        """Bind what an assignment, loop or `with` gives to a target."""
        match target:
            case ast.Name(id=name):
                found = None if value is None else self._encoder.encode(value)
                self._scopes.bind(name, binding or (["e", found] if found else ["u"]))
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                self._chain(target, "w")
                self._own(owner, name, value)
            case ast.Attribute() | ast.Subscript():
                self._chain(target, "w")
            case ast.Starred(value=inner):
                self._target(inner, None)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values: list[ast.expr | None] = [None] * len(targets)
                given = value.elts if isinstance(value, ast.Tuple | ast.List) else []
                if len(given) == len(targets) and not any(isinstance(e, ast.Starred) for e in (*targets, *given)):
                    values = list(given)
                for each, one in zip(targets, values, strict=True):
                    self._target(each, one)

    def _own(self, owner: str, name: str, value: ast.expr | None) -> None:
        """`self.name = value` in a method is an attribute of its class."""
        scope = self._scopes.current
        if scope["kind"] == "f" and scope["params"][:1] == [owner] and self._scopes.all[scope["parent"]]["kind"] == "c":
            found = self._encoder.encode(value) if value is not None else None
            own = self._scopes.all[scope["parent"]].setdefault("own", {})
            own.setdefault(name, []).append(["e", found] if found else ["u"])

    def _loop(self, target: ast.expr, iterated: Expression | None, path: list[int]) -> None:
        """Bind what a loop runs over: `for rule, view in (("/", index), ...)` binds each second one to `view`."""
        if iterated is not None and isinstance(target, ast.Name):
            self._scopes.bind(target.id, ["x", iterated, path])
        elif iterated is not None and isinstance(target, ast.Tuple | ast.List):
            for number, each in enumerate(target.elts):
                self._loop(each, iterated, [*path, number])
        else:
            self._target(target, None)

    def _walrus(self, node: ast.NamedExpr) -> None:
        self._any(node.value, "=")
        scope = self._encoder.scope
        found = self._encoder.encode(node.value)
        while self._scopes.all[scope]["kind"] == "g":
            scope = self._scopes.all[scope]["parent"]
        self._scopes.bind(node.target.id, ["e", found] if found else ["u"], scope)

    def _compare(self, node: ast.Compare) -> None:
        left: ast.expr = node.left
        self._any(left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            inside = isinstance(operator, ast.In | ast.NotIn)
            self._any(right, ["in", constant(left)] if inside else "r")
            left = right

    def _comprehension(self, node: Any) -> None:
        self._any(node.generators[0].iter)
        iterated = self._encoder.encode(node.generators[0].iter)
        parent = self._scopes.open("g", "", node.lineno)
        for number, generator in enumerate(node.generators):
            if number:
                self._any(generator.iter)
            self._loop(generator.target, iterated if not number else self._encoder.encode(generator.iter), [])
            self._all(generator.ifs)
        for name in ("key", "value", "elt"):
            inner = getattr(node, name, None)
            if inner is not None:
                self._any(inner)
        self._encoder.scope = parent

    def _string(self, node: ast.JoinedStr) -> None:
        first = len(self._refs)
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self._any(value.value)
                if value.format_spec is not None:
                    self._any(value.format_spec)
        if _OLD_STRINGS and len(self._refs) > first:
            self._places.mend(node, self._refs[first:])

    def _chain(self, node: ast.expr, how: Any) -> None:
        """Note a chain of attributes, items and calls by the name that it begins with, and walk what stands within."""
        if type(node) is ast.Name:
            self._note(self._encoder.encode(node), node, how)
            return
        if type(node) is ast.Call and is_attribute_call(node, "setattr", "delattr", "hasattr"):
            self._attribute_call(node)
            return
        root: ast.expr = node
        while True:
            kind = type(root)
            if kind is ast.Attribute:
                root = root.value  # type: ignore[attr-defined]
            elif kind is ast.Call:
                root = self._called(root)  # type: ignore[arg-type]
            elif kind is ast.Subscript:
                self._any(root.slice)  # type: ignore[attr-defined]
                root = root.value  # type: ignore[attr-defined]
            else:
                break
        if kind is ast.Name:
            self._note(self._encoder.encode(node), root, how)
            return
        self._any(root)
        found = self._encoder.encode(node) if kind is not ast.Constant else None
        if found is not None and root_of(found)[0] in "|ln":
            self._refs.append([self._encoder.scope, found, node.lineno, 0, "calls"])

    def _note(self, found: Expression | None, root: ast.expr, how: Any) -> None:
        if found is not None:
            column = self._places.column(root.lineno, root.col_offset)
            self._refs.append([self._encoder.scope, found, root.lineno, column, how])

    def _called(self, node: ast.Call) -> ast.expr:
        """Walk the arguments of a call, and give what is called."""
        if is_attribute_call(node, "getattr"):
            for argument in node.args[2:]:
                self._any(argument)
            return node.args[0]
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None) or ""
        if name == "getattr" and node.args:
            owner = getattr(node.args[0], "id", None)
            if owner in self._scopes.current.get("params", ())[:1]:
                self._scopes.current["dynamic"] = True  # `getattr(self, name)`: any method may be meant
        how = ["pass", name]
        for argument in node.args:
            kind = type(argument)
            if kind is ast.Starred:
                self._any(argument.value)  # type: ignore[attr-defined]
            elif kind is not ast.Constant:
                self._any(argument, how)
        for keyword in node.keywords:
            if type(keyword.value) is not ast.Constant:
                self._any(keyword.value, how if keyword.arg else "r")
        return node.func

    def _attribute_call(self, node: ast.Call) -> None:
        assert isinstance(node.func, ast.Name)
        owner, name, *rest = node.args
        made = ast.Attribute(owner, str(constant(name)), ast.Load(), lineno=node.lineno, col_offset=node.col_offset)
        self._encoder.keep(made)
        self._all(rest)
        self._chain(made, {"setattr": "w", "delattr": "d", "hasattr": "r"}[node.func.id])

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        bindings = self._parameters(node.args)
        for _, binding in bindings:
            if binding[0] == "p":
                binding[3] = False
        self._encoder.lambdas[id(node)] = len(self._scopes.all)
        parent = self._scopes.open("l", "<lambda>", node.lineno)
        self._enter(bindings)
        self._any(node.body, "return")
        returned = self._encoder.encode(node.body)
        self._scopes.current.update(decorators=[], returns=[returned] if returned else [], gives=None, isasync=False)
        self._encoder.scope = parent

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self._any(default)

    def _parameters(self, arguments: ast.arguments) -> list[tuple[str, list[Any]]]:
        """Parameters with default and annotation, as they stand outside the function."""
        positional = [*arguments.posonlyargs, *arguments.args]
        missing = [None] * (len(positional) - len(arguments.defaults))
        pairs = [*zip(positional, [*missing, *arguments.defaults], strict=True)]
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        method = bool(self._scopes.all) and self._scopes.current["kind"] == "c"
        encode, kind = self._encoder.encode, self._encoder.kind
        found = [
            (each.arg, ["p", encode(default), kind(each.annotation), method and at == 0 and bool(positional)])
            for at, (each, default) in enumerate(pairs)
        ]
        found += [(each.arg, ["u"]) for each in (arguments.vararg, arguments.kwarg) if each]
        return found

    def _enter(self, bindings: list[tuple[str, list[Any]]]) -> None:
        self._scopes.current["params"] = [name for name, _ in bindings]
        for name, binding in bindings:
            self._scopes.current["names"][name] = [binding]
