"""What a function calls as it runs: other given functions, and what blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contract_tests.migration.calls import blockers
from contract_tests.migration.calls.inference import Inference
from contract_tests.migration.calls.syntax import is_property, last_name, name_of
from contract_tests.migration.calls.values import Class, Function, Instance, Outside, Value, arguments_of

# They iterate a plain generator in a thread.
_STREAMS = {"StreamingResponse", "EventSourceResponse", "iterate_in_threadpool"}
# They call a function on the loop, now or later; `add_task` hands a plain one to a thread.
_CALLERS = {"call_soon", "call_later", "call_at", "call_soon_threadsafe", "add_done_callback", "map", "filter"}
_TASKS = {"add_task"}
# Decorators under which a function still runs where it is called.
_PLAIN = {
    "staticmethod",
    "classmethod",
    "property",
    "cached_property",
    "contextmanager",
    "wraps",
    "cache",
    "lru_cache",
    "override",
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """A call that blocks, by its dotted name, and why it does."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Call:
    """A place in a function, and what is called there; `accepted` is the reason beside it, None where none is said."""

    line: int
    target: Function | Blocker
    accepted: str | None


class Walk:
    """Finds the calls of each function, once."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._calls: dict[Function, tuple[Call, ...]] = {}
        self._parameters: dict[Function, frozenset[str]] = {}

    def calls(self, function: Function) -> tuple[Call, ...]:
        """What a function calls, in the order of the source."""
        if function not in self._calls:
            self._calls[function] = ()
            accepted = function.scope.source.accepted
            self._calls[function] = tuple(
                Call(node.lineno, target, next((accepted[line] for line in _lines(node) if line in accepted), None))
                for node, target in self._found(function)
            )
        return self._calls[function]

    def _found(self, function: Function) -> Iterator[tuple[ast.expr, Function | Blocker]]:
        nodes = function.scope.nodes
        awaited = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
        streamed = self._streamed(nodes)
        for node in nodes:
            if isinstance(node, ast.Call):
                for target in self._called(node, function, awaited=id(node) in awaited, streamed=id(node) in streamed):
                    yield node, target
            elif isinstance(node, ast.With):
                for item in node.items:
                    for target in self._entered(item.context_expr, function):
                        yield item.context_expr, target
            elif isinstance(node, ast.AsyncWith):
                for item in node.items:
                    for target in self._methods(item.context_expr, function, "__aenter__", "__aexit__"):
                        yield item.context_expr, target
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                for target in self._methods(node.value, function, node.attr):
                    if is_property(target):
                        yield node, target

    def _called(
        self, node: ast.Call, function: Function, *, awaited: bool, streamed: bool
    ) -> Iterator[Function | Blocker]:
        for callee in self._inference.infer(node.func, function.scope):
            for target in self._targets(callee, node, awaited=awaited):
                if isinstance(target, Function) and streamed and target.is_generator and not target.is_async:
                    continue
                yield target
                if isinstance(target, Function):
                    yield from self._handed(target, node, function)
                    yield from self._inference.overrides(target)
        if last_name(node.func) in _CALLERS | _TASKS:
            yield from self._called_back(node, function)

    def _targets(self, callee: Value, node: ast.Call, *, awaited: bool) -> Iterator[Function | Blocker]:
        match callee:
            case Function():
                # A plain function that is awaited has been made awaitable by a decorator: it runs elsewhere.
                foreign = {last_name(each) for each in callee.decorators} - _PLAIN
                if not (awaited and foreign and not callee.is_async):
                    yield callee
            case Class():
                yield from self._constructed(callee, node, awaited=awaited)
            case Instance(Class()):
                yield from (
                    each for each in self._inference.attribute(callee, "__call__") if isinstance(each, Function)
                )
            case Outside() | Instance(Outside()):
                name = name_of(callee)
                why = blockers.why_blocking(name) if name else None
                if name and why and not awaited and not _does_not_wait(node):
                    yield Blocker(name, why)

    def _constructed(self, cls: Class, node: ast.Call, *, awaited: bool) -> Iterator[Function | Blocker]:
        for name in ("__new__", "__init__", "__post_init__"):
            yield from (each for each in self._inference.attribute(cls, name) if isinstance(each, Function))
        for ancestor in self._inference.ancestors(cls):
            if isinstance(ancestor, Outside):
                yield from self._targets(ancestor, node, awaited=awaited)

    def _entered(self, node: ast.expr, function: Function) -> Iterator[Function | Blocker]:
        for value in self._inference.infer(node, function.scope):
            if isinstance(value, Instance) and isinstance(value.of, Class):
                owners = [each for each in self._inference.ancestors(value.of) if isinstance(each, Outside)]
            else:
                owners = [value.of] if isinstance(value, Instance) and isinstance(value.of, Outside) else []
            for owner in owners:
                if why := blockers.why_context_blocks(owner.name):
                    yield Blocker(f"with {owner.name}", why)
        yield from self._methods(node, function, "__enter__", "__exit__")

    def _methods(self, node: ast.expr, function: Function, *names: str) -> Iterator[Function]:
        for value in self._inference.infer(node, function.scope):
            if isinstance(value, Instance) and isinstance(value.of, Class):
                for name in names:
                    found = self._inference.attribute(value, name)
                    yield from (each for each in found if isinstance(each, Function))

    def _handed(self, target: Function, node: ast.Call, function: Function) -> Iterator[Function | Blocker]:
        """What is handed to a function that calls it."""
        wanted = self._called_parameters(target)
        if not wanted:
            return
        names = [each.arg for each in arguments_of(target.node)]
        if target.scope.owner is not None and isinstance(node.func, ast.Attribute):
            names = names[1:]
        given = dict(zip(names, node.args, strict=False)) | {each.arg: each.value for each in node.keywords if each.arg}
        for name in wanted & given.keys():
            for value in self._inference.infer(given[name], function.scope):
                yield from self._targets(value, ast.Call(given[name], [], []), awaited=False)

    def _called_parameters(self, function: Function) -> frozenset[str]:
        if function not in self._parameters:
            names = {each.arg for each in arguments_of(function.node)}
            nodes = function.scope.nodes
            awaited = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
            called = (node.func for node in nodes if isinstance(node, ast.Call) and id(node) not in awaited)
            self._parameters[function] = frozenset(each.id for each in called if isinstance(each, ast.Name)) & names
        return self._parameters[function]

    def _called_back(self, node: ast.Call, function: Function) -> Iterator[Function | Blocker]:
        tasks = last_name(node.func) in _TASKS
        if isinstance(node.func, ast.Attribute) and node.func.attr == "add_done_callback":
            # A thread's future calls it in that thread.
            future = Instance(Outside("concurrent.futures.Future"))
            if future in self._inference.infer(node.func.value, function.scope):
                return
        for argument in node.args[:2]:
            for value in self._inference.infer(argument, function.scope):
                if not tasks or (isinstance(value, Function) and value.is_async):
                    yield from self._targets(value, ast.Call(argument, [], []), awaited=False)

    def _streamed(self, nodes: Iterable[ast.AST]) -> set[int]:
        """The calls whose generator is iterated in a thread, whether handed over at once or by a name."""
        nodes = list(nodes)
        handed = [
            value
            for node in nodes
            if isinstance(node, ast.Call) and last_name(node.func) in _STREAMS
            for value in (*node.args, *(keyword.value for keyword in node.keywords))
        ]
        names = {value.id for value in handed if isinstance(value, ast.Name)}
        assigned = (
            node.value
            for node in nodes
            if isinstance(node, ast.Assign)
            and any(isinstance(each, ast.Name) and each.id in names for each in node.targets)
        )
        return {id(value) for value in (*handed, *assigned)}


def _does_not_wait(node: ast.Call) -> bool:
    """`acquire(blocking=False)`, `get(block=False)`, `acquire(False)`, `result(timeout=0)`, `waitpid(1, WNOHANG)`."""
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    first = node.args[:1] if last_name(node.func) in ("acquire", "get") else []
    flags = [*first, *(named[name] for name in ("blocking", "block") if name in named)]
    words = {last_name(each) for argument in node.args for each in ast.walk(argument) if isinstance(each, ast.expr)}
    if words & {"WNOHANG", "LOCK_NB", "LOCK_UN"}:
        return True
    refused = any(isinstance(flag, ast.Constant) and flag.value is False for flag in flags)
    timeout = named.get("timeout")
    return refused or (isinstance(timeout, ast.Constant) and timeout.value in (0, 0.0))


def _lines(node: ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
