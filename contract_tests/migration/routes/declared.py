"""The routes that some code declares, in Flask and in FastAPI: one for each method and path."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.migration.routes.code import Code, Definition, Variable
from contract_tests.migration.routes.exposed import Exposing
from contract_tests.migration.routes.owners import (
    FLASK,
    RESOURCES,
    Link,
    Owner,
    Owners,
    Place,
    keyword,
    mounts_above,
    text,
    texts,
)
from contract_tests.migration.routes.paths import METHODS, joined
from contract_tests.migration.routes.written import Meant, Written
from contract_tests.migration.survey.routes import Function

_VERBS = tuple(method.lower() for method in METHODS)
_ADDED = {"add_url_rule": "view_func", "add_api_route": "endpoint", "add_route": "endpoint"}


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path. `wrapped` are the expressions of decorators that run around the function, with their scope.

    `chain` and `links` say what stands around it, the outermost first; `automatic` are the methods that the framework
    answers by itself; `reached` is false for a router that hangs in no app; `call` is the call that declares it.
    """

    method: str
    path: str
    function: Function | None
    place: str
    endpoint: str = ""
    cls: Function | None = None
    module: int = 0
    scope: int = 0
    call: ast.Call | None = field(default=None, hash=False, compare=False)
    wrapped: tuple[tuple[int, int, ast.expr], ...] = field(default=(), hash=False, compare=False)
    chain: tuple[Owner, ...] = field(default=(), hash=False, compare=False)
    links: tuple[Link, ...] = field(default=(), hash=False, compare=False)
    automatic: tuple[str, ...] = ()
    reached: bool = True
    strict: bool = True
    asked: tuple[Function, ...] = field(default=(), hash=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(slots=True)
class _Told:
    """A registration, before it is spread over methods and places."""

    rule: str
    methods: tuple[str, ...]
    function: Function | None
    call: ast.Call
    module: int
    scope: int
    line: int
    endpoint: str = ""
    cls: Function | None = None
    wrapped: tuple[tuple[int, int, ast.expr], ...] = ()
    place: str = ""


class Declared:
    """Finds the routes of both frameworks in some code."""

    def __init__(self, code: Code, owners: Owners) -> None:
        self._code = code
        self._owners = owners
        self._written = Written(code)
        # Rules that are made as the code runs: told, not hidden.
        self.untold: list[str] = []
        self._wired = set(self._find_wired())

    def original(self) -> list[Route]:
        found = self._routes(FLASK)
        found += self._others(found)
        return once(found)

    def port(self) -> list[Route]:
        return once(self._routes(("fastapi", "router")))

    def _routes(self, kinds: tuple[str, ...]) -> list[Route]:
        found: list[Route] = []
        for module in self._code.modules:
            tree = self._code.tree(module)
            for number, node in tree.definitions.items():
                for told, owner in self._decorated(module, number, node):
                    found += self._spread(told, owner) if owner.kind in kinds else []
            for scope, call in tree.calls:
                for told, owner in self._called(module, scope, call):
                    found += self._spread(told, owner) if owner.kind in kinds else []
        return found

    def _spread(self, told: _Told, owner: Owner) -> Iterator[Route]:
        for place in self._owners.places(owner):
            wrapped = (*told.wrapped, *_around(place))
            automatic = self._automatic(told, place)
            for method in told.methods:
                yield Route(
                    method, self._path(place, told.rule, owner), told.function,
                    told.place or self._code.place(told.module, told.line), told.endpoint, told.cls, told.module,
                    told.scope, told.call, wrapped, place.chain, place.links,
                    tuple(each for each in automatic if each == "OPTIONS" or method == "GET"),
                    place.chain[0].kind in ("app", "fastapi") or bool(self._owners.untold),
                    _is_strict(told.call),
                )  # fmt: skip

    @staticmethod
    def _path(place: Place, rule: str, owner: Owner) -> str:
        if owner.kind in FLASK:
            outer = place.prefix
            return (joined(outer, rule) if rule else outer) or "/"
        return (place.prefix + rule) or "/"

    def _automatic(self, told: _Told, place: Place) -> tuple[str, ...]:
        if place.chain[-1].kind in FLASK:
            head = ("HEAD",) if "GET" in told.methods and "HEAD" not in told.methods else ()
            return (*head, "OPTIONS") if "OPTIONS" not in told.methods else head
        return ("HEAD", "OPTIONS") if place.chain[0].variable in self._wired else ()

    def _find_wired(self) -> Iterator[Variable]:
        """The apps that the wire kit's Routing is given to: it answers HEAD and OPTIONS as Flask does."""
        for owner in self._owners.all.values():
            if "Routing" in ast.unparse(owner.call):
                yield owner.variable
        for module in self._code.modules:
            for scope, call in self._code.tree(module).calls:
                made = call.func if isinstance(call.func, ast.Attribute) and call.func.attr == "install" else None
                if made and call.args and "Routing" in ast.unparse(made.value):
                    yield from (owner.variable for owner in self._owners.of(module, scope, call.args[0]))

    # Decorators

    def _decorated(self, module: int, number: int, node: Definition) -> Iterator[tuple[_Told, Owner]]:
        scope = self._code.outer((module, number))
        for position, each in enumerate(node.decorator_list):
            if not (isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)):
                continue
            name = each.func.attr
            if name not in ("route", "api_route", "resource", *_VERBS):
                continue
            for owner in self._owners.of(module, scope, each.func.value):
                if name == "resource" and owner.kind not in RESOURCES:
                    continue
                many: list[ast.expr] = each.args if owner.kind in RESOURCES else each.args[:1]
                for rule in many or (keyword(each, "rule", "path"),):
                    told = self._told(
                        module, scope, each, (name.upper(),) if name in _VERBS else None, node.lineno, rule
                    )
                    if told is None:
                        continue
                    # What stands above the route's own decorator is not around what it registers.
                    told.wrapped = tuple((module, scope, below) for below in node.decorator_list[position + 1 :])
                    if isinstance(node, ast.ClassDef):
                        yield from ((one, owner) for one in self._of_class(told, (module, number)))
                    else:
                        told.function = (module, number)
                        told.endpoint = told.endpoint or node.name
                        yield told, owner

    def _told(
        self,
        module: int,
        scope: int,
        call: ast.Call,
        methods: tuple[str, ...] | None,
        line: int,
        given: ast.expr | None,
    ) -> _Told | None:
        rule = self._written.text(module, scope, given)
        if rule is None:
            self._not_told(module, call.lineno, scope)
            return None
        asked = methods or tuple(each.upper() for each in texts(keyword(call, "methods"))) or ("GET",)
        return _Told(rule, asked, None, call, module, scope, line, text(keyword(call, "endpoint")) or "")

    # Calls

    def _called(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[_Told, Owner]]:
        if isinstance(call.func, ast.Call):
            yield from self._decorating(module, scope, call, call.func)
        elif not isinstance(call.func, ast.Attribute):
            yield from self._listed(module, scope, call)
        elif call.func.attr in _ADDED or call.func.attr == "add_resource":
            owners = self._owners.of(module, scope, call.func.value)
            if not owners and call.func.attr in ("add_url_rule", "add_resource"):
                self._not_told(module, call.lineno, scope)
            for at, made in self._made(module, scope, call) if owners else ():
                # Where a loop goes over owners and rules together, each rule is of one of them.
                own = self._owners.of(module, at, made.func.value) if isinstance(made.func, ast.Attribute) else []
                for owner in [each for each in owners if each in own] or owners:
                    if call.func.attr == "add_resource":
                        yield from ((each, owner) for each in self._resource(module, at, made, owner))
                    else:
                        yield from ((each, owner) for each in self._added(module, at, made, call.func.attr))

    def _made(self, module: int, scope: int, call: ast.Call) -> list[tuple[int, ast.Call]]:
        made = self._written.calls(module, scope, call)
        if made is None:
            self._not_told(module, call.lineno, scope)
        return made or []

    def _not_told(self, module: int, line: int, scope: int) -> None:
        """Note a rule that is made as the code runs; each view, where it is made by a decorator."""
        views = self._written.decorated_by(module, scope)
        places = [
            (self._code.place(each[0], self._code.world.scope(*each)["line"]), self._code.name(each)) for each in views
        ]
        for place in [f"{place} ({name})" for place, name in places] or [self._code.place(module, line)]:
            if place not in self.untold:
                self.untold.append(place)

    def _added(self, module: int, scope: int, call: ast.Call, name: str) -> Iterator[_Told]:
        rule = call.args[0] if call.args else keyword(call, "rule", "path")
        told = self._told(module, scope, call, None, call.lineno, rule)
        if told:
            at = 2 if name == "add_url_rule" else 1
            given = call.args[at] if len(call.args) > at else keyword(call, _ADDED[name])
            named = call.args[1] if at == 2 and len(call.args) > 1 else None
            told.endpoint = told.endpoint or self._written.text(module, scope, named) or ""
            yield from self._viewed(told, given, named=bool(keyword(call, "methods")))

    def _resource(self, module: int, scope: int, call: ast.Call, owner: Owner) -> Iterator[_Told]:
        """`api.add_resource(Todo, "/todos/<id>", "/todo/<id>")` of flask-restful and flask-restx."""
        classes = self._code.classes(module, scope, call.args[0]) if call.args else []
        if owner.kind not in RESOURCES or not classes:
            self._not_told(module, call.lineno, scope)
            return
        for rule in call.args[1:]:
            told = self._told(module, scope, call, None, call.lineno, rule)
            for cls in classes if told else ():
                if told:
                    yield from self._of_class(told, cls)

    def _decorating(self, module: int, scope: int, call: ast.Call, made: ast.Call) -> Iterator[tuple[_Told, Owner]]:
        """`app.route("/x")(view)`, where the decorator is called."""
        name = made.func.attr if isinstance(made.func, ast.Attribute) else ""
        if name not in ("route", *_VERBS) or len(call.args) != 1 or not isinstance(made.func, ast.Attribute):
            return
        for owner in self._owners.of(module, scope, made.func.value):
            for at, each in self._made(module, scope, call):
                inner = each.func if isinstance(each.func, ast.Call) else made
                methods = (name.upper(),) if name in _VERBS else None
                rule = inner.args[0] if inner.args else keyword(inner, "rule", "path")
                told = self._told(module, at, inner, methods, call.lineno, rule)
                if told:
                    yield from ((one, owner) for one in self._viewed(told, each.args[0], named=bool(methods)))

    def _viewed(self, told: _Told, given: ast.expr | None, *, named: bool) -> Iterator[_Told]:
        """What a rule leads to: a function, a class's `as_view()`, either within decorators, or an endpoint's name."""
        node, wrapped = given, []
        while isinstance(node, ast.Call) and not _is_view(node) and node.args:
            wrapped.append((told.module, told.scope, node.func))
            node = node.args[0]
        told.wrapped = tuple(wrapped)
        if isinstance(node, ast.Call) and _is_view(node):
            for cls in self._code.classes(told.module, told.scope, node):
                told.endpoint = told.endpoint or text(node.args[0] if node.args else None) or ""
                yield from self._of_class(told, cls, told.methods if named else None)
            return
        if isinstance(node, Meant):
            functions = [node.function]
            told.place = self._code.place(node.function[0], self._code.world.scope(*node.function)["line"])
        elif node:
            functions = self._code.functions(told.module, told.scope, node)
        else:
            functions = self._by_endpoint(told.endpoint)
        told.function = functions[0] if functions else None
        if told.function:
            told.endpoint = told.endpoint or self._code.name(told.function)
            definition, scope = self._code.node(told.function), self._code.outer(told.function)
            own = definition.decorator_list if definition else ()
            told.wrapped += tuple((told.function[0], scope, each) for each in own)
        yield told

    def _by_endpoint(self, endpoint: str) -> list[Function]:
        """The function of `@app.endpoint("name")`."""
        for module in self._code.modules:
            for number, node in self._code.tree(module).definitions.items():
                for each in node.decorator_list:
                    called = each if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) else None
                    named = called and called.args and ast.unparse(called.func).endswith(".endpoint")
                    if called and named and text(called.args[0]) == endpoint:
                        return [(module, number)]
        return []

    def _of_class(self, told: _Told, cls: Function, named: tuple[str, ...] | None = None) -> Iterator[_Told]:
        """A rule for each method that a class-based view answers."""
        node, around = self._code.node(cls), list(told.wrapped)
        for name in ("decorators", "method_decorators"):
            for value in self._code.tree(cls[0]).assigned.get((cls[1], name), ()):
                elements = value.elts if isinstance(value, ast.List | ast.Tuple) else ()
                around += [(cls[0], self._code.outer(cls), each) for each in elements]
        methods = {verb.upper(): self._code.method(cls, verb) for verb in _VERBS}
        found = {method: function for method, function in methods.items() if function}
        dispatch = self._code.method(cls, "dispatch_request")
        if not found and dispatch:
            declared = self._code.tree(cls[0]).assigned.get((cls[1], "methods"), ())
            asked = named or next((tuple(map(str.upper, texts(each))) for each in declared), ()) or ("GET",)
            found = dict.fromkeys(asked, dispatch)
        for method, function in found.items():
            if named and method not in named:
                continue
            own = self._code.node(function)
            decorators = [(function[0], cls[1], each) for each in own.decorator_list] if own else []
            yield _Told(
                told.rule, (method,), function, told.call, told.module, told.scope,
                own.lineno if own and function[0] == told.module else told.line,
                told.endpoint or (node.name if node else ""), cls, (*around, *decorators),
            )  # fmt: skip

    def _listed(self, module: int, scope: int, call: ast.Call) -> Iterator[tuple[_Told, Owner]]:
        """`Route("/x", endpoint, methods=[...])` in the routes that an app is made with."""
        if getattr(call.func, "id", "") not in ("Route", "APIRoute"):
            return
        for owner in self._owners.all.values():
            prefix = mounts_above(owner.call, call) if owner.variable[0] == module else None
            rule = call.args[0] if call.args else keyword(call, "path")
            told = self._told(module, scope, call, None, call.lineno, rule) if prefix is not None else None
            if told and prefix is not None:
                told.rule = prefix + told.rule
                given = call.args[1] if len(call.args) > 1 else keyword(call, "endpoint")
                yield from ((each, owner) for each in self._viewed(told, given, named=True))

    # What the survey knows of other forms

    def _others(self, known: list[Route]) -> Iterator[Route]:
        """Views of extensions with registrations of their own, and views whose registration is not told."""
        told = {route.function for route in known} | {route.cls for route in known}
        self._own_pages()
        exposing = Exposing(self._code, self._written)
        for each in exposing.routes():
            place = self._code.place(each.function[0], self._code.world.scope(*each.function)["line"])
            for method in each.methods:
                endpoint = f"{self._code.name(each.cls)}.{self._code.name(each.function)}"
                yield Route(
                    method, each.path, each.function, place, endpoint, each.cls, each.function[0],
                    self._code.outer(each.function), wrapped=each.decorators,
                )  # fmt: skip
            told.update((each.function, each.cls))
        self.untold += exposing.untold
        for entry in self._code.survey.entries:
            if entry.kind != "view" or entry.rule is None or (told - {None}) & {*entry.functions, entry.cls}:
                continue
            place = self._code.place(entry.module, entry.line)
            if place in self.untold:
                continue
            # What it hangs in, and so its prefix, is not told.
            self.untold.append(f"{place} ({entry.name})")

    def _own_pages(self) -> None:
        """flask-restx serves its document and a page of it by itself."""
        for owner in self._owners.all.values():
            module, scope, _ = owner.variable
            if owner.kind == "api" and self._code.outside(module, scope, owner.call.func).startswith("flask_restx."):
                self.untold.append(f"{self._code.place(module, owner.call.lineno)} (flask-restx's own pages)")


def _around(place: Place) -> Iterator[tuple[int, int, ast.expr]]:
    """The decorators that an extension's `Api(app, decorators=[...])` puts around all its routes."""
    for owner in place.chain:
        given = keyword(owner.call, "decorators") if owner.kind in RESOURCES else None
        for each in given.elts if isinstance(given, ast.List | ast.Tuple) else ():
            yield owner.variable[0], owner.variable[1], each


def _is_view(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "as_view"


def _is_strict(call: ast.Call) -> bool:
    given = keyword(call, "strict_slashes")
    return not (isinstance(given, ast.Constant) and given.value is False)


def once(routes: list[Route]) -> list[Route]:
    """Each method and path once, the first that is declared: it is the one that answers."""
    found: dict[tuple[str, str, bool], Route] = {}
    for route in routes:
        found.setdefault((route.method, route.path, route.reached), route)
    reached = {(route.method, route.path) for route in found.values() if route.reached}
    kept = [each for each in found.values() if each.reached or (each.method, each.path) not in reached]
    return sorted(kept, key=lambda route: (route.path, METHODS.index(route.method) if route.method in METHODS else 9))
