"""Flask-AppBuilder's views and APIs: `@expose` in a class, and the prefix that its registration gives it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from contract_tests.migration.routes.code import Code, Definition
from contract_tests.migration.routes.owners import keyword, texts
from contract_tests.migration.routes.written import Written
from contract_tests.migration.survey.routes import Function

_REGISTERS = ("add_view", "add_view_no_menu", "add_api")
# Outside classes that bring no routes of their own.
_BARE = ("flask_appbuilder.BaseView", "flask_appbuilder.api.BaseApi", "flask_appbuilder.baseviews.BaseView")
# The class that views and APIs have in common.
_ABOVE_BOTH = ("flask_appbuilder.baseviews.AbstractViewApi", "flask_appbuilder.AbstractViewApi")


@dataclass(frozen=True, slots=True)
class Exposed:
    """A rule of a registered class: its method's function, and the class that is registered."""

    methods: tuple[str, ...]
    path: str
    function: Function
    cls: Function
    decorators: tuple[tuple[int, int, ast.expr], ...]


class Exposing:
    """Finds what `appbuilder.add_view(Class)` and its like register."""

    def __init__(self, code: Code, written: Written) -> None:
        self._code = code
        self._written = written
        # Registered classes with routes that the source does not tell, and why.
        self.untold: list[str] = []

    def routes(self) -> Iterator[Exposed]:
        done: set[Function] = set()
        for module in self._code.modules:
            for scope, call in self._code.tree(module).calls:
                name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
                for cls in self._code.classes(module, scope, call.args[0]) if name in _REGISTERS and call.args else ():
                    if cls not in done:
                        done.add(cls)
                        yield from self._of(cls, self._code.place(module, call.lineno))

    def _of(self, cls: Function, place: str) -> Iterator[Exposed]:
        above = self._code.world.ancestors(("C", *cls))
        names = [self._full(each) for each in above]
        if not any(name.startswith("flask_appbuilder.") for name in names):
            if any(name.startswith("flask_admin.") for name in names):
                self.untold.append(f"{place} (flask-admin: {self._code.name(cls)})")
            return
        outside = [str(each[1]) for each in above if each[0] == "O" and str(each[1]).startswith("flask_appbuilder.")]
        if any(each not in _BARE for each in outside):
            self.untold.append(f"{place} ({self._code.name(cls)}: what it has of {outside[0]})")
        members: dict[str, Function] = {}
        for each in above:
            for name, function in self._members((each[1], each[2])) if each[0] == "C" else ():
                members.setdefault(name, function)
        prefix = self._prefix(cls, is_api=any(name.endswith("Api") and name not in _ABOVE_BOTH for name in names[1:]))
        only, never = self._listed(cls, "include_route_methods"), self._listed(cls, "exclude_route_methods")
        for name, function in members.items():
            node = self._code.node(function)
            if node and name not in never and (not only or name in only):
                yield from self._rules(cls, function, node, prefix, place)

    def _rules(self, cls: Function, function: Function, node: Definition, prefix: str, place: str) -> Iterator[Exposed]:
        scope = self._code.outer(function)
        around = tuple((function[0], scope, each) for each in node.decorator_list if not _is_expose(each))
        for each in node.decorator_list:
            if not (_is_expose(each) and isinstance(each, ast.Call)):
                continue
            given = each.args[0] if each.args else keyword(each, "url")
            rule = self._written.text(function[0], scope, given) if given else "/"
            if rule is None:
                self.untold.append(f"{place} ({self._code.name(cls)}.{node.name})")
                continue
            methods = texts(keyword(each, "methods") or (each.args[1] if len(each.args) > 1 else None)) or ("GET",)
            yield Exposed(tuple(map(str.upper, methods)), prefix + rule, function, cls, around)

    def _full(self, value: tuple[object, ...]) -> str:
        if value[0] == "O":
            return str(value[1])
        return self._code.survey.name((int(str(value[1])), int(str(value[2]))))

    def _members(self, cls: Function) -> Iterator[tuple[str, Function]]:
        for name, bindings in self._code.world.scope(*cls)["names"].items():
            for each in bindings:
                if each[0] == "d" and self._code.world.scope(cls[0], each[1])["kind"] == "f":
                    yield name, (cls[0], each[1])

    def _prefix(self, cls: Function, *, is_api: bool) -> str:
        base = self._text(cls, "route_base")
        if base is not None:
            return base
        name = self._code.name(cls).lower()
        if not is_api:
            return f"/{name}"
        return f"/api/{self._text(cls, 'version') or 'v1'}/{self._text(cls, 'resource_name') or name}"

    def _text(self, cls: Function, name: str) -> str | None:
        return next((self._written.text(*each) for each in self._values(cls, name)), None)

    def _listed(self, cls: Function, name: str) -> tuple[str, ...]:
        return next((texts(node) for _, _, node in self._values(cls, name)), ())

    def _values(self, cls: Function, name: str) -> Iterator[tuple[int, int, ast.expr]]:
        """What a class, or the nearest that it inherits from, says of an attribute; None is as if it said nothing."""
        for each in self._code.world.ancestors(("C", *cls)):
            for value in self._code.tree(each[1]).assigned.get((each[2], name), ()) if each[0] == "C" else ():
                if not (isinstance(value, ast.Constant) and value.value is None):
                    yield each[1], each[2], value


def _is_expose(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return (getattr(called, "attr", None) or getattr(called, "id", "")) == "expose"
