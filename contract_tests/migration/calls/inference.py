"""What names and expressions stand for: through imports, annotations, assignments, base classes and what calls give."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator

from contract_tests.migration.calls import outside
from contract_tests.migration.calls.sources import Source, Sources
from contract_tests.migration.calls.values import (
    Alias, Class, Folder, Function, FunctionNode, Instance, Module, Outside, Scope, Value, arguments_of, build_scopes, own_nodes,
)  # fmt: skip

Values = tuple[Value, ...]

# Wrappers whose first argument is what the annotated thing is, and those whose last is (an iterator's is what it yields).
_FIRST = {"Annotated", "Optional", "Final", "ClassVar", "Required", "NotRequired", "Mapped", "Awaitable"}
_FIRST |= {"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
_FIRST |= {"ContextManager", "AsyncContextManager", "AbstractContextManager", "AbstractAsyncContextManager"}
_LAST = {"Coroutine"}
_PROPERTIES = {"property", "cached_property"}
_MOST = 8


class Inference:
    """Answers what an expression stands for, as all the values it may have; none where the source does not tell."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._modules = {source: build_scopes(source) for source in sources.modules.values()}
        self._memo: dict[object, Values] = {}
        self._subclasses: dict[Class, list[Class]] = {}
        self._states: dict[str, list[tuple[ast.expr, Scope]]] = {}
        for scope in self.scopes():
            self._note(scope)

    def scopes(self) -> Iterator[Scope]:
        """Every module, class and function that was given."""
        for module in self._modules.values():
            yield from module.all()

    def infer(self, node: ast.expr, scope: Scope) -> Values:
        return self._once((node, scope), lambda: self._infer(node, scope))

    def annotation(self, node: ast.expr, scope: Scope) -> Values:
        """What an annotation says: objects of its classes."""
        return self._once(("annotation", node, scope), lambda: self._annotation(node, scope))

    def returns(self, function: Function) -> Values:
        """What a call of a function gives, awaited, entered or iterated: for a generator, what it yields."""
        return self._once(("returns", function), lambda: self._returns(function))

    def given(self, callee: Value, call: ast.Call | None = None) -> Values:
        """What a call gives."""
        if isinstance(callee, Function):
            return self.returns(callee)
        if isinstance(callee, Class):
            return (Instance(callee),)
        if isinstance(callee, Instance) and isinstance(callee.of, Class):
            return self.results(self.attribute(callee, "__call__"))
        name = name_of(callee)
        # `sessionmaker(class_=AsyncSession)` makes no blocking sessions.
        if name is None or (call is not None and any(keyword.arg == "class_" for keyword in call.keywords)):
            return ()
        given = outside.given_by(name)
        return (Instance(Outside(given)),) if given else ()

    def results(self, callees: Iterable[Value]) -> Values:
        return _some(given for callee in callees for given in self.given(callee))

    def attribute(self, value: Value, name: str) -> Values:
        """What a member of a value stands for; a property is its own function here."""
        match value:
            case Module(scope):
                source = scope.source
                below = self._sources.at(source.path.parent / name) if source.is_package else None
                return self._names(scope, name) or ((Module(self._modules[below]),) if below else ())
            case Folder(folder):
                return self._module(f"{folder}.{name}", None)
            case Class() | Instance(Class()):
                return self._member(value, name)
            case Instance(Outside(owner)):
                full = outside.canonical(f"{owner}.{name}")
                kind = outside.member(full)
                return (Instance(Outside(kind)) if kind else Outside(full),)
            case Outside(owner):
                full = outside.canonical(f"{owner}.{name}")
                kind = outside.member(full)
                return (Instance(Outside(kind)) if kind and owner[:1].isupper() else Outside(full),)
        return ()

    def overrides(self, function: Function) -> list[Function]:
        """The methods that stand in for an abstract one, in the given subclasses."""
        owner = function.scope.owner
        if owner is None or not is_abstract(function):
            return []
        name = getattr(function.node, "name", "")
        found = [each for below in self._below(owner) for each in self._names(below.scope, name)]
        return [each for each in found if isinstance(each, Function)]

    def bases(self, cls: Class) -> Values:
        assert cls.scope.outer is not None
        outer = cls.scope.outer
        bases = (base.value if isinstance(base, ast.Subscript) else base for base in cls.node.bases)
        return _some(value for base in bases for value in self.infer(base, outer))

    def ancestors(self, cls: Class) -> Iterator[Class | Outside]:
        """A class and all that it inherits from, the nearest first."""
        seen: set[Value] = set()
        queue: list[Value] = [cls]
        while queue:
            current = queue.pop(0)
            if current in seen:
                continue
            seen.add(current)
            if isinstance(current, Class):
                yield current
                queue.extend(self.bases(current))
            elif (name := name_of(current)) is not None:
                yield Outside(name.removesuffix("()"))

    def _once(self, key: object, ask: Callable[[], Values]) -> Values:
        if key not in self._memo:
            self._memo[key] = ()  # what stands for itself stands for nothing more
            self._memo[key] = ask()
        return self._memo[key]

    def _note(self, scope: Scope) -> None:
        if isinstance(scope.node, ast.ClassDef):
            for base in self.bases(Class(scope)):
                if isinstance(base, Class):
                    self._subclasses.setdefault(base, []).append(Class(scope))
        for node in own_nodes(scope.node):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    # app.state.redis = Redis(...)
                    if isinstance(target, ast.Attribute) and _ends_in_state(target.value):
                        self._states.setdefault(target.attr, []).append((node.value, scope))

    def _below(self, cls: Class) -> Iterator[Class]:
        for below in self._subclasses.get(cls, []):
            yield below
            yield from self._below(below)

    def _infer(self, node: ast.expr, scope: Scope) -> Values:
        match node:
            case ast.Name(id=name):
                return self._lookup(name, scope)
            case ast.Attribute(value=owner, attr=name):
                if name in self._states and _ends_in_state(owner):
                    return _some(each for value, where in self._states[name] for each in self.infer(value, where))
                found = [each for value in self.infer(owner, scope) for each in self.attribute(value, name)]
                return _some(each for value in found for each in self._read(value))
            case ast.Call(func=func):
                if _last(func) == "cast" and len(node.args) == 2:
                    return self.annotation(node.args[0], scope)
                if _last(func) == "super" and scope.owner is not None:
                    bases = self.bases(scope.owner)
                    return _some(Instance(base) for base in bases if isinstance(base, Class | Outside))
                return _some(each for callee in self.infer(func, scope) for each in self.given(callee, node))
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.infer(value, scope)
            case ast.IfExp(body=one, orelse=other):
                return _some((*self.infer(one, scope), *self.infer(other, scope)))
            case ast.BoolOp(values=values):
                return _some(each for value in values for each in self.infer(value, scope))
            case ast.BinOp(left=left, op=ast.Div()):
                paths = Instance(Outside("pathlib.Path"))
                return (paths,) if paths in self.infer(left, scope) else ()
            case ast.BinOp(op=ast.BitOr()):
                return (Alias(node, scope),)
            case ast.Subscript(value=owner):
                values = self.infer(owner, scope)
                names = (name_of(value) for value in values if isinstance(value, Instance))
                kinds = [outside.member(f"{name.removesuffix('()')}.[]") for name in names if name]
                if any(isinstance(value, Outside | Class) for value in values):
                    return (Alias(node, scope),)
                return _some(Instance(Outside(kind)) for kind in kinds if kind)
            case ast.Lambda():
                return (Function(scope.inner[node]),) if node in scope.inner else ()
        return ()

    def _read(self, value: Value) -> Values:
        """What reading a member gives: a property is called."""
        return self.returns(value) if isinstance(value, Function) and is_property(value) else (value,)

    def _annotation(self, node: ast.expr, scope: Scope) -> Values:
        match node:
            case ast.Constant(value=str(text)):
                try:
                    return self.annotation(ast.parse(text, mode="eval").body, scope)
                except SyntaxError:
                    return ()
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return _some((*self.annotation(left, scope), *self.annotation(right, scope)))
            case ast.Subscript(value=owner, slice=inner):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._generic(_last(owner), owner, parts, scope)
            case ast.Name(id="Self") if owner := _enclosing(scope):
                return (Instance(owner),)
            case ast.Name() | ast.Attribute():
                return _some(each for value in self.infer(node, scope) for each in self._object(value))
        return ()

    def _object(self, value: Value) -> Values:
        if isinstance(value, Alias):
            return self.annotation(value.node, value.scope)
        return (Instance(value),) if isinstance(value, Class | Outside) else ()

    def _generic(self, name: str, owner: ast.expr, parts: list[ast.expr], scope: Scope) -> Values:
        if name in ("type", "Type"):
            return _some(value.of for value in self.annotation(parts[0], scope) if isinstance(value, Instance))
        if name == "Union":
            return _some(each for part in parts for each in self.annotation(part, scope))
        if name in _FIRST:
            provided = (each for part in parts[1:] for each in self.provided(part, scope)) if name == "Annotated" else ()
            return self.annotation(parts[0], scope) or _some(provided)
        if name in _LAST:
            return self.annotation(parts[-1], scope)
        return _some(each for value in self.infer(owner, scope) for each in self._object(value))

    def provided(self, node: ast.expr, scope: Scope) -> Values:
        """What `Depends(...)` hands out."""
        if isinstance(node, ast.Call) and _last(node.func) in ("Depends", "Security") and node.args:
            return self.results(self.infer(node.args[0], scope))
        return ()

    def _lookup(self, name: str, scope: Scope) -> Values:
        current: Scope | None = scope
        while current is not None:
            if name in current.names and (current is scope or not isinstance(current.node, ast.ClassDef)):
                return self._names(current, name)
            current = current.outer
        found = self._names(scope.module, name)
        return found or ((Outside(f"builtins.{name}"),) if hasattr(builtins, name) else ())

    def _names(self, scope: Scope, name: str) -> Values:
        bound = scope.names.get(name)
        if bound is None:
            stars = [node for node, _ in scope.names.get("*", []) if isinstance(node, ast.ImportFrom)]
            return _some(each for star in stars for each in self._imported(star, name, scope.source))
        return self._once(("name", scope, name), lambda: _some(each for n, s in bound for each in self._bound(n, name, s)))

    def _bound(self, node: ast.AST, name: str, scope: Scope) -> Values:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return (Function(scope.inner[node]),)
            case ast.ClassDef():
                return (Class(scope.inner[node]),)
            case ast.Import():
                return self._import(node, name, scope.source)
            case ast.ImportFrom():
                original = next(each.name for each in node.names if name == (each.asname or each.name))
                return self._imported(node, original, scope.source)
            case ast.arg():
                return self._argument(node, scope)
            case ast.Assign(targets=targets, value=value):
                return _some(each for target in targets for each in self._assigned(target, value, name, scope))
            case ast.AnnAssign(annotation=annotation, value=value):
                if _last(annotation) == "TypeAlias" and value is not None:
                    return (Alias(value, scope),)
                return self.annotation(annotation, scope) or (self.infer(value, scope) if value else ())
            case ast.NamedExpr(value=value) | ast.For(iter=ast.Call() as value) | ast.AsyncFor(iter=ast.Call() as value):
                return self.infer(value, scope)
            case ast.withitem(context_expr=entered):
                return self.entered(self.infer(entered, scope))
        value = getattr(node, "value", None)
        return (Alias(value, scope),) if type(node).__name__ == "TypeAlias" and isinstance(value, ast.expr) else ()

    def entered(self, values: Values) -> Values:
        """What `with ... as` binds; an object that does not say gives itself."""
        found: list[Value] = []
        for value in values:
            enter = [each for name in ("__enter__", "__aenter__") for each in self.attribute(value, name)]
            given = self.results(each for each in enter if isinstance(each, Function))
            found.extend(given or (value,))
        return _some(found)

    def _assigned(self, target: ast.expr, value: ast.expr, name: str, scope: Scope) -> Values:
        if isinstance(target, ast.Name):
            return self.infer(value, scope) if target.id == name else ()
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            pairs = zip(target.elts, value.elts, strict=False)
            return _some(each for one, other in pairs for each in self._assigned(one, other, name, scope))
        return ()

    def _argument(self, node: ast.arg, scope: Scope) -> Values:
        function, owner = scope.node, scope.owner
        assert isinstance(function, FunctionNode)
        arguments = arguments_of(function)
        if owner is not None and node is arguments[0]:
            kinds = {_last(each) for each in Function(scope).decorators}
            if "staticmethod" not in kinds:
                is_class = "classmethod" in kinds or getattr(function, "name", "") in ("__new__", "__init_subclass__")
                return (owner,) if is_class else (Instance(owner),)
        outer = scope.outer or scope
        found = self.annotation(node.annotation, outer) if node.annotation else ()
        default = defaults(function).get(node.arg)
        return found or (self.provided(default, outer) or self.infer(default, outer) if default else ())

    def _import(self, node: ast.Import, name: str, source: Source) -> Values:
        found = [each for each in node.names if name == (each.asname or each.name.partition(".")[0])]
        names = {each.name if each.asname else name for each in found}
        return _some(each for full in names for each in self._module(full, source))

    def _imported(self, node: ast.ImportFrom, name: str, source: Source) -> Values:
        if node.level:
            folder = source.path.parents[node.level - 1]
            base = folder.joinpath(*node.module.split(".")) if node.module else folder
            module, inner = self._sources.at(base), self._sources.at(base / name)
            if module is None:
                return (Module(self._modules[inner]),) if inner else ()
            found = self._names(self._modules[module], name) if module is not source else ()
            return found or ((Module(self._modules[inner]),) if inner else ())
        assert node.module is not None
        return _some(each for value in self._module(node.module, source) for each in self.attribute(value, name))

    def _module(self, name: str, importer: Source | None) -> Values:
        """The module of a dotted name: one of the given, or one outside."""
        first = name.partition(".")[0]
        if first not in outside.KNOWN:
            found = self._sources.find(name, importer)
            if found is not None:
                return (Module(self._modules[found]),)
            if self._sources.is_folder(name):
                return (Folder(name),)
        return (Outside(outside.canonical(name)),)

    def _member(self, value: Class | Instance, name: str) -> Values:
        cls = value if isinstance(value, Class) else value.of
        assert isinstance(cls, Class)
        for ancestor in self.ancestors(cls):
            if isinstance(ancestor, Outside):
                if ancestor.name in ("builtins.object", "typing.Protocol", "abc.ABC", "typing.Generic"):
                    continue
                owner = ancestor if isinstance(value, Class) else Instance(ancestor)
                if name.startswith("__"):
                    continue
                return self.attribute(owner, name)
            found = self._names(ancestor.scope, name) if name in ancestor.scope.names else ()
            found = found or (self._set_on_self(ancestor, name) if isinstance(value, Instance) else ())
            if found or name in ancestor.scope.names:
                return found
        return ()

    def _set_on_self(self, cls: Class, name: str) -> Values:
        """What methods assign to `self.name`."""
        return self._once(("self", cls, name), lambda: _some(self._assignments(cls, name)))

    def _assignments(self, cls: Class, name: str) -> Iterator[Value]:
        for scope in cls.scope.inner.values():
            if not isinstance(scope.node, FunctionNode) or not (arguments := arguments_of(scope.node)):
                continue
            own = arguments[0].arg
            for node in own_nodes(scope.node):
                if isinstance(node, ast.Assign) and any(_is_member(target, own, name) for target in node.targets):
                    yield from self.infer(node.value, scope)
                elif isinstance(node, ast.AnnAssign) and _is_member(node.target, own, name):
                    yield from self.annotation(node.annotation, scope) or (self.infer(node.value, scope) if node.value else ())

    def _returns(self, function: Function) -> Values:
        node, scope = function.node, function.scope
        if isinstance(node, ast.Lambda):
            return self.infer(node.body, scope)
        if node.returns is not None:
            # Self and the names of the function's own scope.
            found = self.annotation(node.returns, scope)
            if found:
                return found
        kinds = (ast.Yield,) if function.is_generator else (ast.Return,)
        values = [each.value for each in own_nodes(node) if isinstance(each, kinds)]
        return _some(each for value in values if value for each in self.infer(value, scope))


def name_of(value: Value) -> str | None:
    """The dotted name of what is outside, as a callee: an object's own is its class's and `()`."""
    if isinstance(value, Outside):
        return value.name
    return f"{value.of.name}()" if isinstance(value, Instance) and isinstance(value.of, Outside) else None


def is_property(function: Function) -> bool:
    return any(_last(each) in _PROPERTIES for each in function.decorators)


def is_abstract(function: Function) -> bool:
    """Whether a method leaves its work to subclasses: nothing but a docstring, `...`, `pass` or NotImplementedError."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    rest = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return all(isinstance(each, ast.Pass) or (isinstance(each, ast.Raise) and "NotImplemented" in ast.dump(each)) for each in rest)


def defaults(node: FunctionNode) -> dict[str, ast.expr]:
    """The default of each argument that has one."""
    positional = [*node.args.posonlyargs, *node.args.args]
    found = dict(zip((each.arg for each in reversed(positional)), reversed(node.args.defaults), strict=False))
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return found | {each.arg: default for each, default in pairs if default is not None}


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name, of what is called or subscripted too; empty where there is none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
    return ""


_last = last_name


def _some(values: Iterable[Value]) -> Values:
    found: dict[Value, None] = {}
    for value in values:
        found[value] = None
        if len(found) == _MOST:
            break
    return tuple(found)


def _ends_in_state(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and _last(node) == "state"


def _is_member(target: ast.expr, owner: str, name: str) -> bool:
    match target:
        case ast.Attribute(value=ast.Name(id=found), attr=attr):
            return found == owner and attr == name
    return False


def _enclosing(scope: Scope | None) -> Class | None:
    while scope is not None:
        if isinstance(scope.node, ast.ClassDef):
            return Class(scope)
        scope = scope.outer
    return None
