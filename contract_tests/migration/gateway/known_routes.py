"""The routes that an app has, by its OpenAPI document or a list of them, and the table held against them."""

from __future__ import annotations

import json
from pathlib import Path

from contract_tests.migration.gateway.patterns import Pattern, PatternError
from contract_tests.migration.gateway.tables import Route, Table, TableError

Known = tuple[tuple[str, Pattern], ...]


def load_openapi(path: Path) -> Known:
    """The operations of an OpenAPI document in JSON. Raises TableError."""
    try:
        paths = json.loads(path.read_bytes())["paths"]
        named = [(method.upper(), each) for each, item in paths.items() for method in item]
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TableError(f"{path}: this is no OpenAPI document in JSON: it has no paths") from None
    return tuple((method, _pattern(each, str(path))) for method, each in named)


def load_routes(path: Path) -> Known:
    """The routes of a text file: a method and a path in each line, `#` begins a comment. Raises TableError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: byte {error.start} is not UTF-8") from None
    return tuple(
        _line(line, f"{path}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    )


def check_routes(table: Table, known: Known, *, name: str) -> None:
    """Raises TableError where a route of the table is none that the app has."""
    for route in table.routes:
        methods = {method for method, pattern in known if _is_meant(route, pattern)}
        if not methods:
            raise TableError(f"{name}: the app has no route {route.path}")
        missing = [each for each in route.methods if each not in methods | {"HEAD", "OPTIONS"}]
        if missing:
            raise TableError(f"{name}: the app has no {missing[0]} {route.path}, only {', '.join(sorted(methods))}")


def _is_meant(route: Route, known: Pattern) -> bool:
    """A route with a `*` means all that is below it, another one means the one with its very segments."""
    pattern = route.pattern
    return known.within(pattern) if pattern.rest else pattern.within(known) and known.within(pattern)


def _line(line: str, place: str) -> tuple[str, Pattern]:
    words = line.split()
    if len(words) != 2:
        raise TableError(f"{place}: a line has a method and a path")
    return words[0].upper(), _pattern(words[1], place)


def _pattern(path: str, place: str) -> Pattern:
    try:
        return Pattern.parse(path)
    except PatternError as error:
        raise TableError(f"{place}: {error}") from None
