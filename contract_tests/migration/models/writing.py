"""Drafts as a Python module of Pydantic models: it imports, and is formatted as ruff does."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.migration.models.drafts import Draft
from contract_tests.migration.models.shapes import CODE, TRAFFIC, Field, Shape

_WIDEST = 88
_ORDER = ("bool", "int", "float", "str")
# Names that mean something on every model.
_TAKEN = frozenset(
    {"copy", "dict", "json", "construct", "parse_obj", "parse_raw", "parse_file", "schema", "schema_json", "validate"}
    | {"from_orm", "fields", "update_forward_refs"}
)
_PARTS = {"body": "In", "query": "Query", "form": "Form", "headers": "Headers", "cookies": "Cookies"}
HEAD = '''"""A draft of `parity models`, to be edited: the inputs and outputs of each route.

Behind each field stands where it was seen: in the original's code, in recorded traffic, or in both.
"""
'''


@dataclass(slots=True)
class Named:
    """The models that a route has: the class for each part, and for each status of its answers."""

    parts: dict[str, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)


class Writer:
    """Writes one module."""

    def __init__(self) -> None:
        self._classes: dict[str, list[str]] = {}
        self._uses: set[str] = set()
        self.named: dict[str, Named] = {}

    def module(self, drafts: list[Draft]) -> str:
        blocks = [lines for draft in drafts for lines in self._route(draft)]
        imports = []
        if "Any" in self._uses:
            imports.append("from typing import Any\n")
        names = [each for each in ("BaseModel", "ConfigDict", "Field") if each in self._uses]
        if names:
            imports.append(f"from pydantic import {', '.join(names)}\n")
        text = "\n".join([HEAD, *imports]).rstrip("\n")
        for number, lines in enumerate(blocks):
            # Two empty lines around a class and after the imports, one between comments.
            near = number and not any(each[0].startswith("class") for each in (lines, blocks[number - 1]))
            text += ("\n\n" if near else "\n\n\n") + "\n".join(lines)
        return text + "\n"

    def _route(self, draft: Draft) -> Iterator[list[str]]:
        """The route's comment, and its classes, those that others are made of first."""
        before = set(self._classes)
        named = self.named[str(draft.route)] = Named()
        base = _camel(draft.name)
        for part, ending in _PARTS.items():
            shape = draft.reads.part(part)
            if shape.fields or (part == "body" and shape.items):
                named.parts[part] = self._kind(shape, base + ending, hyphens=part == "headers")
        for status, shape in sorted(draft.answers.json.items()):
            if shape.is_known:
                success = status < 300
                named.answers[status] = self._kind(shape, base + ("Out" if success else f"Refused{status}"))
        yield list(_told(draft, named))
        yield from (each for name, each in self._classes.items() if name not in before)

    def _kind(self, shape: Shape, name: str, *, hyphens: bool = False) -> str:
        """The type of a shape; writes the classes that it needs."""
        found = set(shape.kinds) - {"None"}
        if "float" in found:
            found.discard("int")
        parts = [each for each in _ORDER if each in found]
        if shape.fields:
            parts.append(self._class(shape, name, hyphens))
        elif shape.is_object:
            self._uses.add("Any")
            parts.append("dict[str, Any]")
        if shape.items is not None:
            parts.append(f"list[{self._kind(shape.items, name + 'Item')}]")
        if not parts:
            self._uses.add("Any")
            return "Any"
        return " | ".join([*parts, *(["None"] if "None" in shape.kinds else [])])

    def _class(self, shape: Shape, name: str, hyphens: bool) -> str:
        self._uses.add("BaseModel")
        name = self._free(name)
        self._classes[name] = []
        lines: list[str] = []
        taken: set[str] = set()
        aliased = False
        for key, each in shape.fields.items():
            own = _python_name(key, taken)
            taken.add(own)
            alias = key if own != key and not (hyphens and own.replace("_", "-") == key.lower()) else None
            aliased |= alias is not None
            lines += self._field(own, alias, each, shape, name)
        config = ["    model_config = ConfigDict(populate_by_name=True)", ""] if aliased else []
        self._uses |= {"ConfigDict"} if aliased else set()
        # What it is made of stands before it; what a like view has already stands once.
        self._classes.pop(name)
        made = [*config, *lines]
        for other, known in self._classes.items():
            if known[1:] == made and re.fullmatch(rf"{re.escape(other)}\d*", name):
                return other
        self._classes[name] = [f"class {name}(BaseModel):", *made]
        return name

    def _free(self, name: str) -> str:
        number, free = 2, name
        while free in self._classes or hasattr(builtins, free) or free in ("Any", "Field", "BaseModel", "ConfigDict"):
            free, number = f"{name}{number}", number + 1
        return free

    def _field(self, own: str, alias: str | None, each: Field, owner: Shape, parent: str) -> Iterator[str]:
        kind = self._kind(each.shape, parent.removesuffix("In").removesuffix("Out") + _camel(own))
        optional, default = each.is_optional(owner), each.default
        if optional and each.many:
            default = default or "[]"
        if optional and default is None:
            default = "None"
            kind = kind if kind in ("Any", "None") or kind.endswith("| None") else f"{kind} | None"
        yield from self._written(own, kind, default if optional else None, alias, _mark(each))

    def _written(self, own: str, kind: str, default: str | None, alias: str | None, mark: str) -> Iterator[str]:
        given = []
        if default is not None:
            given = ["default_factory=list"] if default == "[]" else [f"default={default}"]
            given = ["default_factory=dict"] if default == "{}" else given
        if alias is not None:
            given.append(f"alias={_literal(alias)}")
        if default is not None and alias is None and not given[0].startswith("default_factory"):
            right = f" = {default}"
        else:
            self._uses |= {"Field"} if given else set()
            right = f" = Field({', '.join(given)})" if given else ""
        line = f"    {own}: {kind}{right}  # {mark}"
        if len(line) <= _WIDEST:
            yield line
            return
        yield f"    # {mark}"
        if len(line.rpartition("  #")[0]) <= _WIDEST or not given or "Field(" not in right:
            yield line.rpartition("  #")[0]
            return
        yield f"    {own}: {kind} = Field("
        yield from (f"        {each}," for each in given)
        yield "    )"


def _told(draft: Draft, named: Named) -> Iterator[str]:
    route = draft.route
    yield f"# {route} ({route.place})" + (f", recorded {draft.recorded} times" if draft.recorded else "")
    if "body" in named.parts and not draft.reads.body.fields:
        yield f"#   body: {named.parts['body']}"
    for name, each in draft.reads.files.fields.items():
        yield f"#   a file: {name} ({_mark(each)})"
    if draft.reads.raw:
        yield "#   the body as bytes (code)"
    for status, name in named.answers.items():
        yield f"#   {status}: {name}"
    for status, what in sorted(draft.answers.other.items()):
        if status not in named.answers:
            yield f"#   {status}: {what}"
    if draft.answers.aborts:
        yield f"#   aborts with {', '.join(map(str, sorted(draft.answers.aborts)))}"


def _mark(each: Field) -> str:
    return ", ".join(source for source in (CODE, TRAFFIC) if source in each.sources)


def _camel(name: str) -> str:
    parts = [part for part in re.split(r"[^0-9A-Za-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)) if part]
    made = "".join(part[:1].upper() + part[1:] for part in parts)
    return made if made and made[0].isalpha() else f"Model{made}"


def _python_name(key: str, taken: set[str]) -> str:
    """A name that Python and Pydantic take: `class` is `class_`, `X-Request-ID` is `x_request_id`."""
    plain = key.isidentifier() and not key.startswith("_")
    made = key if plain else re.sub(r"\W+", "_", key.lower(), flags=re.ASCII).strip("_")
    if not made or not made[0].isalpha() or not made.isidentifier():
        made = f"field_{made}".rstrip("_")
    if (
        keyword.iskeyword(made)
        or made in _TAKEN
        or made.startswith("model_")
        or (
            hasattr(builtins, made)
            and made
            in (
                "list",
                "dict",
                "str",
                "int",
                "float",
                "bool",
            )
        )
    ):
        made = f"{made}_"
    number, free = 2, made
    while free in taken:
        free, number = f"{made}_{number}", number + 1
    return free


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
