"""Paths of Flask, FastAPI and Starlette, brought to one form: `/user/<int:id>`, `/user/{id}` and `/user/{id:int}`."""

from __future__ import annotations

import re
from functools import cache

_FIELD = re.compile(r"<(?:(?P<kind>\w+)(?:\((?P<options>[^)]*)\))?:)?(?P<name>\w+)>|{(?P<port>\w+)(?::(?P<as>\w+))?}")
# What both frameworks call one thing; a plain field is a text without a slash.
_KINDS = {"string": "str", "default": "str", "str": "str"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")


@cache
def shape(path: str) -> str:
    """A path without names: `/user/{}`, and `{path}` where a field takes slashes, too."""
    return _FIELD.sub(lambda found: "{path}" if _kind(found) == "path" else "{}", path) or "/"


@cache
def kinds(path: str) -> tuple[str, ...]:
    """The kinds of a path's fields, in order: str, int, float, uuid, path, or a convertor's own name."""
    return tuple(_kind(found) for found in _FIELD.finditer(path))


@cache
def fields(path: str) -> tuple[tuple[str, str], ...]:
    """The names and kinds of a path's fields."""
    return tuple((found["name"] or found["port"], _kind(found)) for found in _FIELD.finditer(path))


@cache
def ported(path: str) -> str:
    """A path as FastAPI writes it: a convertor where a field takes slashes."""
    return _FIELD.sub(
        lambda found: f"{{{found['name'] or found['port']}{':path' if _kind(found) == 'path' else ''}}}", path
    )


@cache
def pattern(path: str) -> re.Pattern[str]:
    """What a sent path must look like to be one of these."""
    parts, at = [], 0
    for found in _FIELD.finditer(path):
        parts += [re.escape(path[at : found.start()]), ".+" if _kind(found) == "path" else "[^/]+"]
        at = found.end()
    return re.compile("".join([*parts, re.escape(path[at:])]))


def _kind(found: re.Match[str]) -> str:
    kind = found["kind"] or found["as"] or "str"
    return _KINDS.get(kind, kind)


def joined(*parts: str | None) -> str:
    """Prefixes and a rule as Flask joins them: one slash between, none added at the end."""
    path = ""
    for part in parts:
        if part:
            path = f"{path.rstrip('/')}/{part.lstrip('/')}" if path else part
    return path
