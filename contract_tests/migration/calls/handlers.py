"""Finds what FastAPI and Starlette run on the event loop: whatever is declared `async def` and handed to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from contract_tests.migration.calls.inference import Inference
from contract_tests.migration.calls.syntax import last_name
from contract_tests.migration.calls.values import (
    Class,
    Function,
    Instance,
    Outside,
    Scope,
    Value,
    arguments_of,
)

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace", "api_route", "route")
_DECORATORS = {
    **dict.fromkeys((*_VERBS, "websocket", "websocket_route"), "handler"),
    "middleware": "middleware",
    "exception_handler": "exception handler",
    "on_event": "lifespan",
}
# Where each takes the function: by position, and by name.
_TAKERS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "Depends": ("dependency", 0, ("dependency",)),
    "Security": ("dependency", 0, ("dependency",)),
    **dict.fromkeys(
        ("Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute"), ("handler", 1, ("endpoint", "route"))
    ),
    **{
        f"add_{name}": ("handler", 1, ("endpoint", "route"))
        for name in ("api_route", "route", "api_websocket_route", "websocket_route")
    },
    "add_exception_handler": ("exception handler", 1, ("handler",)),
    "add_event_handler": ("lifespan", 1, ("func",)),
}
_KEYWORDS = {
    "lifespan": "lifespan",
    "on_startup": "lifespan",
    "on_shutdown": "lifespan",
    "exception_handlers": "exception handler",
}
# Methods that are run on the loop by what the class inherits from.
_METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "BaseHTTPMiddleware": ("middleware", ("dispatch",)),
    "HTTPEndpoint": ("handler", _VERBS),
    "WebSocketEndpoint": ("handler", ("on_connect", "on_receive", "on_disconnect")),
    "AuthenticationBackend": ("middleware", ("authenticate",)),
    "Response": ("response", ("__call__",)),
}

Root = tuple[Function, str]


def find_handlers(inference: Inference) -> dict[Function, str]:
    """Every function that runs on the loop by itself, with what it is."""
    found: dict[Function, str] = {}
    for scope in list(inference.scopes()):
        for function, kind in _roots(scope, inference):
            found.setdefault(function, kind)
            for wrapper in _wrappers(function, inference):
                found.setdefault(wrapper, "decorator")
    return found


def _roots(scope: Scope, inference: Inference) -> Iterator[Root]:
    if isinstance(scope.node, ast.ClassDef):
        yield from _of_class(Class(scope), inference)
    elif isinstance(scope.node, ast.AsyncFunctionDef):
        for decorator in scope.node.decorator_list:
            # `@app.get("/")`, and not `@get`.
            called = decorator.func if isinstance(decorator, ast.Call) else None
            if isinstance(called, ast.Attribute) and (kind := _DECORATORS.get(called.attr)):
                yield Function(scope), kind
    for node in _evaluated(scope):
        if isinstance(node, ast.Call):
            yield from _taken(node, scope, inference)


def _evaluated(scope: Scope) -> Iterator[ast.AST]:
    """Every node that is evaluated in a scope: its body's, and the decorators, defaults and annotations in it."""
    for node in scope.nodes:
        yield node
        heads: list[ast.AST] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            heads = [node.args, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            heads = [*node.decorator_list, *node.bases]
        for head in heads:
            yield from ast.walk(head)


def _taken(node: ast.Call, scope: Scope, inference: Inference) -> Iterator[Root]:
    name = last_name(node.func)
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    if name in _TAKERS:
        kind, position, keywords = _TAKERS[name]
        given = [*node.args[position : position + 1], *(named[each] for each in keywords if each in named)]
        for expression in given:
            yield from ((each, kind) for each in _run_by(expression, scope, inference))
    # Whatever class of app takes them.
    for keyword, kind in _KEYWORDS.items():
        for expression in _several(named.get(keyword)):
            yield from ((each, kind) for each in _run_by(expression, scope, inference))


def _several(node: ast.expr | None) -> list[ast.expr]:
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    return [] if node is None else [node]


def _run_by(expression: ast.expr, scope: Scope, inference: Inference) -> Iterator[Function]:
    """The functions on the loop behind what is handed over; a plain function or a class goes to a thread."""
    for value in inference.infer(expression, scope):
        found: tuple[Value, ...] = (value,)
        if isinstance(value, Instance):
            found = inference.attribute(value, "__call__")
        elif isinstance(value, Class):
            found = ()
        yield from (each for each in found if isinstance(each, Function) and each.is_async)


def _of_class(cls: Class, inference: Inference) -> Iterator[Root]:
    methods = {name: inner for inner in cls.scope.inner.values() if (name := getattr(inner.node, "name", ""))}
    call = methods.get("__call__")
    takes = arguments_of(call.node)[1:] if call is not None and isinstance(call.node, ast.AsyncFunctionDef) else []
    if call is not None and [each.arg for each in takes] == ["scope", "receive", "send"]:
        yield Function(call), "middleware"
    for base in inference.ancestors(cls):
        last = base.name.rpartition(".")[2] if isinstance(base, Outside) else ""
        kind, names = _METHODS.get(last, ("", ()))
        for name in names:
            if name in methods and isinstance(methods[name].node, ast.AsyncFunctionDef):
                yield Function(methods[name]), kind
        if last == "APIRoute" and "get_route_handler" in methods:
            for inner in methods["get_route_handler"].inner.values():
                if isinstance(inner.node, ast.AsyncFunctionDef):
                    yield Function(inner), "route class"


def _wrappers(function: Function, inference: Inference) -> Iterator[Function]:
    """The `async def`s within our own decorators of a function."""
    outer = function.scope.outer
    assert outer is not None
    for decorator in function.decorators:
        expression = decorator.func if isinstance(decorator, ast.Call) else decorator
        for value in inference.infer(expression, outer):
            if isinstance(value, Function):
                inner = (each for each in value.scope.all() if each is not value.scope)
                yield from (Function(each) for each in inner if isinstance(each.node, ast.AsyncFunctionDef))
