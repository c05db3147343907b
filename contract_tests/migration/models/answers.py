"""What a view answers: the shapes of its JSON by status, as its returns are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.migration.models.reads import CASTS, Reader
from contract_tests.migration.models.shapes import CODE, Field, Shape
from contract_tests.migration.routes.code import Code
from contract_tests.migration.routes.owners import walk_own
from contract_tests.migration.survey.routes import Function

_JSON = ("jsonify", "json_response", "dumps")
_OTHER = {
    "render_template": "HTML", "render_template_string": "HTML", "send_file": "a file",
    "send_from_directory": "a file", "redirect": "a redirect", "Response": "a response of its own",
}  # fmt: skip
_GIVES = {"len": "int", "isoformat": "str", "strftime": "str", "format": "str", "join": "str", "strip": "str"}
_GIVES |= {"lower": "str", "upper": "str", "hexdigest": "str", "total_seconds": "float", "count": "int", "sum": "int"}
_DEEPEST = 4


@dataclass(slots=True)
class Answers:
    """JSON by status; what is no JSON by status, in words; the statuses that the view aborts with."""

    json: dict[int, Shape] = field(default_factory=dict)
    other: dict[int, str] = field(default_factory=dict)
    aborts: set[int] = field(default_factory=set)


class Answerer:
    """Reads the returns of one view; `kinds` are those of its path's fields, `names` what the reader left."""

    def __init__(self, code: Code, reader: Reader, kinds: dict[str, str], names: dict[str, Shape]) -> None:
        self._code = code
        self._reader = reader
        self._kinds = kinds
        self._names = names
        self.answers = Answers()
        # What calls and variables give: each is followed once.
        self._followed: dict[object, Shape] = {}

    def view(self, function: Function) -> Answers:
        node = self._code.node(function)
        for each in walk_own(node) if node else ():
            if isinstance(each, ast.Return) and each.value is not None:
                self._answer(function, each.value, 200, _DEEPEST)
            elif isinstance(each, ast.Call) and _name(each) == "abort" and each.args:
                status = _number(each.args[0])
                self.answers.aborts |= {status} if status else set()
        return self.answers

    def _answer(self, function: Function, node: ast.expr, status: int, depth: int) -> None:
        if isinstance(node, ast.Tuple) and node.elts:
            self._answer(
                function, node.elts[0], _number(node.elts[1]) or status if len(node.elts) > 1 else status, depth
            )
        elif isinstance(node, ast.IfExp):
            for each in (node.body, node.orelse):
                self._answer(function, each, status, depth)
        elif isinstance(node, ast.Call):
            self._called(function, node, status, depth)
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            self.answers.other.setdefault(status, "text" if getattr(node, "value", "") != "" else "nothing")
        else:
            shape = self._shape(function, node, depth)
            if shape.is_known:
                self.answers.json.setdefault(status, Shape()).add(shape)
            else:
                self.answers.other.setdefault(status, "what the source does not tell")

    def _called(self, function: Function, call: ast.Call, status: int, depth: int) -> None:
        name = _name(call)
        if name == "make_response" and call.args:
            self._answer(
                function, call.args[0], _number(call.args[1]) or status if len(call.args) > 1 else status, depth
            )
        elif name in _JSON:
            shape = self._jsonified(function, call, depth)
            self.answers.json.setdefault(status, Shape()).add(shape)
            if not shape.is_known:
                self.answers.other.setdefault(status, "JSON that the source does not tell")
        elif name in _OTHER:
            self.answers.other.setdefault(302 if name == "redirect" else status, _OTHER[name])
        else:
            for callee in self._code.functions(*function, call.func) if depth else ():
                for each in self._returns(callee):
                    self._answer(callee, each, status, depth - 1)
                return
            shape = self._shape(function, call, depth)
            if shape.is_known:
                self.answers.json.setdefault(status, Shape()).add(shape)
            else:
                self.answers.other.setdefault(status, "what the source does not tell")

    def _jsonified(self, function: Function, call: ast.Call, depth: int) -> Shape:
        if len(call.args) == 1 and not call.keywords:
            return self._shape(function, call.args[0], depth)
        if call.args:
            made = Shape()
            for each in call.args:
                made.item().add(self._shape(function, each, depth))
            return made
        return self._object(function, [(each.arg, each.value) for each in call.keywords], depth)

    # What an expression is

    def _shape(self, function: Function, node: ast.expr, depth: int) -> Shape:
        if not isinstance(node, ast.Call | ast.Name | ast.Subscript):
            return self._made(function, node, depth)
        key = (function, id(node), depth)
        if key not in self._followed:
            self._followed[key] = Shape()
            self._followed[key] = self._made(function, node, depth)
        copied = Shape()
        copied.add(self._followed[key])
        return copied

    def _made(self, function: Function, node: ast.expr, depth: int) -> Shape:
        made = Shape()
        read = self._reader.shape(function, node, self._names)
        if read is not None:
            found = _copied(read)
            found.kinds |= {"None"} if _may_be_none(node) else set()
            return found
        if isinstance(node, ast.Dict):
            pairs = [(_text(key) if key else None, value) for key, value in zip(node.keys, node.values, strict=True)]
            return self._object(function, pairs, depth)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            made.item()
            for each in node.elts:
                made.item().add(self._shape(function, each, depth))
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            made.item().add(self._shape(function, node.elt, depth))
        elif isinstance(node, ast.Call):
            return self._given(function, node, depth)
        elif isinstance(node, ast.Name):
            return self._variable(function, node, depth)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            return self._stored(function, node.value, depth)
        elif isinstance(node, ast.BoolOp | ast.IfExp):
            for each in node.values if isinstance(node, ast.BoolOp) else (node.body, node.orelse):
                made.add(self._shape(function, each, depth))
        else:
            made.kinds |= _kinds(node)
        return made

    def _object(self, function: Function, pairs: list[tuple[str | None, ast.expr]], depth: int) -> Shape:
        made = Shape(is_object=True)
        for key, value in pairs:
            shape = self._shape(function, value, depth)
            if key is None:
                made.add(shape)
            else:
                made.fields[key] = Field(shape, {CODE})
        return made

    def _given(self, function: Function, call: ast.Call, depth: int) -> Shape:
        name = _name(call)
        if name == "dict" and not call.args:
            return self._object(function, [(each.arg, each.value) for each in call.keywords], depth)
        if name in ("list", "sorted", "tuple") and call.args:
            return self._shape(function, call.args[0], depth)
        kind = CASTS.get(name) or _GIVES.get(name)
        if kind:
            return Shape({kind})
        made = Shape()
        if depth:
            self._passed(function, call, made, depth)
        for callee in self._code.functions(*function, call.func) if depth else ():
            for each in self._returns(callee):
                made.add(self._shape(callee, each, depth - 1))
        return made

    def _passed(self, function: Function, call: ast.Call, made: Shape, depth: int) -> None:
        """A function that gives back the object it got, and sets keys of it: `enrich(file)`."""
        for callee in self._code.functions(*function, call.func):
            node = self._code.node(callee)
            parameters = [each.arg for each in node.args.args] if isinstance(node, ast.FunctionDef) else []
            for parameter, argument in zip(parameters, call.args, strict=False):
                if node and any(_text_of(each) == parameter for each in self._returns(callee)):
                    made.add(self._shape(function, argument, depth - 1))
                    self._set(callee, parameter, made, depth - 1)

    def _variable(self, function: Function, node: ast.Name, depth: int) -> Shape:
        if node.id in self._kinds:
            return Shape({self._kinds[node.id]})
        made = Shape()
        for module, scope, value in self._code.assigned(*function, node) if depth else ():
            made.add(self._shape((module, scope), value, depth - 1))
        self._set(function, node.id, made, depth)
        return made

    def _set(self, function: Function, name: str, made: Shape, depth: int) -> None:
        """`answer["key"] = value` and `rows.append(value)` after a name was bound."""
        definition = self._code.node(function)
        for each in walk_own(definition) if definition and depth else ():
            if isinstance(each, ast.Assign):
                for target in each.targets:
                    key = _text(target.slice) if isinstance(target, ast.Subscript) else None
                    if key and isinstance(target, ast.Subscript) and _text_of(target.value) == name:
                        made.is_object = True
                        made.fields.setdefault(key, Field(Shape(), {CODE})).shape.add(
                            self._shape(function, each.value, depth - 1)
                        )
            elif isinstance(each, ast.Call) and each.args and ast.unparse(each.func) == f"{name}.append":
                made.item().add(self._shape(function, each.args[0], depth - 1))

    def _stored(self, function: Function, name: ast.Name, depth: int) -> Shape:
        """What is kept in a dict or list of the module or of the factory: `users[1] = {...}`."""
        made = Shape()
        variable = self._code.variable(*function, name)
        for number, definition in self._code.tree(variable[0]).definitions.items() if variable and depth else ():
            for each in walk_own(definition):
                if not isinstance(each, ast.Assign):
                    continue
                for target in each.targets:
                    owner = target.value if isinstance(target, ast.Subscript) else None
                    if variable and owner and self._code.variable(variable[0], number, owner) == variable:
                        made.add(self._shape((variable[0], number), each.value, depth - 1))
        return made

    def _returns(self, function: Function) -> Iterator[ast.expr]:
        node = self._code.node(function)
        for each in walk_own(node) if node else ():
            if isinstance(each, ast.Return) and each.value is not None:
                yield each.value


def _copied(shape: Shape) -> Shape:
    made = Shape()
    made.add(shape)
    for found in made.fields.values():
        found.optional = False
    return made


def _may_be_none(node: ast.expr) -> bool:
    """`data.get("name")`: without a default."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and len(node.args) == 1
        and not any(each.arg == "default" for each in node.keywords)
    )


def _kinds(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {"None" if node.value is None else type(node.value).__name__} & {"None", "bool", "int", "float", "str"}
    if isinstance(node, ast.JoinedStr):
        return {"str"}
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return {"bool"}
    return set()


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _number(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _text_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
