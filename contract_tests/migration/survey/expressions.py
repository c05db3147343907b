"""An expression as plain lists that JSON can keep: what is needed to follow it later, and nothing else.

`["n", name, scope]` a name and where it is bound (-1: nowhere in its module); `["a", e, attribute, default]`;
`["s", e, key]`, key None where it is no constant; `["c", e, arguments, keywords]`; `["|", [e, ...]]` one of these;
`["l", scope]` a lambda; `["k", value]` a constant; `["t", [e, ...]]` a tuple or list; `["x", text]` an empty container.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

Expression = list[Any]

# Of the arguments of a call, so many are kept.
_MOST = 12
_PLAIN = frozenset((str, int, float, bool, type(None)))


class Encoder:
    """Makes expressions of trees: one for each chain, however often it is asked for, and one for a name in a scope.

    A module must be walked from the inside out: what stands within a chain is made before it, and then shared.
    `names` are to be bound when their module has been read. It runs once for each chain of a code base, so kinds are
    told by identity, the most frequent first: patterns and `isinstance` with unions take several times as long.
    """

    def __init__(self) -> None:
        self.lambdas: dict[int, int] = {}
        self._made: dict[int, Expression | None] = {}
        self._alive: list[ast.AST] = []
        self._by_scope: list[dict[str, Expression]] = [{}]
        self._names = self._by_scope[0]
        self._scope = 0
        self._others: dict[type, Callable[[Any], Expression | None]] = {
            ast.BoolOp: lambda node: self._any(node.values),
            ast.IfExp: lambda node: self._any([node.body, node.orelse]),
            ast.NamedExpr: lambda node: self.encode(node.value),
            ast.Await: lambda node: self.encode(node.value),
            ast.Lambda: lambda node: ["l", self.lambdas[id(node)]] if id(node) in self.lambdas else None,
            ast.UnaryOp: self._negative,
            ast.Tuple: self._elements,
            ast.List: self._elements,
            ast.Set: self._elements,
            ast.Dict: lambda node: None if node.keys else ["x", "{}"],
        }

    @property
    def scope(self) -> int:
        """The number of the scope that is walked."""
        return self._scope

    @scope.setter
    def scope(self, number: int) -> None:
        while len(self._by_scope) <= number:
            self._by_scope.append({})
        self._scope, self._names = number, self._by_scope[number]

    @property
    def names(self) -> Iterator[tuple[Expression, int]]:
        """Each name with the scope that uses it."""
        return ((made, scope) for scope, names in enumerate(self._by_scope) for made in names.values())

    def encode(self, node: ast.expr | None) -> Expression | None:
        """The expression of a tree; None where it cannot be followed. The tree must live as long as the encoder."""
        kind: Any = type(node)
        if kind is ast.Name:
            name = node.id  # type: ignore[union-attr]
            made = self._names.get(name)
            if made is None:
                # `super()` means something else in each class.
                made = self._names[name] = ["n", name, -1, self._scope] if name == "super" else ["n", name, -1]
            return made
        if kind is ast.Constant:
            value = node.value  # type: ignore[union-attr]
            return ["k", value] if type(value) in _PLAIN else None
        if kind is ast.Attribute or kind is ast.Call or kind is ast.Subscript:
            number = id(node)
            made = self._made.get(number)
            if made is None:
                made = self._made[number] = self._chain(node, kind)
            return made
        other = self._others.get(kind)
        return other(node) if other else None

    def keep(self, node: ast.AST) -> None:
        """Let a tree live that is no part of the module's own: another one in its place would be taken for it."""
        self._alive.append(node)

    def _chain(self, node: Any, kind: type[ast.expr]) -> Expression | None:
        if kind is ast.Attribute:
            inner = self.encode(node.value)
            return inner and ["a", inner, node.attr, None]
        if kind is ast.Subscript:
            inner = self.encode(node.value)
            return inner and ["s", inner, constant(node.slice)]
        if type(node.func) is ast.Name and is_attribute_call(node, "getattr"):
            inner = self.encode(node.args[0])
            default = self.encode(node.args[2]) if len(node.args) > 2 else None
            return inner and ["a", inner, constant(node.args[1]), default]
        inner = self.encode(node.func)
        if inner is None:
            return None
        arguments = [self.encode(each) for each in node.args[:_MOST]] if node.args else []
        keywords = {each.arg: self.encode(each.value) for each in node.keywords if each.arg}
        return ["c", inner, arguments, keywords]

    def _negative(self, node: ast.UnaryOp) -> Expression | None:
        value = node.operand.value if isinstance(node.operand, ast.Constant) else None
        return ["k", -value] if type(node.op) is ast.USub and isinstance(value, (int, float)) else None

    def _elements(self, node: ast.Tuple | ast.List | ast.Set) -> Expression | None:
        if not node.elts:
            return ["x", "()" if isinstance(node, ast.Tuple) else "[]"]
        return ["t", [self.encode(each) for each in node.elts]] if len(node.elts) <= 100 else None

    def _any(self, values: list[ast.expr]) -> Expression | None:
        found = [each for each in map(self.encode, values) if each]
        return ["|", found] if found else None

    def kind(self, node: ast.expr | None) -> Expression | None:
        """The class that an annotation says: through quotes, `Optional`, `| None`."""
        match node:
            case ast.Name() | ast.Attribute():
                return self.encode(node)
            case ast.Constant(value=str(text)) if len(text) < 200:
                try:
                    tree = ast.parse(text.strip(), mode="eval").body
                    self.keep(tree)
                    return self.kind(tree)
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
