"""What guards a route: hooks, decorators and the view in the original; dependencies and middleware in the port."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from contract_tests.migration.routes.code import Code
from contract_tests.migration.routes.declared import Route
from contract_tests.migration.routes.owners import Owner, Owners, keyword, text
from contract_tests.migration.routes.refusals import Refusals
from contract_tests.migration.survey.routes import Function

_HOOKS = {"before_request": False, "before_app_request": True, "url_value_preprocessor": False}
_HOOKS |= {"app_url_value_preprocessor": True}
# What is not in the given code is judged by its name.
_BY_NAME = re.compile(
    r"login|auth|required|require|permission|protect|access|admin|role|scope|token|jwt|guard|member|verif|secur|signed_in|user$",
    re.IGNORECASE,
)
_NO_GUARD = re.compile(r"csrf_exempt|exempt|optional|limiter|cache|oauth2_callback", re.IGNORECASE)
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Guard:
    """`kind` is hook, decorator, view, dependency or middleware; `named`: not in the given code, told by its name.

    `everywhere`: it stands before the whole app, not before some of its routes.
    """

    kind: str
    name: str
    place: str
    named: bool = False
    everywhere: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class _Hook:
    owner: Owner
    function: Function
    everywhere: bool


class Guards:
    """The guards of each route of one side."""

    def __init__(self, code: Code, owners: Owners, *, port: bool) -> None:
        self._code = code
        self._owners = owners
        self._port = port
        self._refusals = Refusals(code, port=port)
        self._hooks: list[_Hook] = []
        self._middlewares: list[_Hook] = []
        for module in code.modules:
            self._gather(module)

    def of(self, route: Route) -> list[Guard]:
        found = [*self._hooked(route), *self._decorated(route), *self._depended(route), *self._between(route)]
        found += self._asked(route)
        if route.function and self._refusals.in_view(route.function):
            found.append(self._guard("view", route.function))
        first: dict[str, Guard] = {}
        for each in found:
            first.setdefault(str(each), each)
        return list(first.values())

    def _guard(self, kind: str, function: Function, *, everywhere: bool = False) -> Guard:
        name = self._code.name(function)
        outer = self._code.outer(function)
        if outer > 0 and self._code.world.scope(function[0], outer)["kind"] == "c":
            name = self._code.name((function[0], outer))
        return Guard(
            kind, name, self._code.place(function[0], self._code.world.scope(*function)["line"]), everywhere=everywhere
        )

    # Hooks and middleware

    def _gather(self, module: int) -> None:
        tree = self._code.tree(module)
        for number, node in tree.definitions.items():
            scope = self._code.outer((module, number))
            for each in node.decorator_list:
                call = each.func if isinstance(each, ast.Call) else each
                if isinstance(call, ast.Attribute) and not isinstance(node, ast.ClassDef):
                    for owner in self._owners.of(module, scope, call.value):
                        self._add(call.attr, owner, (module, number))
        for scope, made in tree.calls:
            if isinstance(made.func, ast.Attribute) and (
                made.func.attr in _HOOKS or made.func.attr == "add_middleware"
            ):
                for owner in self._owners.of(module, scope, made.func.value):
                    for argument in made.args[:1]:
                        self._added(module, scope, made.func.attr, owner, argument)
        for owner in self._owners.all.values():
            if owner.variable[0] == module:
                self._given(owner)

    def _add(self, name: str, owner: Owner, function: Function) -> None:
        if name in _HOOKS:
            self._hooks.append(_Hook(owner, function, everywhere=_HOOKS[name]))
        elif name == "middleware":
            self._middlewares.append(_Hook(owner, function, everywhere=False))

    def _added(self, module: int, scope: int, name: str, owner: Owner, argument: ast.expr) -> None:
        if name in _HOOKS:
            for function in self._code.functions(module, scope, argument):
                self._add(name, owner, function)
            return
        for cls in self._code.classes(module, scope, argument):
            for method in ("dispatch", "__call__"):
                found = self._code.method(cls, method)
                if found:
                    self._middlewares.append(_Hook(owner, found, everywhere=False))
                    break

    def _given(self, owner: Owner) -> None:
        """`middleware=[Middleware(Cls)]` of an app."""
        module, scope, _ = owner.variable
        given = keyword(owner.call, "middleware")
        for each in ast.walk(given) if given else ():
            if isinstance(each, ast.Call) and each.args:
                self._added(module, scope, "add_middleware", owner, each.args[0])

    def _hooked(self, route: Route) -> Iterator[Guard]:
        app = _app_of(route)
        around = [owner.variable for owner in route.chain[route.chain.index(app) :]] if app else []
        for hook in self._hooks:
            applies = hook.owner.variable in around or (
                hook.everywhere and any(place.chain[0] is app for place in self._owners.places(hook.owner))
            )
            refusal = self._refusals.of(hook.function, hook=True) if applies else None
            if refusal and not any(each.spares(**_asked_of(route)) for each in refusal.exempt):
                yield self._guard("hook", hook.function, everywhere=hook.everywhere or hook.owner.kind == "app")

    def _between(self, route: Route) -> Iterator[Guard]:
        around = {owner.variable for owner in route.chain}
        for hook in self._middlewares:
            refusal = self._refusals.of(hook.function) if hook.owner.variable in around else None
            if refusal and not any(each.spares(**_asked_of(route)) for each in refusal.exempt):
                yield self._guard("middleware", hook.function, everywhere=True)

    # Decorators

    def _decorated(self, route: Route) -> Iterator[Guard]:
        for module, scope, node in route.wrapped:
            yield from self._decorator(module, scope, node)

    def _decorator(self, module: int, scope: int, node: ast.expr) -> Iterator[Guard]:
        callee = node.func if isinstance(node, ast.Call) else node
        values = self._code.of(module, scope, callee)
        functions = [(each[1], each[2]) for each in values if each[0] == "F"]
        for cls in (each for each in values if each[0] in "CI"):
            functions += [found for found in (self._code.method((cls[1], cls[2]), "__call__"),) if found]
        refusing = [function for function in functions if self._refusals.of(function)]
        yield from (self._guard("decorator", function) for function in refusing)
        name = _name_of(callee)
        # In an original one guard too many is a question; in a port it would hide a hole.
        if not refusing and _suggests(name) and not (functions and self._port):
            yield Guard("decorator", name, self._code.place(module, node.lineno), named=True)

    # Dependencies

    def _depended(self, route: Route) -> Iterator[Guard]:
        if not self._port:
            return
        for module, scope, call in _around(route):
            given = keyword(call, "dependencies")
            whole = any(call is owner.call and owner.kind == "fastapi" for owner in route.chain)
            for each in given.elts if isinstance(given, ast.List | ast.Tuple) else ():
                for guard in self._marked(module, scope, each, _DEEPEST):
                    yield replace(guard, everywhere=whole)
        if route.function:
            yield from self._parameters(route.function, _DEEPEST)

    def _parameters(self, function: Function, depth: int) -> Iterator[Guard]:
        """The dependencies of a function's parameters, and of the functions within it: `keyed("high")`."""
        node = self._code.node(function)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or depth == 0:
            return
        arguments = node.args
        defaults = [each for each in (*arguments.defaults, *arguments.kw_defaults) if each]
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            for module, scope, mark in self._marks(function[0], self._code.outer(function), each.annotation):
                yield from self._marked(module, scope, mark, depth, each.annotation)
        for default in defaults:
            yield from self._marked(function[0], self._code.outer(function), default, depth)

    def _marks(self, module: int, scope: int, annotation: ast.expr | None) -> Iterator[tuple[int, int, ast.expr]]:
        """What stands in an `Annotated[...]`, also behind a name: `Member = Annotated[str, Depends(member)]`."""
        if isinstance(annotation, ast.Subscript) and _name_of(annotation.value) == "Annotated":
            inner = annotation.slice
            for each in inner.elts[1:] if isinstance(inner, ast.Tuple) else ():
                yield module, scope, each
            if isinstance(inner, ast.Tuple):
                yield from self._marks(module, scope, inner.elts[0])
        elif isinstance(annotation, ast.Name | ast.Attribute):
            for where, at, value in self._code.assigned(module, scope, annotation):
                yield from self._marks(where, at, value)

    def _marked(
        self, module: int, scope: int, node: ast.expr, depth: int, annotation: ast.expr | None = None
    ) -> Iterator[Guard]:
        """The guards behind `Depends(...)` or `Security(...)`."""
        if not isinstance(node, ast.Call) or _name_of(node.func) not in ("Depends", "Security"):
            for where, at, value in self._code.assigned(module, scope, node):
                if isinstance(value, ast.Call) and depth:
                    yield from self._marked(where, at, value, depth - 1)
            return
        given = node.args[0] if node.args else keyword(node, "dependency") or annotation
        if given is not None:
            yield from self._dependency(module, scope, given, depth)

    def _dependency(self, module: int, scope: int, given: ast.expr, depth: int) -> Iterator[Guard]:
        callee = given.func if isinstance(given, ast.Call) else given
        values = self._code.of(module, scope, callee)
        known = False
        for value in values:
            functions = [(value[1], value[2])] if value[0] == "F" else []
            if value[0] in "CI":
                methods = (self._code.method((value[1], value[2]), name) for name in ("__call__", "__init__"))
                functions = [each for each in methods if each]
            known |= value[0] in "FCIM"
            for function in functions:
                if self._refusals.of(function):
                    yield self._guard("dependency", function)
                yield from self._parameters(function, depth - 1)
                yield from self._within(function, depth - 1)
            if value[0] in "OJ" and ".security." in value[1] and self._is_strict(module, scope, given):
                yield Guard("dependency", _name_of(callee), self._code.place(module, given.lineno))
                known = True
        if not known and _suggests(_name_of(callee)):
            yield Guard("dependency", _name_of(callee), self._code.place(module, given.lineno), named=True)

    def _within(self, function: Function, depth: int) -> Iterator[Guard]:
        for number, scope in enumerate(self._code.world.summaries[function[0]]["scopes"]):
            if scope["kind"] == "f" and scope["parent"] == function[1]:
                yield from self._parameters((function[0], number), depth)

    def _is_strict(self, module: int, scope: int, given: ast.expr) -> bool:
        """Whether a scheme of fastapi.security refuses by itself: not with `auto_error=False`."""
        made = [given, *(value for _, _, value in self._code.assigned(module, scope, given))]
        for each in made:
            automatic = keyword(each, "auto_error") if isinstance(each, ast.Call) else None
            if isinstance(automatic, ast.Constant) and automatic.value is False:
                return False
        return True

    def _asked(self, route: Route) -> Iterator[Guard]:
        """What the app itself named as standing before the route, when it was asked."""
        for function in route.asked:
            refusal = self._refusals.of(function, hook=not self._port)
            if refusal and not any(each.spares(**_asked_of(route)) for each in refusal.exempt):
                yield self._guard("dependency" if self._port else "hook", function)


def _around(route: Route) -> Iterator[tuple[int, int, ast.Call]]:
    """The calls that may give dependencies to a route: its app, routers, `include_router`, its own."""
    mounts = [at for at, link in enumerate(route.links) if link.mounted]
    first = mounts[-1] + 1 if mounts else 0
    for owner in route.chain[first:]:
        yield owner.variable[0], owner.variable[1], owner.call
    for link in route.links[first:]:
        if link.call:
            yield link.module, link.scope, link.call
    if route.call:
        yield route.module, route.scope, route.call


def _app_of(route: Route) -> Owner | None:
    """The innermost Flask app around a route: hooks of an app around a mounted one do not run for it."""
    return next((owner for owner in reversed(route.chain) if owner.kind == "app"), None) or next(
        iter(route.chain), None
    )


def _asked_of(route: Route) -> dict[str, str]:
    names = [owner.name for owner in route.chain if owner.kind == "blueprint"]
    return {"endpoint": ".".join([*names, route.endpoint]), "path": route.path, "blueprint": ".".join(names)}


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else text(node) or ""


def _suggests(name: str) -> bool:
    return bool(_BY_NAME.search(name)) and not _NO_GUARD.search(name)
