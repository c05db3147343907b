"""One module, read once: its scopes, what names are bound to, and each place where a chain of names is used.

A summary is plain lists and dicts, depends on the file's content alone, and so can be kept. `scopes` has a dict each:
`kind` (m module, c class, f function, l lambda, g comprehension), `parent`, `name`, `line`, `names` (its bindings), and
for functions and classes what they are made of. `refs` has `[scope, expression, line, column, how]`.
"""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any

from contract_tests.migration.survey.known import REGISTERS
from contract_tests.migration.survey.expressions import Encoder, Expression, constant, is_attribute_call, root_of

Summary = dict[str, Any]
_BUILTINS = frozenset(dir(builtins)) - {"super", "setattr", "delattr", "hasattr", "vars", "map", "filter", "property"}
_CHAINS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
_OLD_STRINGS = sys.version_info < (3, 12)


def summarize(raw: bytes, name: str) -> Summary:
    """The summary of a module's bytes. Raises SyntaxError, ValueError, RecursionError or MemoryError as ast does."""
    tree = ast.parse(raw, filename=name)
    return Walker(raw).of(tree)


class Walker:
    """Walks a module's tree once."""

    def __init__(self, raw: bytes) -> None:
        self._encoder = Encoder()
        self._scopes: list[dict[str, Any]] = []
        self._refs: list[list[Any]] = []
        self._typing = False
        self._lines: list[bytes] = []
        self._ascii = raw.isascii()
        self._raw = raw
        self._exports: list[str] | None = None
        self._visit = {
            ast.FunctionDef: self._function, ast.AsyncFunctionDef: self._function, ast.ClassDef: self._class,
            ast.Lambda: self._lambda, ast.Assign: self._assign, ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented, ast.For: self._for, ast.AsyncFor: self._for, ast.With: self._with,
            ast.AsyncWith: self._with, ast.Import: self._import, ast.ImportFrom: self._from, ast.Global: self._global,
            ast.Nonlocal: self._nonlocal, ast.Delete: self._delete, ast.Return: self._return, ast.If: self._if,
            ast.ExceptHandler: self._handler, ast.NamedExpr: self._walrus, ast.Compare: self._compare,
            ast.JoinedStr: self._string, ast.MatchAs: self._capture, ast.MatchStar: self._capture,
            ast.MatchMapping: self._mapping, ast.BinOp: self._binary, ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension, ast.DictComp: self._comprehension, ast.GeneratorExp: self._comprehension,
        }  # fmt: skip

    def of(self, tree: ast.Module) -> Summary:
        self._open("m", "", 0)
        self._all(tree.body)
        self._bind_names()
        kept, loose = self._kept()
        for scope in self._scopes:
            if scope["kind"] in "flg":
                names = scope["names"]
                scope["names"] = {name: found for name, found in names.items() if any(each != ["u"] for each in found)}
        return {"scopes": self._scopes, "refs": kept, "loose": loose, "all": self._exports}

    # Scopes and bindings

    def _open(self, kind: str, name: str, line: int) -> int:
        parent = self._encoder.scope if self._scopes else -1
        self._scopes.append({"kind": kind, "parent": parent, "name": name, "line": line, "names": {}})
        self._encoder.scope = len(self._scopes) - 1
        return parent

    @property
    def _scope(self) -> dict[str, Any]:
        return self._scopes[self._encoder.scope]

    def _bind(self, name: str, binding: list[Any], at: int | None = None) -> None:
        number = self._encoder.scope if at is None else at
        scope = self._scopes[number]
        if name in scope.get("global", ()):
            number = 0
        elif name in scope.get("nonlocal", ()):
            number = self._outer_function(number)
        self._scopes[number]["names"].setdefault(name, []).append(binding)

    def _outer_function(self, number: int) -> int:
        number = self._scopes[number]["parent"]
        while self._scopes[number]["kind"] in "cg":
            number = self._scopes[number]["parent"]
        return number

    def _target(self, target: ast.expr, value: ast.expr | None, binding: list[Any] | None = None) -> None:
        """Bind what an assignment, loop or `with` gives to a target."""
        match target:
            case ast.Name(id=name):
                found = None if value is None else self._encoder.encode(value)
                self._bind(name, binding or (["e", found] if found else ["u"]))
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                self._chain(target, "w")
                self._own(owner, name, value)
            case ast.Attribute() | ast.Subscript():
                self._chain(target, "w")
            case ast.Starred(value=inner):
                self._target(inner, None)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values: list[ast.expr | None] = [None] * len(targets)
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                    if not any(isinstance(each, ast.Starred) for each in (*targets, *value.elts)):
                        values = list(value.elts)
                for each, given in zip(targets, values, strict=True):
                    self._target(each, given)

    def _own(self, owner: str, name: str, value: ast.expr | None) -> None:
        """`self.name = value` in a method is an attribute of its class."""
        scope = self._scope
        if scope["kind"] == "f" and scope["params"][:1] == [owner] and self._scopes[scope["parent"]]["kind"] == "c":
            found = self._encoder.encode(value) if value is not None else None
            own = self._scopes[scope["parent"]].setdefault("own", {})
            own.setdefault(name, []).append(["e", found] if found else ["u"])

    def _bind_names(self) -> None:
        """Say of each name where it is bound, by Python's rule: a class's names are seen in its own body only."""
        found: dict[tuple[int, str], int] = {}
        for made, scope in self._encoder.names:
            key = (scope, made[1])
            if key not in found:
                found[key] = self._where(*key)
            made[2] = found[key]

    def _where(self, scope: int, name: str) -> int:
        current = scope
        while current >= 0:
            each = self._scopes[current]
            if name in each.get("global", ()):
                return 0 if name in self._scopes[0]["names"] else -1
            if name in each["names"] and (current == scope or each["kind"] != "c"):
                return current
            current = each["parent"]
        return -1

    # What is kept

    def _kept(self) -> tuple[list[list[Any]], list[list[Any]]]:
        """The uses that may mean something elsewhere, and the calls on what nothing is known of."""
        memo: dict[tuple[int, str], bool] = {}
        stars = "stars" in self._scopes[0] or any("stars" in scope for scope in self._scopes)
        kept, loose = [], []
        for ref in self._refs:
            called = _called_name(ref[1])
            # An app that is a parameter is not known, and what is registered with it is.
            if called in REGISTERS or self._may_mean(ref[1], stars, memo):
                kept.append(ref)
            elif called:
                loose.append([ref[0], called, ref[2], ref[3]])
        return kept, loose

    def _may_mean(self, expression: Expression, stars: bool, memo: dict[tuple[int, str], bool]) -> bool:
        root = root_of(expression)
        if root[0] == "|":
            return any(self._may_mean(each, stars, memo) for each in root[1])
        if root[0] != "n":
            return bool(root[0] == "l")
        name, scope = root[1], root[2]
        if scope == -1:
            return name not in _BUILTINS if not stars else True
        if (scope, name) not in memo:
            memo[scope, name] = False
            bindings = self._scopes[scope]["names"][name]
            memo[scope, name] = scope == 0 or any(self._is_known(each, stars, memo) for each in bindings)
        return memo[scope, name]

    def _is_known(self, binding: list[Any], stars: bool, memo: dict[tuple[int, str], bool]) -> bool:
        kind = binding[0]
        if kind == "p":
            return bool(binding[3] or any(each and self._may_mean(each, stars, memo) for each in binding[1:3]))
        if kind in "ewh":
            return self._may_mean(binding[1], stars, memo)
        return bool(kind != "u")

    # Statements

    def _all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self._any(node)

    def _any(self, node: ast.AST, how: Any = "r") -> None:
        kind = type(node)
        if kind in _CHAINS:
            self._chain(node, how)  # type: ignore[arg-type]
            return
        visit = self._visit.get(kind)
        if visit is not None:
            visit(node)  # type: ignore[operator]
            return
        if kind is ast.Constant:
            return
        if kind is ast.BoolOp or kind is ast.IfExp or kind is ast.Await:
            self._branches(node, how)
            return
        for name in node._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                for each in value:
                    if isinstance(each, ast.AST):
                        self._any(each)
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
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

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        mark = self._decorators(node)
        decorators = [self._encoder.encode(each) for each in node.decorator_list]
        self._defaults(node.args)
        number = mark[1] = len(self._scopes)
        self._bind(node.name, ["d", number])
        bindings = self._parameters(node.args)
        returns = self._encoder.kind(node.returns)
        parent = self._open("f", node.name, node.lineno)
        self._scope.update(
            decorators=decorators, returns=[], gives=returns, isasync=isinstance(node, ast.AsyncFunctionDef)
        )
        self._enter(bindings)
        self._all(node.body)
        self._encoder.scope = parent

    def _decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[Any]:
        """Walk decorators; gives the mark that says what they decorate, once its number is known."""
        mark: list[Any] = ["decorates", 0]
        for each in node.decorator_list:
            self._any(each, mark)
        return mark

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
        method = bool(self._scopes) and self._scope["kind"] == "c"
        encode, kind = self._encoder.encode, self._encoder.kind
        found = [
            (each.arg, ["p", encode(default), kind(each.annotation), method and at == 0 and bool(positional)])
            for at, (each, default) in enumerate(pairs)
        ]
        found += [(each.arg, ["u"]) for each in (arguments.vararg, arguments.kwarg) if each]
        return found

    def _enter(self, bindings: list[tuple[str, list[Any]]]) -> None:
        self._scope["params"] = [name for name, _ in bindings]
        for name, binding in bindings:
            self._scope["names"][name] = [binding]

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        bindings = self._parameters(node.args)
        for name, binding in bindings:
            if binding[0] == "p":
                binding[3] = False
        self._encoder.lambdas[id(node)] = len(self._scopes)
        parent = self._open("l", "<lambda>", node.lineno)
        self._enter(bindings)
        self._any(node.body, "return")
        returned = self._encoder.encode(node.body)
        self._scope.update(decorators=[], returns=[returned] if returned else [], gives=None, isasync=False)
        self._encoder.scope = parent

    def _class(self, node: ast.ClassDef) -> None:
        mark = self._decorators(node)
        self._all(node.bases)
        self._all(node.keywords)
        bases = [self._encoder.encode(each.value if isinstance(each, ast.Subscript) else each) for each in node.bases]
        decorators = [self._encoder.encode(each) for each in node.decorator_list]
        mark[1] = len(self._scopes)
        self._bind(node.name, ["d", mark[1]])
        parent = self._open("c", node.name, node.lineno)
        self._scope.update(bases=bases, decorators=decorators)
        self._all(node.body)
        self._encoder.scope = parent

    def _assign(self, node: ast.Assign) -> None:
        value = node.value
        for target in node.targets:
            if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple | ast.List):
                for each in value.elts:
                    self._any(each, "=")
                break
        else:
            self._any(value, "=")
        if self._encoder.scope == 0 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            self._export(value)
        for target in node.targets:
            self._target(target, value)

    def _export(self, value: ast.expr) -> None:
        added = _strings(value)
        self._exports = None if added is None else [*(self._exports or []), *added]

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._any(node.value, "=")
        kind = self._encoder.kind(node.annotation)
        if isinstance(node.target, ast.Name):
            if node.value is None:
                self._bind(node.target.id, ["h", kind] if kind else ["u"])
            else:
                self._target(node.target, node.value)
                if kind and self._scope["names"].get(node.target.id, [["u"]])[-1] == ["u"]:
                    self._bind(node.target.id, ["h", kind])
                if self._encoder.scope == 0 and node.target.id == "__all__":
                    self._export(node.value)
        else:
            self._target(node.target, node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        self._any(node.value)
        if isinstance(node.target, ast.Name):
            if self._encoder.scope == 0 and node.target.id == "__all__" and self._exports is not None:
                self._export(node.value)
            self._chain(node.target, "u")
            self._bind(node.target.id, ["u"])
        else:
            self._chain(node.target, "u")

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._any(node.iter)
        self._target(node.target, None)
        self._all(node.body)
        self._all(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._any(item.context_expr, "enter")
            if item.optional_vars is not None:
                found = self._encoder.encode(item.context_expr)
                self._target(item.optional_vars, None, ["w", found] if found else None)
        self._all(node.body)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._imported(name, ["i", alias.name if alias.asname else name])

    def _from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._scope.setdefault("stars", []).append([node.level, node.module or ""])
            else:
                self._imported(alias.asname or alias.name, ["f", node.level, node.module or "", alias.name])

    def _imported(self, name: str, binding: list[Any]) -> None:
        self._bind(name, ["T", binding] if self._typing else binding)

    def _if(self, node: ast.If) -> None:
        self._any(node.test)
        typing = "TYPE_CHECKING" in (getattr(node.test, "id", None), getattr(node.test, "attr", None))
        before, self._typing = self._typing, self._typing or typing
        self._all(node.body)
        self._typing = before
        self._all(node.orelse)

    def _global(self, node: ast.Global) -> None:
        self._scope.setdefault("global", []).extend(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.setdefault("nonlocal", []).extend(node.names)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            for each in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                if isinstance(each, ast.Name):
                    self._bind(each.id, ["u"]) if self._scope["kind"] in "fl" else None
                elif isinstance(each, ast.Attribute | ast.Subscript):
                    self._chain(each, "d")

    def _return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        self._any(node.value, "return")
        found = self._encoder.encode(node.value)
        if found and "returns" in self._scope:
            self._scope["returns"].append(found)

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._any(node.type)
        if node.name:
            self._bind(node.name, ["u"])
        self._all(node.body)

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, ["u"])
        if isinstance(node, ast.MatchAs) and node.pattern is not None:
            self._any(node.pattern)

    def _mapping(self, node: ast.MatchMapping) -> None:
        self._all(node.keys)
        self._all(node.patterns)
        if node.rest:
            self._bind(node.rest, ["u"])

    # Expressions

    def _walrus(self, node: ast.NamedExpr) -> None:
        self._any(node.value, "=")
        scope = self._encoder.scope
        found = self._encoder.encode(node.value)
        while self._scopes[scope]["kind"] == "g":
            scope = self._scopes[scope]["parent"]
        self._bind(node.target.id, ["e", found] if found else ["u"], scope)

    def _compare(self, node: ast.Compare) -> None:
        left: ast.expr = node.left
        self._any(left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            inside = isinstance(operator, ast.In | ast.NotIn)
            self._any(right, ["in", constant(left)] if inside else "r")
            left = right

    def _comprehension(self, node: Any) -> None:
        self._any(node.generators[0].iter)
        parent = self._open("g", "", node.lineno)
        for number, generator in enumerate(node.generators):
            if number:
                self._any(generator.iter)
            self._target(generator.target, None)
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
            self._mend(node, first)

    def _mend(self, node: ast.JoinedStr, first: int) -> None:
        """Before Python 3.12 the places within a string are not always right: look the name up where it must stand."""
        at = (node.lineno, node.col_offset)
        for ref in self._refs[first:]:
            name = root_of(ref[1])
            if name[0] != "n":
                continue
            word = name[1].encode()
            line = self._line(ref[2])
            column = self._bytes(line, ref[3] - 1)
            if (ref[2], column) >= at and line[column : column + len(word)] == word:
                continue
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                line = self._line(number)
                found = _word(line, word, node.col_offset if number == node.lineno else 0)
                if found >= 0:
                    ref[2], ref[3] = number, self._column(number, found)
                    break

    def _bytes(self, line: bytes, column: int) -> int:
        return column if self._ascii else len(line.decode("utf-8", "replace")[:column].encode())

    def _line(self, number: int) -> bytes:
        if not self._lines:
            self._lines = self._decoded().splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else b""

    def _decoded(self) -> bytes:
        """The source in UTF-8, as offsets in a tree count it."""
        if self._ascii:
            return self._raw
        import io
        import tokenize

        encoding, _ = tokenize.detect_encoding(io.BytesIO(self._raw).readline)
        return self._raw.decode(encoding).encode()

    def _column(self, line: int, offset: int) -> int:
        return offset + 1 if self._ascii else len(self._line(line)[:offset].decode("utf-8", "replace")) + 1

    def _chain(self, node: ast.expr, how: Any) -> None:
        """Note a chain of attributes, items and calls by the name that it begins with, and walk what stands within."""
        if is_attribute_call(node, "setattr", "delattr", "hasattr"):
            self._attribute_call(node)  # type: ignore[arg-type]
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
        found = self._encoder.encode(node)
        if isinstance(root, ast.Name):
            if found is not None:
                self._refs.append(
                    [self._encoder.scope, found, root.lineno, self._column(root.lineno, root.col_offset), how]
                )
            return
        self._any(root)
        if found is not None and root_of(found)[0] in ("|", "l", "n") and not isinstance(root, ast.Constant):
            self._refs.append([self._encoder.scope, self._encoder.encode(node), node.lineno, 0, "calls"])

    def _called(self, node: ast.Call) -> ast.expr:
        """Walk the arguments of a call, and give what is called."""
        if is_attribute_call(node, "getattr"):
            for argument in node.args[2:]:
                self._any(argument)
            return node.args[0]
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None) or ""
        if name == "getattr" and node.args and getattr(node.args[0], "id", None) in self._scope.get("params", ())[:1]:
            self._scope["dynamic"] = True  # `getattr(self, name)`: any method may be meant
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._any(argument.value)
            else:
                self._any(argument, ["pass", name])
        for keyword in node.keywords:
            self._any(keyword.value, ["pass", name] if keyword.arg else "r")
        return node.func

    def _attribute_call(self, node: ast.Call) -> None:
        assert isinstance(node.func, ast.Name)
        owner, name, *rest = node.args
        made = ast.Attribute(owner, str(constant(name)), ast.Load(), lineno=node.lineno, col_offset=node.col_offset)
        self._all(rest)
        self._chain(made, {"setattr": "w", "delattr": "d", "hasattr": "r"}[node.func.id])


def _called_name(expression: Expression) -> str:
    """The method or function that the last call of a chain calls."""
    while expression[0] in "as":
        expression = expression[1]
    if expression[0] != "c":
        return ""
    callee = expression[1]
    return str(callee[2]) if callee[0] == "a" else str(callee[1]) if callee[0] == "n" else ""


def _word(line: bytes, word: bytes, start: int) -> int:
    """Where a word stands in a line, not as a part of a longer one."""
    at = line.find(word, start)
    while at >= 0:
        around = line[max(at - 1, 0) : at] + line[at + len(word) : at + len(word) + 1]
        if not any(chr(byte).isalnum() or byte in b"_" for byte in around) and line[max(at - 1, 0) : at] != b".":
            return at
        at = line.find(word, at + 1)
    return -1


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    found = [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return found if len(found) == len(node.elts) else None
