"""Asks an application for its routes, only where the user names one: `module:attribute` or `module:factory()`.

It is told by what it has, never by its class: a `url_map` is Flask's, `routes` are Starlette's. The engine has its own
way to load an application; these tools stand alone, so they load by this module.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.migration.routes.paths import joined

_SPEC = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<attributes>[A-Za-z_][\w.]*)(?P<call>\(\))?")
_AUTOMATIC = {"HEAD", "OPTIONS"}


class AskError(ValueError):
    """A SPEC that names no application with routes; the message is one line."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A route as the application has it: `source`: where its function begins; `guards`: where what runs before does."""

    method: str
    path: str
    source: tuple[str, int, str] | None
    automatic: tuple[str, ...] = ()
    guards: tuple[tuple[str, int, str], ...] = ()


def is_spec(text: str) -> bool:
    return _SPEC.fullmatch(text) is not None and not Path(text).exists()


def ask(spec: str) -> list[Asked]:
    """The routes of the application that a SPEC names. Raises AskError."""
    app = _application(spec)
    if hasattr(app, "url_map"):
        return list(_of_flask(app))
    if hasattr(app, "routes"):
        return list(_of_starlette(app.routes, "", ()))
    raise AskError(f"{spec!r} has neither a url_map nor routes: it is of type {type(app).__name__}")


def folder_of(spec: str) -> Path:
    """Where the code of a SPEC's module stands: its package's folder, or its file."""
    file = getattr(sys.modules.get(spec.partition(":")[0]), "__file__", None)
    if not file:
        raise AskError(f"{spec!r}: its module has no file")
    path = Path(file)
    return path.parent if path.name == "__init__.py" or (path.parent / "__init__.py").exists() else path


def _application(spec: str) -> Any:
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise AskError(f"{spec!r} is no path and no SPEC such as package.module:create_app()")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        app: Any = importlib.import_module(found["module"])
        for attribute in found["attributes"].split("."):
            app = getattr(app, attribute)
        return app() if found["call"] else app
    except (Exception, SystemExit) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise AskError(f"{spec!r} raised {told}") from error


def _of_flask(app: Any, prefix: str = "") -> Iterator[Asked]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if rule.endpoint == "static" or rule.endpoint.endswith(".static"):
            continue
        methods = set(rule.methods or ())
        own = _written(rule, methods)
        automatic = tuple(sorted(methods - own))
        for method in sorted(own):
            function = _method_of(view, method)
            guards = tuple(filter(None, (_source(each) for each in _hooks(app, rule.endpoint))))
            answered = tuple(each for each in automatic if each != "HEAD" or method == "GET")
            yield Asked(method, joined(prefix, rule.rule), _source(function), answered, guards)
    # Werkzeug's dispatcher keeps the other applications by their prefixes.
    for path, other in getattr(app.wsgi_app, "mounts", {}).items():
        inner = getattr(other, "__self__", other)
        if hasattr(inner, "url_map"):
            yield from _of_flask(inner, joined(prefix, path))


def _written(rule: Any, methods: set[str]) -> set[str]:
    """The methods that somebody wrote; Flask adds HEAD and OPTIONS by itself."""
    if getattr(rule, "provide_automatic_options", None) is False:
        return methods - {"HEAD"}
    return methods - _AUTOMATIC or methods


def _method_of(view: Any, method: str) -> Any:
    cls = getattr(view, "view_class", None)
    return (getattr(cls, method.lower(), None) or getattr(cls, "dispatch_request", None)) if cls else view


def _hooks(app: Any, endpoint: str) -> Iterator[Callable[..., Any]]:
    names = endpoint.split(".")[:-1]
    scopes = [None, *(".".join(names[: end + 1]) for end in range(len(names)))]
    for scope in scopes:
        yield from getattr(app, "before_request_funcs", {}).get(scope, ())
        yield from getattr(app, "url_value_preprocessors", {}).get(scope, ())


def _of_starlette(routes: Any, prefix: str, guards: tuple[tuple[str, int, str], ...]) -> Iterator[Asked]:
    for route in routes:
        # FastAPI keeps an included router as one route, and tells its own by this.
        if hasattr(route, "effective_route_contexts"):
            yield from _of_starlette(
                [getattr(each, "starlette_route", None) or each for each in route.effective_route_contexts()],
                prefix,
                guards,
            )
            continue
        path = prefix + (getattr(route, "path", "") or "")
        below = getattr(route, "routes", None)
        if below is not None and not getattr(route, "methods", None):
            yield from _of_starlette(below, path, guards)
            continue
        if not getattr(route, "include_in_schema", True) and _is_own(route):
            continue
        methods = set(getattr(route, "methods", None) or ())
        dependant = getattr(route, "dependant", None)
        before = tuple(filter(None, (_source(each) for each in _dependencies(dependant))))
        for method in sorted(methods - {"HEAD"} or methods):
            automatic = ("HEAD",) if "HEAD" in methods and method == "GET" else ()
            yield Asked(method, path, _source(getattr(route, "endpoint", None)), automatic, (*guards, *before))


def _is_own(route: Any) -> bool:
    """Whether a route is the framework's: its document and its pages."""
    return str(getattr(route.endpoint, "__module__", "")).startswith(("fastapi.", "starlette."))


def _dependencies(dependant: Any) -> Iterator[Any]:
    for each in getattr(dependant, "dependencies", ()):
        yield each.call
        yield from _dependencies(each)


def _source(function: Any) -> tuple[str, int, str] | None:
    """The file, first line and name of a function, within its wrappers."""
    if function is None:
        return None
    try:
        inner = inspect.unwrap(function)
    except ValueError:
        inner = function
    inner = getattr(inner, "__func__", getattr(inner, "func", inner))
    made = getattr(inner, "__code__", None)
    return (made.co_filename, made.co_firstlineno, made.co_name) if made else None
