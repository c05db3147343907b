"""What a view reads of its request: followed through variables, helpers and what they give back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.migration.models.shapes import Shape
from contract_tests.migration.routes.code import Code
from contract_tests.migration.survey.routes import Function

PARTS = ("body", "query", "form", "files", "headers", "cookies")
_MEMBERS = {
    "args": "query", "form": "form", "values": "query", "files": "files", "headers": "headers", "cookies": "cookies",
    "json": "body",
}  # fmt: skip
# What such an argument or call makes of a value.
CASTS = {"int": "int", "float": "float", "str": "str", "bool": "bool", "Decimal": "str", "UUID": "str"}
_DEEPEST = 5
# A header that the protocol reads is no input of a route.
_PROTOCOL = frozenset({"content-type", "content-length", "authorization", "cookie", "host", "user-agent", "accept"})


@dataclass(slots=True)
class Reads:
    """The parts of a request, each an object by its keys."""

    body: Shape = field(default_factory=Shape)
    query: Shape = field(default_factory=Shape)
    form: Shape = field(default_factory=Shape)
    files: Shape = field(default_factory=Shape)
    headers: Shape = field(default_factory=Shape)
    cookies: Shape = field(default_factory=Shape)
    raw: bool = False

    def part(self, name: str) -> Shape:
        found: Shape = getattr(self, name)
        return found


Names = dict[str, Shape]


class Reader:
    """Reads one view."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self.reads = Reads()
        self._parts = {id(self.reads.part(name)): name for name in PARTS}
        self._open: list[Function] = []
        self._texts: set[int] = set()
        # What a helper gives for what it gets: each is followed once.
        self._followed: dict[object, list[Shape]] = {}

    def view(self, function: Function) -> dict[str, Shape]:
        """Go through a view; gives what its names stand for in the end."""
        return self._function(function, {})[0]

    def _function(self, function: Function, names: Names) -> tuple[Names, list[Shape]]:
        node = self._code.node(function)
        if node is None or function in self._open or len(self._open) > _DEEPEST:
            return names, []
        self._open.append(function)
        given: list[Shape] = []
        for statement in node.body:
            self._statement(function, statement, names, given)
        self._open.pop()
        return names, given

    def _statement(self, function: Function, node: ast.stmt, names: Names, given: list[Shape]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        for each in _expressions(node):
            self._expression(function, each, names)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._bind(function, target, node.value, names)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            iterated = self.shape(function, node.iter, names)
            if iterated is not None:
                names[node.target.id] = iterated.item()
        elif isinstance(node, ast.Return) and node.value is not None:
            found = self.shape(function, node.value, names)
            given += [found] if found is not None else []
        for below in _statements(node):
            self._statement(function, below, names, given)

    def _bind(self, function: Function, target: ast.expr, value: ast.expr, names: Names) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                self._bind(function, one, other, names)
        elif isinstance(target, ast.Name):
            found = self.shape(function, value, names)
            if found is not None:
                names[target.id] = found

    def _expression(self, function: Function, node: ast.expr, names: Names) -> None:
        """Note every read in an expression, and follow what it calls."""
        for each in ast.walk(node):
            if isinstance(each, ast.comprehension) and isinstance(each.target, ast.Name):
                iterated = self.shape(function, each.iter, names)
                if iterated is not None:
                    names[each.target.id] = iterated.item()
        for each in ast.walk(node):
            if isinstance(each, ast.NamedExpr):
                self._bind(function, each.target, each.value, names)
            if isinstance(each, ast.Call | ast.Subscript):
                self.shape(function, each, names)
            if isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.In | ast.NotIn):
                owner, key = self.shape(function, each.comparators[0], names), _text(each.left)
                if owner is not None and key:
                    owner.field(key).optional = owner.field(key).tested = True
            if isinstance(each, ast.Call):
                self._cast(function, each, names)

    def _cast(self, function: Function, call: ast.Call, names: Names) -> None:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in CASTS and len(call.args) == 1:
            found = self.shape(function, call.args[0], names)
            if found is not None and not found.is_object:
                # What comes as text is what it is made.
                found.kinds -= {"str"} if id(found) in self._texts else set()
                found.kinds.add(CASTS[name])
        elif name == "isinstance" and len(call.args) == 2:
            found = self.shape(function, call.args[0], names)
            for each in ast.walk(call.args[1]) if found is not None else ():
                if found is not None and isinstance(each, ast.Name) and each.id in CASTS:
                    found.kinds.add(CASTS[each.id])

    # What an expression is, of the request

    def shape(self, function: Function, node: ast.expr, names: Names) -> Shape | None:
        """The part of the request that an expression gives; None where it is none."""
        if isinstance(node, ast.Name):
            return names.get(node.id)
        if isinstance(node, ast.BoolOp):
            found = [each for each in (self.shape(function, value, names) for value in node.values) if each is not None]
            return found[0] if found else None
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.shape(function, node.value, names)
        if isinstance(node, ast.Attribute):
            return self._member(function, node)
        if isinstance(node, ast.Subscript):
            owner = self.shape(function, node.value, names)
            if owner is None:
                return None
            key = _text(node.slice)
            return self._field(owner, key) if key else owner.item() if _is_index(node.slice) else None
        return self._called(function, node, names) if isinstance(node, ast.Call) else None

    def _member(self, function: Function, node: ast.Attribute) -> Shape | None:
        if node.attr in ("data", "stream") and self._is_request(function, node.value):
            self.reads.raw = True
        part = _MEMBERS.get(node.attr)
        return self.reads.part(part) if part and self._is_request(function, node.value) else None

    def _is_request(self, function: Function, node: ast.expr) -> bool:
        return any(each[:2] == ("P", "request") and not each[2] for each in self._code.of(*function, node))

    def _called(self, function: Function, call: ast.Call, names: Names) -> Shape | None:
        if isinstance(call.func, ast.Attribute):
            name = call.func.attr
            if name == "get_json" and self._is_request(function, call.func.value):
                return self.reads.body
            if name in ("get_data", "read") and self._is_request(function, call.func.value):
                self.reads.raw = True
            owner = self.shape(function, call.func.value, names)
            if owner is not None:
                return self._by_method(owner, name, call)
        return self._helper(function, call, names)

    def _by_method(self, owner: Shape, name: str, call: ast.Call) -> Shape | None:
        key = _text(call.args[0]) if call.args else None
        if name in ("get", "pop", "getlist", "get_all") and key:
            return self._field(owner, key, call)
        if name == "to_dict" or name == "copy":
            return owner
        return None

    def _field(self, owner: Shape, key: str, call: ast.Call | None = None) -> Shape:
        part = self._parts.get(id(owner))
        if part == "headers" and key.lower() in _PROTOCOL:
            return Shape()
        known = key in owner.fields
        found = owner.field(key)
        if part not in (None, "body") and part != "files" and not found.shape.kinds:
            found.shape.kinds.add("str")
            self._texts.add(id(found.shape))
        if call is None:
            # One place that needs it is enough.
            found.optional &= found.tested or found.many
            return found.shape
        name = getattr(call.func, "attr", "")
        default = call.args[1] if len(call.args) > 1 else _keyword(call, "default")
        kind = _keyword(call, "type")
        if name in ("getlist", "get_all"):
            found.many = found.optional = True
            kinds = {CASTS[kind.id]} if isinstance(kind, ast.Name) and kind.id in CASTS else {"str"}
            found.shape.kinds.clear()
            found.shape.item().kinds |= kinds
            return found.shape
        if name != "pop" or default is not None:
            found.optional = found.optional or not known
        self._defaulted(owner, key, default)
        if isinstance(kind, ast.Name) and kind.id in CASTS:
            found.shape.kinds = {CASTS[kind.id]}
        return found.shape

    @staticmethod
    def _defaulted(owner: Shape, key: str, default: ast.expr | None) -> None:
        found = owner.fields[key]
        if isinstance(default, ast.Constant) and default.value is not None:
            found.default = ast.unparse(default) if not isinstance(default.value, str) else _quoted(default.value)
            kind = type(default.value).__name__
            if kind in CASTS and not found.shape.kinds - {"str"}:
                found.shape.kinds = {kind} if not found.shape.kinds or kind != "str" else found.shape.kinds
        elif isinstance(default, ast.List | ast.Dict) and not (
            getattr(default, "elts", None) or getattr(default, "keys", None)
        ):
            found.default = ast.unparse(default)
            if isinstance(default, ast.List):
                found.shape.item()
            else:
                found.shape.is_object = True

    def _helper(self, function: Function, call: ast.Call, names: Names) -> Shape | None:
        """Follow a call into a function of the code, with what it is given."""
        for callee in self._code.functions(*function, call.func):
            node = self._code.node(callee)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            inner: Names = {}
            parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
            parameters = parameters[1:] if parameters[:1] in (["self"], ["cls"]) else parameters
            given = [*zip(parameters, call.args, strict=False)]
            given += [(each.arg, each.value) for each in call.keywords if each.arg]
            for name, argument in given:
                found = self.shape(function, argument, names)
                if found is not None:
                    inner[name] = found
            key = (callee, tuple(sorted((name, id(each)) for name, each in inner.items())))
            if key not in self._followed:
                self._followed[key] = []
                self._followed[key] = self._function(callee, inner)[1]
            returned = self._followed[key]
            if returned:
                return returned[0]
        return None


def _expressions(node: ast.stmt) -> Iterator[ast.expr]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.expr):
            yield each
        elif isinstance(each, ast.withitem):
            yield each.context_expr


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(node, name, ())
    for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from handler.body


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_index(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
