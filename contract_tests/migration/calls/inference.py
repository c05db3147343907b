"""What names and expressions stand for: through imports, annotations, assignments, base classes and what calls give."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator

from contract_tests.migration.calls import outside
from contract_tests.migration.calls.annotations import Annotations
from contract_tests.migration.calls.imports import Imports
from contract_tests.migration.calls.sources import Sources
from contract_tests.migration.calls.syntax import (
    Values,
    assignments_to_self,
    defaults,
    ends_in_state,
    is_abstract,
    is_property,
    last_name,
    name_of,
    some,
)
from contract_tests.migration.calls.values import (
    Alias,
    Class,
    Folder,
    Function,
    FunctionNode,
    Instance,
    Module,
    Outside,
    Scope,
    Value,
    arguments_of,
    build_scopes,
)


class Inference:
    """Answers what an expression stands for, as all the values it may have; none where the source does not tell."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._modules = {source: build_scopes(source) for source in sources.modules.values()}
        self._imports = Imports(sources, self._modules, names=self._names, attribute=self.attribute)
        self._annotations = Annotations(self)
        self._memo: dict[object, Values] = {}
        self._set: dict[Class, list[tuple[str, ast.Assign | ast.AnnAssign, Scope]]] = {}
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
        return self._once(("annotation", node, scope), lambda: self._annotations.of(node, scope))

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
        return some(given for callee in callees for given in self.given(callee))

    def attribute(self, value: Value, name: str) -> Values:
        """What a member of a value stands for; a property is its own function here."""
        match value:
            case Module(scope):
                source = scope.source
                below = self._sources.at(source.path.parent / name) if source.is_package else None
                return self._names(scope, name) or ((Module(self._modules[below]),) if below else ())
            case Folder(folder):
                return self._imports.module(f"{folder}.{name}", None)
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
        return some(value for base in bases for value in self.infer(base, outer))

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
        for node in scope.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    # app.state.redis = Redis(...)
                    if isinstance(target, ast.Attribute) and ends_in_state(target.value):
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
                if name in self._states and ends_in_state(owner):
                    return some(each for value, where in self._states[name] for each in self.infer(value, where))
                found = [each for value in self.infer(owner, scope) for each in self.attribute(value, name)]
                return some(each for value in found for each in self._read(value))
            case ast.Call(func=func):
                if last_name(func) == "cast" and len(node.args) == 2:
                    return self.annotation(node.args[0], scope)
                if last_name(func) == "super" and scope.owner is not None:
                    bases = self.bases(scope.owner)
                    return some(Instance(base) for base in bases if isinstance(base, Class | Outside))
                return some(each for callee in self.infer(func, scope) for each in self.given(callee, node))
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.infer(value, scope)
            case ast.IfExp(body=one, orelse=other):
                return some((*self.infer(one, scope), *self.infer(other, scope)))
            case ast.BoolOp(values=values):
                return some(each for value in values for each in self.infer(value, scope))
            case ast.BinOp(left=left, op=ast.Div()):
                paths = Instance(Outside("pathlib.Path"))
                return (paths,) if paths in self.infer(left, scope) else ()
            case ast.BinOp(op=ast.BitOr()):
                return (Alias(node, scope),)
            case ast.Subscript(value=owner):
                return self._item(node, self.infer(owner, scope), scope)
            case ast.Lambda():
                return (Function(scope.inner[node]),) if node in scope.inner else ()
        return ()

    def _item(self, node: ast.expr, owners: Values, scope: Scope) -> Values:
        if any(isinstance(owner, Outside | Class) for owner in owners):
            return (Alias(node, scope),)
        names = (owner.of.name for owner in owners if isinstance(owner, Instance) and isinstance(owner.of, Outside))
        kinds = (outside.member(f"{name}.[]") for name in names)
        return some(Instance(Outside(kind)) for kind in kinds if kind)

    def _read(self, value: Value) -> Values:
        """What reading a member gives: a property is called."""
        return self.returns(value) if isinstance(value, Function) and is_property(value) else (value,)

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
            return some(each for star in stars for each in self._imports.imported(star, name, scope.source))
        return self._once(
            ("name", scope, name), lambda: some(each for n, s in bound for each in self._bound(n, name, s))
        )

    def _bound(self, node: ast.AST, name: str, scope: Scope) -> Values:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return (Function(scope.inner[node]),)
            case ast.ClassDef():
                return (Class(scope.inner[node]),)
            case ast.Import():
                return self._imports.plain(node, name, scope.source)
            case ast.ImportFrom():
                original = next(each.name for each in node.names if name == (each.asname or each.name))
                return self._imports.imported(node, original, scope.source)
            case ast.arg():
                return self._argument(node, scope)
            case ast.Assign(targets=targets, value=value):
                return some(each for target in targets for each in self._assigned(target, value, name, scope))
            case ast.AnnAssign(annotation=annotation, value=value):
                if last_name(annotation) == "TypeAlias" and value is not None:
                    return (Alias(value, scope),)
                return self.annotation(annotation, scope) or (self.infer(value, scope) if value else ())
            case (
                ast.NamedExpr(value=value) | ast.For(iter=ast.Call() as value) | ast.AsyncFor(iter=ast.Call() as value)
            ):
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
        return some(found)

    def _assigned(self, target: ast.expr, value: ast.expr, name: str, scope: Scope) -> Values:
        if isinstance(target, ast.Name):
            return self.infer(value, scope) if target.id == name else ()
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            pairs = zip(target.elts, value.elts, strict=False)
            return some(each for one, other in pairs for each in self._assigned(one, other, name, scope))
        return ()

    def _argument(self, node: ast.arg, scope: Scope) -> Values:
        function, owner = scope.node, scope.owner
        assert isinstance(function, FunctionNode)
        arguments = arguments_of(function)
        if owner is not None and node is arguments[0]:
            kinds = {last_name(each) for each in Function(scope).decorators}
            if "staticmethod" not in kinds:
                is_class = "classmethod" in kinds or getattr(function, "name", "") in ("__new__", "__init_subclass__")
                return (owner,) if is_class else (Instance(owner),)
        outer = scope.outer or scope
        found = self.annotation(node.annotation, outer) if node.annotation else ()
        default = defaults(function).get(node.arg)
        return found or (self._annotations.provided(default, outer) or self.infer(default, outer) if default else ())

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
        return self._once(("self", cls, name), lambda: some(self._assignments(cls, name)))

    def _assignments(self, cls: Class, name: str) -> Iterator[Value]:
        if cls not in self._set:
            self._set[cls] = list(assignments_to_self(cls))
        for attribute, node, scope in self._set[cls]:
            if attribute != name:
                continue
            found = self.annotation(node.annotation, scope) if isinstance(node, ast.AnnAssign) else ()
            yield from found or (self.infer(node.value, scope) if node.value else ())

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
        values = [each.value for each in scope.nodes if isinstance(each, kinds)]
        return some(each for value in values if value for each in self.infer(value, scope))
