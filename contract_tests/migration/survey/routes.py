"""Where a request comes in: views with their routes, hooks, and commands; with the prefixes of blueprints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.migration.survey.expressions import Expression, root_of
from contract_tests.migration.survey.kinds import Value
from contract_tests.migration.survey.known import FOREIGN, HOOKS, METHODS, VERBS
from contract_tests.migration.survey.values import World

Function = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A way in. `kind` is view, hook or command; `name` is what a reader calls it: `GET /users/<id>`, `before_request`.

    `functions` are entered there: one, or the methods of a class. `cls` is the class of a class-based view,
    and `inherited` what it has of other classes and may be entered as well.
    """

    kind: str
    name: str
    functions: tuple[Function, ...]
    module: int
    line: int
    methods: tuple[str, ...] = ()
    rule: str | None = None
    endpoint: str | None = None
    cls: Function | None = None
    inherited: tuple[Function, ...] = ()


@dataclass(slots=True)
class _Blueprint:
    prefix: str = ""
    registered: list[tuple[str | None, Any]] = field(default_factory=list)


class Entries:
    """Finds every entry of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._blueprints: dict[Any, _Blueprint] = {}
        self._subclasses: dict[Function, list[Function]] = {}
        self._calls: list[tuple[int, Expression, int]] = []
        self._views: set[Function] = set()

    def all(self) -> list[Entry]:
        self._gather()
        found = [entry for entry in self._found() if entry.functions or entry.inherited]
        known = {function for entry in found for function in entry.functions}
        found += [entry for entry in self._unregistered() if not known.issuperset(entry.functions)]
        return sorted(set(found), key=lambda entry: (entry.module, entry.line, entry.name))

    def descendants(self, cls: Function) -> list[Function]:
        """The classes that inherit from one, however far."""
        found: list[Function] = []
        queue = [cls]
        while queue:
            for below in self._subclasses.get(queue.pop(), ()):
                if below not in found:
                    found.append(below)
                    queue.append(below)
        return found

    def _gather(self) -> None:
        for module, summary in enumerate(self._world.summaries):
            for number, scope in enumerate(summary["scopes"]):
                if scope["kind"] == "c":
                    for base in scope.get("bases", ()):
                        for value in self._world.of(module, base):
                            if value[0] == "C":
                                self._subclasses.setdefault((value[1], value[2]), []).append((module, number))
            for _, expression, line, _, _ in summary["refs"]:
                for call in _calls_of(expression):
                    if call[1][0] == "a" and (call[1][2] in _REGISTERING):
                        self._calls.append((module, call, line))
        for module, call, _ in self._calls:
            if call[1][2] == "register_blueprint" and call[2]:
                key = self._origin(module, call[2][0])
                if key:
                    self._blueprint(key).registered.append(
                        (_word(call[3].get("url_prefix")), self._origin(module, call[1][1]))
                    )

    def _found(self) -> Iterator[Entry]:
        for module, summary in enumerate(self._world.summaries):
            for number, scope in enumerate(summary["scopes"]):
                if scope["kind"] == "f":
                    yield from self._decorated(module, number, scope)
                elif scope["kind"] == "c":
                    yield from self._decorated_class(module, number, scope)
        for module, call, line in self._calls:
            yield from self._called(module, call, line)

    # Decorators

    def _decorated(self, module: int, number: int, scope: dict[str, Any]) -> Iterator[Entry]:
        functions = ((module, number),)
        for decorator in scope["decorators"]:
            if not decorator:
                continue
            call = decorator if decorator[0] == "c" else None
            callee = call[1] if call else decorator
            name = callee[2] if callee[0] == "a" else callee[1] if callee[0] == "n" else ""
            owner = callee[1] if callee[0] == "a" else None
            if name in HOOKS and owner:
                yield Entry("hook", name, functions, module, scope["line"])
            elif name in ("command", "with_appcontext") and (
                owner or name == "with_appcontext" or self._is_click(module, callee)
            ):
                yield Entry("command", f"command {scope['name']}", functions, module, scope["line"])
            elif call and self._routes(module, name, owner, call):
                yield self._view(module, functions, scope["line"], call, name, owner, number)
            elif name == "endpoint" and call and owner and call[2] and _word(call[2][0]):
                yield Entry(
                    "view",
                    f"endpoint {_word(call[2][0])}",
                    functions,
                    module,
                    scope["line"],
                    endpoint=_word(call[2][0]),
                )
            elif name in ("on", "on_event") and call and owner and self._is_socket(module, owner):
                yield Entry("hook", f"socket {_word(call[2][0]) if call[2] else ''}", functions, module, scope["line"])

    def _is_click(self, module: int, callee: Expression) -> bool:
        return any(each[0] == "O" and each[1].startswith("click.") for each in self._world.of(module, callee))

    def _is_socket(self, module: int, owner: Expression) -> bool:
        return any("SocketIO" in str(each[1]) for each in self._world.of(module, owner) if each[0] in "JO")

    def _routes(self, module: int, name: str, owner: Expression | None, call: Expression) -> bool:
        first = _word(call[2][0]) if call[2] else _word(call[3].get("rule") or call[3].get("url"))
        if name not in ("route", "expose", *VERBS) or (name in VERBS and (owner is None or first is None)):
            return False
        if name in VERBS and first and not first.startswith("/"):
            return False
        if owner is None:
            return first is not None or name == "expose"
        return not any(_is_foreign(each) for each in self._world.of(module, owner))

    def _view(
        self,
        module: int,
        functions: tuple[Function, ...],
        line: int,
        call: Expression,
        name: str,
        owner: Expression | None,
        number: int,
    ) -> Entry:
        first = _word(call[2][0]) if call[2] else _word(call[3].get("rule") or call[3].get("url"))
        methods = (name.upper(),) if name in VERBS else _words(call[3].get("methods")) or ("GET",)
        prefix = self._prefix(module, owner) if owner else self._class_prefix(module, number)
        return _entry(functions, module, line, methods, _joined(prefix, first), _word(call[3].get("endpoint")))

    def _class_prefix(self, module: int, number: int) -> str:
        """`route_base` of flask-appbuilder's classes, where it is written out."""
        parent = self._world.scope(module, number)["parent"]
        bindings = self._world.scope(module, parent)["names"].get("route_base", ()) if parent >= 0 else ()
        return next((str(each[1][1]) for each in bindings if each[0] == "e" and each[1] and each[1][0] == "k"), "")

    def _decorated_class(self, module: int, number: int, scope: dict[str, Any]) -> Iterator[Entry]:
        for decorator in scope.get("decorators", ()):
            if decorator and decorator[0] == "c" and decorator[1][0] == "a" and decorator[1][2] == "route":
                owner, first = decorator[1][1], _word(decorator[2][0]) if decorator[2] else None
                yield from self._class_views(
                    module, scope["line"], (module, number), _joined(self._prefix(module, owner), first)
                )

    # Calls that register

    def _called(self, module: int, call: Expression, line: int) -> Iterator[Entry]:
        (_, owner, name, *_), arguments, keywords = call[1], call[2], call[3]
        if name == "add_url_rule":
            given = keywords.get("view_func") or (arguments[2] if len(arguments) > 2 else None)
            rule = _joined(
                self._prefix(module, owner), _word(arguments[0]) if arguments else _word(keywords.get("rule"))
            )
            endpoint = _word(keywords.get("endpoint") or (arguments[1] if len(arguments) > 1 else None))
            methods = _words(keywords.get("methods"))
            for value in self._within(module, given):
                if value[0] == "F":
                    # A rule that is made as it runs is told by the function it leads to.
                    shown = f"{rule} ({self._world.scope(value[1], value[2])['name']})" if "?" in rule else rule
                    yield _entry(((value[1], value[2]),), module, line, methods or ("GET",), shown, endpoint)
                else:
                    yield from self._class_rule(module, line, value, rule, given)
        elif name == "add_resource" and arguments:
            for value in self._within(module, arguments[0]):
                for rule in arguments[1:] or [None]:
                    if value[0] != "F":
                        yield from self._class_views(
                            module, line, (value[1], value[2]), _joined(self._prefix(module, owner), _word(rule))
                        )
        elif name in HOOKS:
            for argument in (*arguments, *keywords.values()):
                for value in self._within(module, argument):
                    if value[0] == "F":
                        yield Entry("hook", name, ((value[1], value[2]),), module, line)

    def _class_rule(self, module: int, line: int, value: Value, rule: str, given: Expression | None) -> Iterator[Entry]:
        cls = (value[1], value[2])
        yield from self._class_views(module, line, cls, rule)
        if value[0] == "V" and given and root_of(given)[0] == "n" and root_of(given)[1] == "cls":
            for below in self.descendants(cls):  # `cls.as_view()` in a base class is each of them
                yield from self._class_views(module, line, below, f"{rule} ({self._world.scope(*below)['name']})")

    def _within(self, module: int, expression: Expression | None) -> Iterator[Value]:
        """The functions and classes that an argument means, also within `login_required(View.as_view("x"))`."""
        if expression is None:
            return
        found = [each for each in self._world.of(module, expression) if each[0] in "FCV"]
        if found or expression[0] != "c":
            yield from found
            return
        for argument in expression[2]:
            yield from self._within(module, argument)

    # Class-based views

    def _class_views(self, module: int, line: int, cls: Function, rule: str | None) -> Iterator[Entry]:
        self._views.add(cls)
        members = self._methods_of(cls)
        entered = [(name, members[name]) for name in METHODS if name in members]
        dispatch = members.get("dispatch_request")
        if any(self._world.scope(*each).get("dynamic") for each in members.values()) or not (entered or dispatch):
            # Which of its methods are called is decided as it runs.
            own = [
                each
                for name, each in members.items()
                if self._world.scope(*each)["parent"] == cls[1] and each[0] == cls[0]
            ]
            functions = tuple(dict.fromkeys([*(each for _, each in entered), *([dispatch] if dispatch else []), *own]))
            inherited = tuple(each for each in members.values() if each not in functions)
            yield replace(_entry(functions, module, line, ("ANY",), rule, None, cls), inherited=inherited)
            return
        for name, function in entered:
            yield _entry((function,), module, line, (name.upper(),), rule, None, cls)
        if dispatch and not entered:
            yield _entry((dispatch,), module, line, self._declared(cls) or ("GET",), rule, None, cls)

    def _declared(self, cls: Function) -> tuple[str, ...]:
        bindings = self._world.scope(*cls)["names"].get("methods", ())
        return next((_words(each[1]) for each in bindings if each[0] == "e"), ())

    def _methods_of(self, cls: Function) -> dict[str, Function]:
        found: dict[str, Function] = {}
        for ancestor in self._world.ancestors(("C", *cls)):
            if ancestor[0] == "C":
                for name, bindings in self._world.scope(ancestor[1], ancestor[2])["names"].items():
                    for each in bindings:
                        if each[0] == "d" and self._world.scope(ancestor[1], each[1])["kind"] == "f":
                            found.setdefault(name, (ancestor[1], each[1]))
        return found

    def _unregistered(self) -> Iterator[Entry]:
        """Class-based views whose registration the source does not tell."""
        for module, summary in enumerate(self._world.summaries):
            for number, scope in enumerate(summary["scopes"]):
                if scope["kind"] == "c" and (module, number) not in self._views and self._is_view((module, number)):
                    members = self._methods_of((module, number))
                    own = {
                        name: each
                        for name, each in members.items()
                        if each[0] == module and summary["scopes"][each[1]]["parent"] == number
                    }
                    functions = tuple(own[name] for name in (*METHODS, "dispatch_request") if name in own)
                    yield _entry(
                        functions, module, scope["line"], ("ANY",), f"? ({scope['name']})", None, (module, number)
                    )

    def _is_view(self, cls: Function) -> bool:
        for each in self._world.ancestors(("C", *cls)):
            if each[0] == "O":
                top, last = each[1].partition(".")[0], each[1].rpartition(".")[2]
                if top.startswith("flask") and last in ("View", "MethodView", "Resource", "FlaskView"):
                    return True
        return False

    # Blueprints

    def _blueprint(self, key: Any) -> _Blueprint:
        if key not in self._blueprints:
            module, scope, name = key
            self._blueprints[key] = _Blueprint(next((
                _word(each[1][3].get("url_prefix")) or ""
                for each in self._world.scope(module, scope)["names"].get(name, ())
                if each[0] == "e" and each[1] and each[1][0] == "c"
            ), ""))  # fmt: skip
        return self._blueprints[key]

    def _origin(self, module: int, expression: Expression | None) -> Any:
        """The variable that a name or `module.name` means, through imports."""
        if not expression or expression[0] not in "na":
            return None
        if expression[0] == "a":
            for value in self._world.of(module, expression[1]):
                if value[0] == "M":
                    return self._variable(value[1], 0, expression[2])
            return None
        return self._variable(module, expression[2], expression[1]) if expression[2] >= 0 else None

    def _variable(self, module: int, scope: int, name: str, depth: int = 0) -> Any:
        for each in self._world.scope(module, scope)["names"].get(name, ()):
            if each[0] == "f" and depth < 8:
                for value in self._world.module(module, each[1], each[2]):
                    if value[0] == "M" and value[1] != module:
                        return self._variable(value[1], 0, each[3], depth + 1)
        return (module, scope, name)

    def _prefix(self, module: int, owner: Expression | None) -> str:
        key = self._origin(module, owner)
        return self._prefix_of(key, 0) if key else ""

    def _prefix_of(self, key: Any, depth: int) -> str:
        blueprint = self._blueprint(key)
        if not blueprint.registered or depth > 8:
            return blueprint.prefix
        given, parent = blueprint.registered[0]
        above = self._prefix_of(parent, depth + 1) if parent and parent != key else ""
        return (
            _joined(above, given if given is not None else blueprint.prefix)
            if above
            else given
            if given is not None
            else blueprint.prefix
        )


_REGISTERING = HOOKS | {"add_url_rule", "add_resource", "register_blueprint"}


def _entry(
    functions: tuple[Function, ...], module: int, line: int, methods: tuple[str, ...], rule: str | None,
    endpoint: str | None, cls: Function | None = None,
) -> Entry:  # fmt: skip
    name = f"{','.join(methods)} {rule or '?'}"
    return Entry("view", name, functions, module, line, methods, rule, endpoint, cls)


def _calls_of(expression: Expression) -> Iterator[Expression]:
    """Each call of a chain."""
    while expression[0] in "asc":
        if expression[0] == "c":
            yield expression
        expression = expression[1]


def _word(expression: Expression | None) -> str | None:
    return expression[1] if expression and expression[0] == "k" and isinstance(expression[1], str) else None


def _words(expression: Expression | None) -> tuple[str, ...]:
    found = [_word(each) for each in expression[1]] if expression and expression[0] == "t" else [_word(expression)]
    return tuple(each.upper() for each in found if each)


def _joined(prefix: str, rule: str | None) -> str:
    if rule is None:
        return f"{prefix}?" if prefix else "?"
    return prefix.rstrip("/") + "/" + rule.lstrip("/") if prefix and rule else prefix or rule or "/"


def _is_foreign(value: Value) -> bool:
    return value[0] in "JO" and str(value[1]).partition(".")[0] in FOREIGN
