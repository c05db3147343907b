"""What names and expressions stand for, across modules.

A value is a tuple: `("P", proxy, steps, derived)` a proxy and what was taken of it, `("M", module)`, `("D", folder)`,
`("F", module, scope)` a function, `("C", module, scope)` a class, `("I", module, scope)` an object of it,
`("V", module, scope)` its `as_view()`, `("O", name)` something outside, `("J", name)` an object of an outside class.
A sink is also told `("?", expression)`: a call of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from contract_tests.migration.survey.expressions import Expression, element_at
from contract_tests.migration.survey.kinds import RETURNED, WRAPPED, Sink, Value, Values, bare, some, step_of
from contract_tests.migration.survey.known import (
    CASTS,
    CONTEXT,
    LOCAL_PROXIES,
    PARTIALS,
    canonical,
    proxy_of,
)
from contract_tests.migration.survey.modules import Modules
from contract_tests.migration.survey.sources import Sources
from contract_tests.migration.survey.summary import Summary


class World(Sources):
    """All given modules; answers what an expression in one of them stands for."""

    def __init__(self, summaries: list[Summary], modules: Modules) -> None:
        super().__init__(summaries, modules)
        self._memo: dict[Any, Values] = {}
        self._ancestors: dict[tuple[int, int], list[Value]] = {}
        self._stars: set[int] = set()
        self._outside: dict[tuple[str, str], Values] = {}
        self.derivation: Callable[[int, int], str | None] = lambda *_: None

    # Expressions

    def of(self, module: int, expression: Expression | None, sink: Sink | None = None) -> Values:
        """What an expression may stand for; the sink is told of each value that is called on the way."""
        if expression is None:
            return ()
        kind = expression[0]
        if kind == "n":
            known = self._memo.get((module, expression[2], expression[1]))
            return self.name(module, expression[2], expression[1]) if known is None else known
        if kind == "a":
            owners = self.of(module, expression[1], sink)
            if not owners:
                return ()
            if len(owners) == 1 and owners[0][0] in "OM":  # most are, and stand for one thing
                return self.attribute(owners[0], expression[2])
            return some(each for owner in owners for each in self._read(owner, expression, sink))
        if kind == "c":
            return self._called(module, expression, sink)
        if kind == "s":
            owners = self.of(module, expression[1], sink)
            return some(step_of(owner, ("s", expression[2])) for owner in owners if owner[0] == "P")
        if kind == "|":
            return some(each for part in expression[1] for each in self.of(module, part, sink))
        if kind == "l":
            return (("F", module, expression[1]),)
        return ()

    def _read(self, owner: Value, expression: Expression, sink: Sink | None) -> Iterator[Value]:
        if owner[0] == "P":
            yield step_of(owner, ("a", expression[2], expression[3]))
            return
        for value in self.attribute(owner, expression[2]):
            if value[0] == "F" and owner[0] == "I" and self.is_property(value):
                if sink:
                    sink(value)
                yield from self.returned(value)
            else:
                yield value

    def _called(self, module: int, expression: Expression, sink: Sink | None) -> Values:
        _, callee, arguments, keywords = expression
        if callee[0] == "n" and callee[1] == "super" and callee[2] == -1:
            return ()
        if callee[0] == "a" and callee[1][0] == "c" and callee[1][1][:2] == ["n", "super"]:
            return self._super(module, callee, sink)
        if callee[0] == "a" and callee[2] == "as_view":
            return tuple(("V", *each[1:]) for each in self.of(module, callee[1], sink) if each[0] == "C")
        found: list[Value] = []
        values = self.of(module, callee, sink)
        if sink and not values:
            sink(("?", callee))
        for value in values:
            if sink:
                sink(value)
            found.extend(self.given(module, value, arguments, keywords))
        return some(found)

    def _super(self, module: int, callee: Expression, sink: Sink | None) -> Values:
        where = self.class_around(module, callee[1][1][3] if len(callee[1][1]) > 3 else -1)
        found: list[Value] = []
        if where:
            for ancestor in self.ancestors(where)[1:]:
                members = self._own_member(ancestor, callee[2]) if ancestor[0] == "C" else ()
                for value in members:
                    if sink:
                        sink(value)
                    found.extend(self.returned(value) if value[0] == "F" else ())
                if members:
                    break
        return some(found)

    def given(self, module: int, value: Value, arguments: list[Any], keywords: dict[str, Any]) -> Values:
        """What a call gives."""
        kind = value[0]
        if kind == "P":
            return (step_of(value, ("c", arguments, keywords)),)
        if kind == "F":
            return self.returned(value)
        if kind == "C":
            if self.is_local_proxy(value):
                return self._derived(module, arguments, keywords)
            return (("I", *value[1:]),)
        if kind == "I":
            return some(
                each for call in self.attribute(value, "__call__") if call[0] == "F" for each in self.returned(call)
            )
        if kind == "O":
            return self._from_outside(module, value[1], arguments, keywords)
        return ()

    def _from_outside(self, module: int, full: str, arguments: list[Any], keywords: dict[str, Any]) -> Values:
        if full in LOCAL_PROXIES:
            return self._derived(module, arguments, keywords)
        if full in CASTS:
            return self.of(module, arguments[1]) if len(arguments) > 1 else ()
        if full in PARTIALS:
            return self.of(module, arguments[0]) if arguments else ()
        last = full.rpartition(".")[2]
        return (("J", full),) if last[:1].isupper() else (("J", full + "()"),) if full.startswith("flask_") else ()

    # Proxies of proxies

    def is_local_proxy(self, value: Value) -> bool:
        return any(each[0] == "O" and each[1] in LOCAL_PROXIES for each in self.ancestors(value))

    def _derived(self, module: int, arguments: list[Any], keywords: dict[str, Any]) -> Values:
        """What `LocalProxy(...)` stands for: what its function returns, as far as that comes from a proxy of Flask."""
        name = arguments[1][1] if len(arguments) > 1 and arguments[1] and arguments[1][0] == "k" else None
        step: tuple[Any, ...] = (("a", name, None),) if isinstance(name, str) else ()
        for value in self.of(module, arguments[0] if arguments else keywords.get("local")):
            if value[0] == "P":
                return (("P", value[1], (), (*bare(value), *step)),)
            if value[0] != "F":
                continue
            for each in self._returned_raw(value):
                if each[0] == "P":
                    return (("P", each[1], (), (*bare(each), *step)),)
            proxy = self.derivation(value[1], value[2])
            if proxy:
                return (("P", proxy, (), (WRAPPED,)),)
        return (("J", "werkzeug.local.LocalProxy"),)

    # Functions

    def returned(self, function: Value) -> Values:
        """What a call of a function gives. A proxy that it hands out is no use at the place of the call."""
        return some(
            ("P", each[1], each[2] or (RETURNED,), each[3]) if each[0] == "P" else each
            for each in self._returned_raw(function)
        )

    def _returned_raw(self, function: Value) -> Values:
        _, module, number = function
        scope = self.scope(module, number)

        def ask() -> Values:
            found = some(each for value in scope.get("returns", ()) for each in self.of(module, value))
            return found or self._objects(module, scope.get("gives"))

        return self._once(("returns", module, number), ask)

    def _objects(self, module: int, kind: Expression | None) -> Values:
        """Objects of the classes that an annotation names."""
        return some(
            (("I", *each[1:]) if each[0] == "C" else ("J", each[1]))
            for each in self.of(module, kind)
            if each[0] in "CO"
        )

    # Names

    def name(self, module: int, scope: int, name: str) -> Values:
        return self._once((module, scope, name), lambda: self._name(module, scope, name))

    def _once(self, key: Any, ask: Callable[[], Values]) -> Values:
        found = self._memo.get(key)
        if found is None:
            self._memo[key] = ()  # what stands for itself stands for nothing more
            self._memo[key] = found = ask()
        return found

    def _name(self, module: int, scope: int, name: str) -> Values:
        if scope == -1:
            return self._starred(module, name) or (("O", f"builtins.{name}"),)
        bindings = self.scope(module, scope)["names"].get(name, ())
        certain = [each for each in bindings if each[0] != "T"]
        found = [value for each in certain or bindings for value in self._bound(module, scope, each)]
        if not found and scope == 0:
            found = list(self._starred(module, name))
        return some(found)

    def _starred(self, module: int, name: str) -> Values:
        if module in self._stars:
            return ()
        self._stars.add(module)
        try:
            found: list[Value] = []
            for scope in self.summaries[module]["scopes"]:
                for level, dotted in scope.get("stars", ()):
                    found.extend(self._star(module, level, dotted, name))
            return some(found)
        finally:
            self._stars.discard(module)

    def _star(self, importer: int, level: int, dotted: str, name: str) -> Values:
        for target in self.module(importer, level, dotted):
            if target[0] == "O":
                full = canonical(f"{target[1]}.{name}")
                return self.attribute(target, name) if proxy_of(full) or full in CONTEXT else ()
            if target[0] == "M":
                exported = self.summaries[target[1]]["all"]
                if name in exported if exported is not None else not name.startswith("_"):
                    return self.member_of_module(target[1], name)
        return ()

    def _bound(self, module: int, scope: int, binding: list[Any]) -> Values:
        kind = binding[0]
        if kind == "e":
            return self.of(module, binding[1])
        if kind == "d":
            made = self.scope(module, binding[1])
            return (("C" if made["kind"] == "c" else "F", module, binding[1]),)
        if kind == "f":
            return self._imported(module, binding[1], binding[2], binding[3])
        if kind == "i":
            return self.module(module, 0, binding[1])
        if kind == "p":
            return self._parameter(module, scope, binding)
        if kind == "h":
            return self._objects(module, binding[1])
        if kind == "w":
            return self._entered(module, binding[1])
        if kind == "x":
            return self._looped(module, binding[1], binding[2])
        return self._bound(module, scope, binding[1]) if kind == "T" else ()

    def _looped(self, module: int, iterated: Expression, path: list[int]) -> Values:
        """What a loop binds, where it runs over what is written out."""
        found: list[Value] = []
        for element in self.elements(module, iterated):
            found.extend(self.of(module, element_at(element, path)))
        return some(found)

    def _entered(self, module: int, expression: Expression) -> Values:
        """What `with ... as` binds; an object that does not say gives itself."""
        found: list[Value] = []
        for value in self.of(module, expression):
            enter = [each for each in self.attribute(value, "__enter__") if each[0] == "F"] if value[0] == "I" else []
            given = [each for function in enter for each in self.returned(function)]
            found.extend(given or [value])
        return some(found)

    def _parameter(self, module: int, scope: int, binding: list[Any]) -> Values:
        _, default, annotation, is_first = binding
        if is_first:
            each = self.scope(module, scope)
            function = ("F", module, scope)
            if self.is_marked(function, ("staticmethod",)):
                return ()
            is_class = self.is_marked(function, ("classmethod",)) or each["name"] in ("__new__", "__init_subclass__")
            return (("C" if is_class else "I", module, each["parent"]),)
        return some([*self._objects(module, annotation), *self.of(module, default)])

    # Imports

    def _imported(self, importer: int, level: int, dotted: str, name: str) -> Values:
        found = []
        for module in self.module(importer, level, dotted):
            if module == ("M", importer):
                # A package's own `from . import name` means the module below it.
                below = self.modules.at(f"{self.modules.paths[importer]}/{name}")
                found.extend([("M", below)] if isinstance(below, int) else [])
                continue
            found.extend(self.attribute(module, name))
        return some(found)

    def member_of_module(self, module: int, name: str) -> Values:
        proxy = self.flask_itself(module, name)
        if proxy:
            return (("P", proxy, (), ()),)
        found = self.name(module, 0, name)
        if found and found[0][:2] != ("O", f"builtins.{name}"):
            return found
        below = self.modules.at(f"{self.modules.paths[module]}/{name}") if self.modules.is_package(module) else None
        if below is None:
            return ()
        return (("M", below),) if isinstance(below, int) else (("D", below),)

    # Members

    def attribute(self, value: Value, name: str) -> Values:
        """What a member of a value stands for."""
        kind = value[0]
        if kind == "M":
            return self.member_of_module(value[1], name)
        if kind == "D":
            below = self.modules.at(f"{value[1]}/{name}")
            return () if below is None else (("M", below),) if isinstance(below, int) else (("D", below),)
        if kind == "O":
            key = (value[1], name)
            known = self._outside.get(key)
            if known is None:
                full = canonical(f"{value[1]}.{name}")
                proxy = proxy_of(full)
                known = self._outside[key] = (("P", proxy, (), ()),) if proxy else (("O", full),)
            return known
        if kind == "J":
            return (("O", f"{value[1]}.{name}"),)
        if kind in "CI":
            return self._once((value, name), lambda: self._member(value, name))
        return ()

    def _member(self, value: Value, name: str) -> Values:
        outside = None
        for ancestor in self.ancestors(("C", *value[1:])):
            if ancestor[0] == "O":
                outside = outside or ancestor[1]
                continue
            found = self._own_member(ancestor, name)
            if found or name in self.scope(ancestor[1], ancestor[2])["names"]:
                return found
        return (("O", f"{outside}.{name}"),) if outside and not outside.startswith("builtins.") else ()

    def _own_member(self, cls: Value, name: str) -> Values:
        _, module, number = cls
        scope = self.scope(module, number)
        found = self.name(module, number, name) if name in scope["names"] else ()
        own = scope.get("own", {}).get(name, ())
        return some([*found, *(value for each in own for value in self._bound(module, number, each))])

    def ancestors(self, cls: Value) -> list[Value]:
        """A class and all that it inherits from, the nearest first; outside ones by name."""
        key = (cls[1], cls[2])
        if key not in self._ancestors:
            self._ancestors[key] = [cls]
            found: list[Value] = [cls]
            for base in self.scope(*key).get("bases", ()):
                for value in self.of(cls[1], base):
                    more = self.ancestors(value) if value[0] == "C" else [value] if value[0] == "O" else []
                    found.extend(each for each in more if each not in found)
            self._ancestors[key] = found
        return self._ancestors[key]
