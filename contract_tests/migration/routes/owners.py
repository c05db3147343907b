"""Apps, blueprints and routers: what each is made with, and under which prefixes it hangs in another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.migration.routes.code import Code, Variable
from contract_tests.migration.routes.paths import joined
from contract_tests.migration.routes.written import Written

_KINDS = {
    "Flask": "app", "Blueprint": "blueprint", "APIBlueprint": "blueprint", "APIFlask": "app",
    "FastAPI": "fastapi", "Starlette": "fastapi", "APIRouter": "router", "Router": "router",
    "Api": "api", "Namespace": "namespace", "OpenAPI": "app",
}  # fmt: skip
_MAKERS = frozenset((
    "flask", "fastapi", "starlette", "apiflask", "quart", "flask_restful", "flask_restx", "flask_restplus",
    "flask_smorest", "flask_rest_api", "flask_openapi3",
))  # fmt: skip
# What extensions put between an app or blueprint and its routes: flask-restful, flask-restx, flask-smorest.
RESOURCES = ("api", "namespace")
FLASK = ("app", "blueprint", *RESOURCES)
_LINKS = {"register_blueprint": "url_prefix", "include_router": "prefix", "mount": "path", "add_namespace": "path"}
_DISPATCHERS = ("DispatcherMiddleware",)
_MOST = 32


@dataclass(slots=True)
class Link:
    """A parent that an owner hangs in; `prefix` is None where the owner's own counts; `mounted`: an app in one."""

    parent: Variable
    prefix: str | None
    call: ast.Call | None
    module: int
    scope: int
    mounted: bool


@dataclass(slots=True)
class Owner:
    """An app, blueprint or router by its variable; `kind` is app, blueprint, api, namespace, fastapi or router."""

    variable: Variable
    kind: str
    name: str
    prefix: str
    call: ast.Call
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """One way that an owner hangs: its whole prefix, and from the outermost owner to it what stands around a route."""

    prefix: str
    chain: tuple[Owner, ...] = field(hash=False)
    links: tuple[Link, ...] = field(hash=False)


class Owners:
    """Every owner of some code."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._written = Written(code)
        self.all: dict[Variable, Owner] = {}
        self._aliases: dict[Variable, Variable] = {}
        # A registration of what the source does not tell: any router may be meant.
        self.untold: list[str] = []
        for module in code.modules:
            self._made(module)
        for module in code.modules:
            self._handed(module)
        for owner in list(self.all.values()):
            if owner.kind in RESOURCES:
                self._within(owner)
        for module in code.modules:
            for scope, call in code.tree(module).calls:
                self._linked(module, scope, call)

    def of(self, module: int, scope: int, node: ast.expr | None) -> list[Owner]:
        """The owners that an expression means: more than one where a loop goes over them."""
        inner = node.value if isinstance(node, ast.Attribute) else node
        if isinstance(inner, ast.Name):
            looped = list(self._code.looped(module, scope, inner.id, inner.lineno))
            if looped:
                return [owner for _, where, at, each in looped for owner in self.of(where, at, _instead(node, each))]
        variable = self._code.variable(module, scope, node)
        for _ in range(4):
            variable = self._aliases.get(variable, variable) if variable else None
        return [self.all[variable]] if variable in self.all else []

    def places(self, owner: Owner, depth: int = 0) -> list[Place]:
        """Each way that an owner hangs in an app; itself alone where it hangs nowhere."""
        found: list[Place] = []
        for link in owner.links if depth < 8 else ():
            parent = self.all[link.parent]
            for above in self.places(parent, depth + 1)[:_MOST]:
                found.append(Place(self._prefix(above, owner, link), (*above.chain, owner), (*above.links, link)))
        return found or [Place(owner.prefix, (owner,), ())]

    def hangs(self, owner: Owner) -> bool:
        """Whether an owner is an app, or hangs in one however far above."""
        return any(place.chain[0].kind in ("app", "fastapi") for place in self.places(owner))

    @staticmethod
    def _prefix(above: Place, owner: Owner, link: Link) -> str:
        if owner.kind in ("blueprint", *RESOURCES):
            return joined(above.prefix, owner.prefix if link.prefix is None else link.prefix)
        return above.prefix + (link.prefix or "").rstrip("/") + ("" if link.mounted else owner.prefix)

    # How owners come to be

    def _made(self, module: int) -> None:
        tree = self._code.tree(module)
        for (scope, name), values in tree.assigned.items():
            for value in values:
                kind = self._kind(module, scope, value)
                if kind and isinstance(value, ast.Call):
                    prefix = self._prefix_of(module, scope, kind, value)
                    named = self._named(value, name)
                    self.all[module, scope, name] = Owner((module, scope, name), kind, named, prefix, value)

    def _kind(self, module: int, scope: int, value: ast.expr) -> str | None:
        if not isinstance(value, ast.Call):
            return None
        full = next((str(each[1]) for each in self._code.of(module, scope, value.func) if each[0] == "O"), "")
        last = full.rpartition(".")[2]
        if last in _KINDS and full.partition(".")[0] in _MAKERS:
            return _KINDS[last]
        if last == "namespace" and full.partition(".")[0] in _MAKERS:
            return "namespace"  # `api.namespace("cats")` of flask-restx
        for cls in self._code.classes(module, scope, value.func):
            for base in self._code.bases(cls):
                if base.rpartition(".")[2] in _KINDS:
                    return _KINDS[base.rpartition(".")[2]]
        return None

    def _prefix_of(self, module: int, scope: int, kind: str, call: ast.Call) -> str:
        given = keyword(call, *(("path",) if kind == "namespace" else ("url_prefix", "prefix")))
        prefix = self._written.text(module, scope, given)
        if kind == "namespace" and prefix is None:
            named = self._written.text(module, scope, call.args[0] if call.args else keyword(call, "name"))
            prefix = f"/{named}"
        return (prefix or "").rstrip("/")

    def _within(self, owner: Owner) -> None:
        """`Api(app)` and `api.namespace(...)` hang in what they are made with."""
        module, scope, _ = owner.variable
        made = owner.call.func if isinstance(owner.call.func, ast.Attribute) else None
        first = owner.call.args[0] if owner.call.args else keyword(owner.call, "app", "blueprint")
        within = made.value if owner.kind == "namespace" and made else first
        for parent in self.of(module, scope, within):
            if parent is not owner:
                owner.links.append(Link(parent.variable, None, None, module, scope, mounted=False))

    @staticmethod
    def _named(call: ast.Call, variable: str) -> str:
        first = call.args[0] if call.args else None
        return text(first) or text(keyword(call, "name")) or variable

    def _handed(self, module: int) -> None:
        """Note which parameter gets an owner: `init_routes(app)`."""
        for scope, call in self._code.tree(module).calls:
            for position, argument in enumerate(call.args):
                if not isinstance(argument, ast.Name):
                    continue
                variable = self._code.variable(module, scope, argument)
                if variable not in self.all and variable not in self._aliases:
                    continue
                for function in self._code.functions(module, scope, call.func):
                    self._alias(function, position, variable)
                for cls in self._code.classes(module, scope, call.func):
                    begin = self._code.method(cls, "__init__")
                    if begin:
                        self._alias(begin, position + 1, variable)

    def _alias(self, function: tuple[int, int], position: int, variable: Variable | None) -> None:
        node = self._code.node(function)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and variable:
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
            if position < len(names):
                self._aliases.setdefault((*function, names[position]), variable)

    # How they hang in each other

    def _linked(self, module: int, scope: int, call: ast.Call) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in _LINKS and isinstance(call.func, ast.Attribute):
            self._registered(module, scope, call, name, call.func.value)
        elif name == "init_app" and isinstance(call.func, ast.Attribute) and call.args:
            for child in self.of(module, scope, call.func.value):
                for parent in self.of(module, scope, call.args[0]):
                    if child.kind == "api" and child is not parent:
                        child.links.append(Link(parent.variable, None, call, module, scope, mounted=False))
        elif (name or getattr(call.func, "id", "")) in _DISPATCHERS and len(call.args) > 1:
            self._dispatched(module, scope, call)
        elif (name or getattr(call.func, "id", "")) == "Mount":
            self._mounted_within(module, scope, call)

    def _registered(self, module: int, scope: int, call: ast.Call, name: str, on: ast.expr) -> None:
        mounted = name == "mount"
        at = 1 if mounted else 0
        given = (
            call.args[at] if len(call.args) > at else keyword(call, "app" if mounted else "router", "blueprint", "ns")
        )
        children = self.of(module, scope, given)
        if not children and not mounted:
            self.untold.append(self._code.place(module, call.lineno))
        named = keyword(call, _LINKS[name]) or (
            call.args[1] if name == "add_namespace" and len(call.args) > 1 else None
        )
        written = call.args[0] if mounted and call.args else named
        prefix = self._written.text(module, scope, written)
        for parent in self.of(module, scope, on):
            for child in children:
                if child is not parent:
                    child.links.append(Link(parent.variable, prefix, call, module, scope, mounted=mounted))

    def _dispatched(self, module: int, scope: int, call: ast.Call) -> None:
        """Werkzeug's `DispatcherMiddleware(app.wsgi_app, {"/old": other})`."""
        main = _app_of(call.args[0])
        table = call.args[1]
        if not isinstance(table, ast.Dict):
            return
        for parent in self.of(module, scope, main):
            for key, value in zip(table.keys, table.values, strict=True):
                for child in self.of(module, scope, _app_of(value)):
                    if child is not parent:
                        child.links.append(Link(parent.variable, text(key), None, module, scope, mounted=True))

    def _mounted_within(self, module: int, scope: int, call: ast.Call) -> None:
        """`Mount("/sub", app=other)` in the routes of an app that is made with them."""
        given = keyword(call, "app") or (call.args[1] if len(call.args) > 1 else None)
        for owner in list(self.all.values()):
            if owner.variable[0] == module and any(each is call for each in ast.walk(owner.call)):
                for child in self.of(module, scope, given):
                    child.links.append(
                        Link(
                            owner.variable, text(call.args[0]) if call.args else None, call, module, scope, mounted=True
                        )
                    )


def _instead(node: ast.expr | None, element: ast.expr) -> ast.expr:
    """What a loop's variable, or an attribute of it, is for one element."""
    return ast.Attribute(element, node.attr, ast.Load()) if isinstance(node, ast.Attribute) else element


def _app_of(node: ast.expr) -> ast.expr:
    """The app of its `wsgi_app`."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "wsgi_app" else node


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts(node: ast.expr | None) -> tuple[str, ...]:
    """The texts that are written out in a list, tuple or set."""
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node] if node else []
    return tuple(found for found in map(text, elements) if found is not None)


def mounts_above(tree: ast.Call, wanted: ast.Call) -> str | None:
    """The paths of the Mounts around a call within another; None where it does not stand there."""
    for each in ast.iter_child_nodes(tree):
        if each is wanted:
            return ""
        below = _above_any(each, wanted)
        if below is not None:
            return below
    return None


def _above_any(node: ast.AST, wanted: ast.Call) -> str | None:
    if node is wanted:
        return ""
    for each in ast.iter_child_nodes(node):
        below = _above_any(each, wanted)
        if below is not None:
            is_mount = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Mount" and node.args
            return (text(node.args[0]) or "") + below if is_mount and isinstance(node, ast.Call) else below
    return None


def walk_own(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, without the functions within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from walk_own(child)
