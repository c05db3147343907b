"""Each use of a proxy, and each call that needs the context, with its function; and who calls whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from contract_tests.migration.survey.calls import Calls
from contract_tests.migration.survey.expressions import Expression, root_of, text_of
from contract_tests.migration.survey.kinds import WRAPPED, Value
from contract_tests.migration.survey.known import BOUND, CONTEXT, FREE, LEADING
from contract_tests.migration.survey.reads import Read, read_of
from contract_tests.migration.survey.routes import Function
from contract_tests.migration.survey.values import World

_BUILTIN_METHODS = frozenset(name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind))


@dataclass(slots=True)
class Use:
    """A use of a proxy. `module` and `function` are where it stands; function is None at a module's level.

    `via` is the name by which it is used, where that is not the proxy's own.
    """

    module: int
    function: Function | None
    line: int
    column: int
    proxy: str
    read: Read
    via: str | None = None
    then: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Need:
    """A use of what needs the context without naming a proxy: `url_for`, an extension's object."""

    module: int
    function: Function | None
    line: int
    column: int
    name: str


@dataclass(slots=True)
class Unresolved:
    """A call of which the source does not tell what it calls."""

    module: int
    function: Function | None
    line: int
    column: int
    name: str


class Uses:
    """Goes through every chain of names once."""

    def __init__(self, world: World, calls: Calls) -> None:
        self._world = world
        self._calls = calls
        self.uses: list[Use] = []
        self.needs: list[Need] = []
        self.unresolved: list[Unresolved] = []
        self._owners: list[list[int]] = [_owners(summary["scopes"]) for summary in world.summaries]
        self._refs: dict[int, dict[int, list[list[Any]]]] = {}
        self._deriving: set[Function] = set()
        world.derivation = self._derivation

    def find(self) -> None:
        for module, summary in enumerate(self._world.summaries):
            for ref in summary["refs"]:
                self._ref(module, ref)
            for scope, name, line, column in summary["loose"]:
                self.unresolved.append(Unresolved(module, self._function(module, scope), line, column, name))

    def _function(self, module: int, scope: int) -> Function | None:
        owner = self._owners[module][scope]
        return (module, owner) if owner > 0 else None

    def _ref(self, module: int, ref: list[Any]) -> None:
        scope, expression, line, column, how = ref
        if self._is_elsewhere(module, expression):
            return
        function = self._function(module, scope)
        called: list[Value] = []
        values = self._world.of(module, expression, called.append)
        if how != "calls":
            proxy = outside = None
            for value in values:
                if value[0] == "P":
                    proxy = proxy or value
                elif value[0] in "OJ":
                    outside = value
            if proxy:
                self._proxy(module, function, ref, proxy)
            elif outside or any(each[0] in "OJ" for each in called):
                self._context(module, function, ref, [*called, *values])
        for value in called:
            if value[0] == "?":
                name = text_of(value[1])
                self.unresolved.append(Unresolved(module, function, line, column, name.rpartition(".")[2]))
            elif function and value[0] in "FCI":
                self._calls.called(function, value, expression, line)
        if function and how != "w":
            for value in values:
                if value[0] == "F":
                    self._calls.passed(function, value, how, line)
        if function and how == "enter":
            self._with(function, values, line)

    def _is_elsewhere(self, module: int, expression: Expression) -> bool:
        """Whether a chain begins outside, where no name leads to a proxy: half of all chains, and passed over at once.

        What is called of an item, or of what a call gives, is not resolved, and is to be counted.
        """
        called = False
        while expression[0] in "asc":
            if called and expression[0] != "a":
                return False
            called = called or expression[0] == "c"
            expression = expression[1]
        if expression[0] != "n":
            return False
        values = self._world.name(module, expression[2], expression[1])
        return bool(values) and all(each[0] == "O" and _leads_nowhere(each[1]) for each in values)

    def _with(self, function: Function, values: tuple[Value, ...], line: int) -> None:
        for value in values:
            for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
                for each in self._world.attribute(value, name) if value[0] == "I" else ():
                    if each[0] == "F":
                        self._calls.add(function, (each[1], each[2]), line)

    def _proxy(self, module: int, function: Function | None, ref: list[Any], value: Value) -> None:
        _, expression, line, column, how = ref
        _, proxy, steps, derived = value
        prefix, first = self._before(module, expression, proxy)
        # What a call gives is no use by itself, and a name that is bound anew is none.
        if first is None or prefix[0] == "c" or (prefix is expression and how in ("w", "d")):
            return
        if first[2]:
            self._then(module, function, expression, how)
            return
        name = root_of(expression)
        plain = name[1] == proxy or text_of(expression).startswith(f"flask.{proxy}")
        read = read_of(
            proxy, (*derived, *steps), how, bare=not steps, own=text_of(prefix) if WRAPPED in derived else None
        )
        self.uses.append(Use(module, function, line, column, proxy, read, None if plain else name[1]))

    def _before(self, module: int, expression: Expression, proxy: str) -> tuple[Expression, Value | None]:
        """The proxy as it first stands in a chain: with nothing taken of it, or already in part."""
        prefixes = [expression]
        while prefixes[-1][0] in "asc":
            prefixes.append(prefixes[-1][1])
        for prefix in reversed(prefixes):
            for value in self._world.of(module, prefix):
                if value[0] == "P" and value[1] == proxy:
                    return prefix, value
        return expression, None

    def _then(self, module: int, function: Function | None, expression: Expression, how: Any) -> None:
        """What is read of a value that was taken of a proxy before: `data = request.get_json(); data["name"]`."""
        text = text_of(expression)
        for use in reversed(self.uses):
            if use.module != module or use.function != function:
                break
            if how == "r" or isinstance(how, list):
                use.then.append(text)
            break

    def _context(self, module: int, function: Function | None, ref: list[Any], values: list[Value]) -> None:
        _, expression, line, column, how = ref
        for value in values:
            if value[0] not in "OJ":
                continue
            name = _needs(str(value[1]), expression, function is not None)
            if name:
                if isinstance(how, list) and how[0] == "decorates":
                    function = (module, how[1])
                self.needs.append(Need(module, function, line, column, name))
                return

    # LocalProxy of a function that reads a proxy somewhere within

    def _derivation(self, module: int, scope: int, depth: int = 3) -> str | None:
        function = (module, scope)
        if function in self._deriving or depth == 0:
            return None
        self._deriving.add(function)
        try:
            called: list[Value] = []
            for _, expression, *_ in self._refs_of(module).get(scope, ()):
                for value in self._world.of(module, expression, called.append):
                    if value[0] == "P":
                        return str(value[1])
            for value in called:
                found = self._derivation(value[1], value[2], depth - 1) if value[0] == "F" else None
                if found:
                    return found
            return None
        finally:
            self._deriving.discard(function)

    def _refs_of(self, module: int) -> dict[int, list[list[Any]]]:
        if module not in self._refs:
            found: dict[int, list[list[Any]]] = {}
            for ref in self._world.summaries[module]["refs"]:
                found.setdefault(self._owners[module][ref[0]], []).append(ref)
            self._refs[module] = found
        return self._refs[module]


@cache
def _leads_nowhere(full: str) -> bool:
    return full.partition(".")[0] not in LEADING and not full.startswith("flask")


def is_probably_builtin(name: str) -> bool:
    """Whether a method of an unknown object is most likely one of Python's own kinds."""
    return name in _BUILTIN_METHODS


def _needs(full: str, expression: Expression, runs: bool) -> str | None:
    """What needs the context, of an outside name; None where it needs none."""
    if not full.startswith("flask"):
        return None
    parts = full.split(".")
    for end in range(len(parts), 1, -1):
        name = CONTEXT.get(".".join(parts[:end]))
        if name:
            return name
    if not parts[0].startswith("flask_") or len(parts) < 3 or not runs:
        return None
    owner = next((at for at, part in enumerate(parts) if part[:1].isupper() or part.endswith("()")), None)
    if owner is None or owner + 1 >= len(parts):
        return None
    member = parts[owner + 1]
    bound = BOUND.get(".".join(parts[: owner + 1]))
    if (
        (member not in bound)
        if bound is not None
        else (member in FREE or member[:1].isupper() or not _calls(expression, member))
    ):
        return None
    return _shortened(expression, member)


def _calls(expression: Expression, member: str) -> bool:
    while expression[0] in "asc":
        if expression[0] == "c" and expression[1][0] == "a" and expression[1][2] == member:
            return True
        expression = expression[1]
    return False


def _shortened(expression: Expression, member: str) -> str:
    while expression[0] in "asc" and not (expression[0] == "a" and expression[2] == member):
        expression = expression[1]
    return text_of(expression)


def _owners(scopes: list[dict[str, Any]]) -> list[int]:
    """The function that each scope's code runs in; 0 for a module's and its classes' own."""
    found: list[int] = []
    for number, scope in enumerate(scopes):
        found.append(number if scope["kind"] in "fl" else found[scope["parent"]] if number else 0)
    return found
