"""What can be asked of two apps: the operations of either side, from a document, a URL map or routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract_tests.parity.schemas import Document

_RULE = re.compile(r"<(?:(?P<converter>\w+)(?:\([^>]*\))?:)?(?P<name>\w+)>")
_BRACES = re.compile(r"\{(?P<name>\w+)(?::(?P<converter>\w+))?\}")
_UNRESERVED = re.compile(r"%(4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa]|3[0-9]|2[DdEe]|5[Ff]|7[Ee])")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TYPES = {"int": "integer", "float": "number", "uuid": "uuid", "path": "path"}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: `place` is "path", "query", "header" or "cookie", `schema` what OpenAPI says of it."""

    name: str
    place: str
    schema: Schema = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path template, such as `GET /user/{id}`.

    `sides` are those that have it, `bodies` the schema of a body by media type, `secured` whether its document says
    that it wants a sign-in.
    """

    method: str
    template: str
    sides: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    secured: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def shape(self) -> tuple[str, str]:
        """What two sides' spellings of one operation have in common."""
        return self.method, _BRACES.sub("{}", self.template)

    def at(self, place: str) -> tuple[Parameter, ...]:
        return tuple(each for each in self.parameters if each.place == place)


class Operations:
    """The operations of both sides, each once, and which one a request is for."""

    def __init__(self, operations: Iterable[Operation], document: Mapping[str, Any] | None = None) -> None:
        self.document = document
        found: dict[tuple[str, str], Operation] = {}
        for each in operations:
            known = found.get(each.shape)
            found[each.shape] = each if known is None else _joined(known, each)
        self.all = tuple(found.values())
        templates = sorted({each.template for each in self.all}, key=lambda text: (text.count("{"), -len(text)))
        self._patterns = [(template, _pattern(template)) for template in templates]

    def template(self, path: str) -> str | None:
        """The template that a path is of; None where none is."""
        found = next((template for template, pattern in self._patterns if pattern.fullmatch(path)), None)
        if found is not None or "%" not in path:
            return found
        # A letter that is escaped without need is that letter (RFC 3986, section 2.3).
        plain = _UNRESERVED.sub(lambda each: chr(int(each[1], 16)), path)
        return None if plain == path else self.template(plain)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def methods(self, template: str) -> frozenset[str]:
        """The methods that either side has at a template."""
        return frozenset(each.method for each in self.all if each.template == template)


def of_app(app: Any, side: str) -> list[Operation]:
    """The operations of an application object: its URL map, its routes, its document; none where it shows nothing."""
    return [
        *_of_url_map(app, side),
        *of_document(document_of(app), side),
        *_of_routes(getattr(app, "routes", None), side),
    ]


def document_of(app: Any) -> Any:
    """The OpenAPI document that an application makes of itself; None where it makes none."""
    make = getattr(app, "openapi", None)
    try:
        return make() if callable(make) else None
    except Exception:
        # An app whose document cannot be made has its routes still.
        return None


def of_document(document: Any, side: str) -> list[Operation]:
    """The operations of an OpenAPI document; none where it is no document."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        return []
    read = Document(document)
    base = read.base
    return [
        _documented(read, base + path, item, method, side)
        for path, item in document["paths"].items()
        if isinstance(item, dict)
        for method in _METHODS
        if isinstance(item.get(method.lower()), dict)
    ]


def _joined(known: Operation, other: Operation) -> Operation:
    # A document knows more of its parameters than a rule does; the names of the one met first stay.
    names = {(each.place, each.name) for each in known.parameters}
    if known.at("path") and other.at("path"):
        typed = [mine if mine.schema else replace(mine, schema=their.schema) for mine, their in zip(known.at("path"), other.at("path"), strict=False)]  # fmt: skip  # noqa: E501
    else:
        typed = list(known.at("path") or other.at("path"))
    rest = [each for each in known.parameters if each.place != "path"]
    rest += [each for each in other.parameters if each.place != "path" and (each.place, each.name) not in names]
    return replace(
        known,
        sides=known.sides | other.sides,
        parameters=(*typed, *rest),
        bodies={**other.bodies, **known.bodies},
        secured=known.secured or other.secured,
    )


def _pattern(template: str) -> re.Pattern[str]:
    parts = _BRACES.split(template)
    # Literal, name and converter come in turns.
    texts = [re.escape(part) if at % 3 == 0 else "" if at % 3 == 1 else "[^/]+" for at, part in enumerate(parts)]
    return re.compile("".join(text or "" for text in texts))


def _of_url_map(app: Any, side: str) -> Iterator[Operation]:
    rules = getattr(getattr(app, "url_map", None), "iter_rules", None)
    if rules is None:
        return
    for rule in rules():
        parameters = tuple(Parameter(found["name"], "path", _typed(found), required=True) for found in _RULE.finditer(rule.rule))  # fmt: skip  # noqa: E501
        # Flask adds a rule for static files to each app, whether or not it has any.
        if getattr(rule, "endpoint", "") == "static":
            files = _files_of(getattr(app, "static_folder", None))
            if not files or len(parameters) != 1:
                continue
            parameters = (replace(parameters[0], schema={"type": "string", "example": files[0]}),)
        template = _RULE.sub(lambda found: "{" + found["name"] + "}", rule.rule)
        for method in sorted((rule.methods or {"GET"}) & set(_METHODS), key=_METHODS.index):
            yield Operation(method, template, frozenset({side}), parameters)


def _files_of(folder: Any) -> list[str]:
    """The names of the files in a folder; none where there is no such folder."""
    try:
        return sorted(each.name for each in Path(folder).iterdir() if each.is_file()) if folder else []
    except (OSError, TypeError):
        return []


def _typed(found: re.Match[str]) -> Schema:
    kind = _TYPES.get(found["converter"] or "")
    if kind == "uuid":
        return {"type": "string", "format": "uuid"}
    return {"type": kind} if kind in ("integer", "number") else {}


def _of_routes(routes: Any, side: str, prefix: str = "") -> Iterator[Operation]:
    for route in routes if isinstance(routes, (list, tuple)) else ():
        path, methods = getattr(route, "path", None), getattr(route, "methods", None)
        if isinstance(path, str) and isinstance(methods, (set, frozenset, list)):
            found = list(_BRACES.finditer(prefix + path))
            parameters = tuple(Parameter(each["name"], "path", _typed(each), required=True) for each in found)
            template = _BRACES.sub(lambda each: "{" + each["name"] + "}", prefix + path)
            for method in sorted(set(methods) & set(_METHODS), key=_METHODS.index):
                yield Operation(method, template, frozenset({side}), parameters)
        elif isinstance(path, str):
            yield from _of_routes(getattr(route, "routes", None), side, prefix + path)


def _documented(read: Document, path: str, item: Mapping[str, Any], method: str, side: str) -> Operation:
    operation = item[method.lower()]
    parameters = {}
    for each in (*item.get("parameters", ()), *operation.get("parameters", ())):
        given = read.resolved(each)
        place, name = given.get("in"), given.get("name")
        if place in ("path", "query", "header", "cookie") and isinstance(name, str):
            required = bool(given.get("required")) or place == "path"
            parameters[place, name] = Parameter(name, place, read.schema_of(given), required)
    order = {found["name"]: at for at, found in enumerate(_BRACES.finditer(path))}
    sorted_parameters = sorted(parameters.values(), key=lambda each: order.get(each.name, 99) if each.place == "path" else 100)  # fmt: skip  # noqa: E501
    security = operation.get("security", read.document.get("security"))
    return Operation(
        method, path, frozenset({side}), tuple(sorted_parameters), read.bodies_of(operation), secured=bool(security)
    )
