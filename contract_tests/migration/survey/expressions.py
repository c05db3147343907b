"""An expression as plain lists that JSON can keep: what is needed to follow it later, and nothing else.

`["n", name, scope]` a name and where it is bound (-1: nowhere in its module); `["a", e, attribute, default]`;
`["s", e, key]`, key None where it is no constant; `["c", e, arguments, keywords]`; `["|", [e, ...]]` one of these;
`["l", scope]` a lambda; `["k", value]` a constant; `["t", [e, ...]]` a tuple or list; `["x", text]` an empty container.
"""

from __future__ import annotations

import ast
from typing import Any

Expression = list[Any]

# Arguments are kept so deep: `partial(f, 1)` in `LocalProxy(...)`, no more.
_DEEPEST = 2


class Encoder:
    """Makes expressions of trees; `names` has every name made, to be bound when its module has been read."""

    def __init__(self) -> None:
        self.names: list[tuple[Expression, int]] = []
        self.lambdas: dict[int, int] = {}
        self.scope = 0

    def encode(self, node: ast.expr | None, depth: int = 0) -> Expression | None:
        """The expression of a tree; None where it cannot be followed."""
        kind = type(node)  # the two most frequent kinds first, by identity: a pattern takes thrice the time
        if kind is ast.Name:
            name = node.id  # type: ignore[union-attr]
            # `super()` means something else in each class.
            made: Expression = ["n", name, -1, self.scope] if name == "super" else ["n", name, -1]
            self.names.append((made, self.scope))
            return made
        if kind is ast.Attribute:
            inner = self.encode(node.value, depth)  # type: ignore[union-attr]
            return inner and ["a", inner, node.attr, None]  # type: ignore[union-attr]
        match node:
            case ast.Constant(value=value):
                return ["k", value] if isinstance(value, str | int | float | None) else None
            case ast.Call():
                return self._call(node, depth)
            case ast.Subscript(value=owner, slice=key):
                inner = self.encode(owner, depth)
                return inner and ["s", inner, constant(key)]
        return self._other(node, depth)

    def _other(self, node: ast.expr | None, depth: int) -> Expression | None:
        match node:
            case ast.BoolOp(values=values):
                return self._any(values, depth)
            case ast.IfExp(body=one, orelse=other):
                return self._any([one, other], depth)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.encode(value, depth)
            case ast.Lambda():
                return ["l", self.lambdas[id(node)]] if id(node) in self.lambdas else None
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return ["k", -value]
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                if not elements:
                    return ["x", "()" if isinstance(node, ast.Tuple) else "[]"]
                return ["t", [self.encode(each, depth) for each in elements]] if len(elements) <= 100 else None
            case ast.Dict(keys=[]):
                return ["x", "{}"]
        return None

    def _any(self, values: list[ast.expr], depth: int) -> Expression | None:
        found = [each for each in (self.encode(value, depth) for value in values) if each]
        return ["|", found] if found else None

    def _call(self, node: ast.Call, depth: int) -> Expression | None:
        if is_attribute_call(node, "getattr"):
            inner = self.encode(node.args[0], depth)
            default = self.encode(node.args[2], depth + 1) if len(node.args) > 2 else None
            return inner and ["a", inner, constant(node.args[1]), default]
        inner = self.encode(node.func, depth)
        if inner is None or depth >= _DEEPEST:
            return inner and ["c", inner, [], {}]
        arguments = [self.encode(each, depth + 1) for each in node.args[:12]]
        keywords = {each.arg: self.encode(each.value, depth + 1) for each in node.keywords if each.arg}
        return ["c", inner, arguments, keywords]

    def kind(self, node: ast.expr | None) -> Expression | None:
        """The class that an annotation says: through quotes, `Optional`, `| None`."""
        match node:
            case ast.Name() | ast.Attribute():
                return self.encode(node)
            case ast.Constant(value=str(text)) if len(text) < 200:
                try:
                    return self.kind(ast.parse(text.strip(), mode="eval").body)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
            case ast.Subscript(
                value=ast.Name(id="Optional" | "Annotated") | ast.Attribute(attr="Optional" | "Annotated")
            ):
                inner = node.slice
                return self.kind(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                found = [each for each in (self.kind(left), self.kind(right)) if each]
                return ["|", found] if found else None
        return None


def constant(node: ast.expr) -> str | int | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str | int) else None


def is_attribute_call(node: ast.expr, *names: str) -> bool:
    """`getattr(owner, "name")` and its like, which read or write a plain attribute."""
    if type(node) is not ast.Call or type(node.func) is not ast.Name or node.func.id not in names:
        return False
    second = node.args[1] if len(node.args) > 1 else None
    return isinstance(second, ast.Constant) and isinstance(second.value, str)


def root_of(expression: Expression) -> Expression:
    """What a chain of attributes, items and calls begins with."""
    while expression[0] in "asc":
        expression = expression[1]
    return expression


def text_of(expression: Expression | None) -> str:
    """An expression as a reader would write it, briefly."""
    if expression is None:
        return "..."
    kind = expression[0]
    if kind == "n":
        return str(expression[1])
    if kind == "k":
        return repr(expression[1])
    if kind == "a":
        return f"{text_of(expression[1])}.{expression[2]}"
    if kind == "s":
        return f"{text_of(expression[1])}[{'...' if expression[2] is None else repr(expression[2])}]"
    if kind == "c":
        return f"{text_of(expression[1])}()"
    return str(expression[1]) if kind == "x" else "..."


def element_at(element: Expression | None, path: list[int]) -> Expression | None:
    """What stands at a path within written-out tuples."""
    for number in path:
        inside = element[1] if element and element[0] == "t" else []
        element = inside[number] if number < len(inside) else None
    return element
