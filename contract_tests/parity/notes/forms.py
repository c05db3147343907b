"""A schema in one form, whatever its dialect: alternatives by JSON type, references followed, combinations joined."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
# What the values of a schema without a type must be, by the keywords that it has.
_TELLING = {
    "object": ("properties", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "required"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "multipleOf"),
}
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FORMATS = {"int32": "integer", "int64": "integer", "float": "number", "double": "number"}
# These bound no value: an interface shows them otherwise, or every JSON number of the type has them.
_UNBOUND = frozenset({"password", "textarea", "color", "int64", "double"})
_SILENT = frozenset({
    "title", "description", "example", "examples", "externalDocs", "xml", "discriminator", "deprecated", "$schema",
    "$id", "$comment", "$anchor", "$defs", "definitions", "nullable", "x-nullable",
})  # fmt: skip
# More alternatives than these are told as any value: their product grows with each combination.
_MOST = 64
_DEEP = 40

Form = Mapping[str, Any]
Forms = Mapping[str, list[Form]]


class Reader:
    """Reads the schemas of one document: Swagger 2, OpenAPI 3.0 or 3.1.

    `lost` are its references that lead nowhere in it.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.lost: dict[str, None] = {}

    def resolved(self, value: Any) -> Any:
        """An object, or what it refers to; empty where that is not in this document."""
        seen: set[str] = set()
        while isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
            reference = value["$ref"]
            if reference in seen:
                return {}
            seen.add(reference)
            value = self._at(reference)
        return value

    def forms(self, schema: Any) -> Forms | None:
        """The alternatives of a schema by their type; None where it says nothing of its values."""
        alternatives = self.flat(schema)
        if any(not each.keys() - {"readOnly", "writeOnly", "default"} for each in alternatives):
            return None
        found: dict[str, list[Form]] = {}
        for alternative in alternatives:
            for name in alternative.get("type") or _inferred(alternative):
                form = dict(alternative)
                if "enum" in form:
                    form["enum"] = [value for value in form["enum"] if _is(value, name)]
                    if not form["enum"]:
                        continue
                if form not in found.setdefault(name, []):
                    found[name].append(form)
        return found

    def flat(self, schema: Any, seen: frozenset[str] = frozenset(), deep: int = 0) -> list[dict[str, Any]]:
        """The alternatives of a schema, each without references and combinations; `type` is a list in each."""
        if schema is False:
            return []
        if not isinstance(schema, Mapping) or deep > _DEEP:
            return [{}]
        parts: list[Any] = list(_listed(schema.get("allOf")))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            parts.append({} if reference in seen else self._at(reference))
            seen = seen | {reference}
        alternatives = [_plain(schema)]
        for part in parts:
            alternatives = _joined(alternatives, self.flat(part, seen, deep + 1))
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                variants = [form for each in schema[key] for form in self.flat(each, seen, deep + 1)]
                alternatives = _joined(alternatives, variants)
        if (schema.get("nullable") is True or schema.get("x-nullable") is True) and alternatives != [{}]:
            alternatives.append({"type": ["null"]})
        return alternatives

    def _at(self, reference: str) -> Any:
        found: Any = self.document
        if not reference.startswith("#"):
            self.lost.setdefault(reference)
            return {}
        for part in reference.removeprefix("#").strip("/").split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, Mapping) and key in found:
                found = found[key]
            else:
                self.lost.setdefault(reference)
                return {}
        return found


def identity(schema: Any) -> str | None:
    """What tells one schema that refers to others from another; None for one that is written out in its place."""
    if not isinstance(schema, Mapping) or not schema.keys() & {"$ref", "allOf", "anyOf", "oneOf"}:
        return None
    return json.dumps(schema, default=str, skipkeys=True)


def _listed(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else ()


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema's own keywords, in the words of JSON Schema 2020-12."""
    form = {key: value for key, value in schema.items() if key not in _SILENT and not str(key).startswith("x-")}
    for key in ("$ref", "allOf", "anyOf", "oneOf", "not"):
        form.pop(key, None)
    if "const" in form:
        form["enum"] = [form.pop("const")]
    for key in ("enum", "required"):
        if not isinstance(form.get(key, []), list):
            del form[key]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(form.get(exclusive), bool) and form.pop(exclusive) and bound in form:
            form[exclusive] = form.pop(bound)
    types = form.pop("type", _FORMATS.get(str(form.get("format"))))
    _name_format(form)
    known = [each for each in ([types] if isinstance(types, str) else _listed(types)) if each in TYPES]
    if types == "file":
        known, form["format"] = ["string"], "binary"
    if known:
        form["type"] = known
    return form


def _name_format(form: dict[str, Any]) -> None:
    """Two spellings of bytes are one, and what is only shown otherwise is none."""
    media_type, encoding = form.pop("contentMediaType", None), form.pop("contentEncoding", None)
    if "format" not in form and (encoding or media_type):
        form["format"] = "byte" if encoding in ("base64", "base64url") else "binary"
    if not isinstance(form.get("format", ""), str) or form.get("format") in _UNBOUND:
        del form["format"]


def _joined(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each of the one with each of the other: what fits both."""
    if len(ours) * len(theirs) > _MOST:
        return [{}]
    found = [_both(one, other) for one in ours for other in theirs]
    return [form for form in found if form is not None]


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    if not one or not other:
        return dict(one or other)
    form = {**one, **other}
    if "type" in one and "type" in other:
        form["type"] = _shared(one["type"], other["type"])
        if not form["type"]:
            return None
    if "enum" in one and "enum" in other:
        form["enum"] = [value for value in one["enum"] if value in other["enum"]]
    for key in one.keys() & other.keys():
        if key in _LOWER or key in _UPPER:
            bounds = [value for value in (one[key], other[key]) if _is_number(value)]
            if bounds:
                form[key] = (max if key in _LOWER else min)(bounds)
    form |= _both_members(one, other)
    return form


def _both_members(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    ours, theirs = (_mapping(each.get("properties")) for each in (one, other))
    if ours and theirs:
        both = {name: {"allOf": [ours[name], theirs[name]]} for name in ours.keys() & theirs.keys()}
        found["properties"] = {**ours, **theirs, **{name: _once(each) for name, each in both.items()}}
    if "required" in one and "required" in other:
        found["required"] = [*_listed(one["required"]), *_listed(other["required"])]
    if False in (one.get("additionalProperties"), other.get("additionalProperties")):
        found["additionalProperties"] = False
    return found


def _once(both: dict[str, Any]) -> Any:
    one, other = both["allOf"]
    return one if one == other else both


def _shared(ours: Iterable[str], theirs: Iterable[str]) -> list[str]:
    one, other = set(ours), set(theirs)
    shared = one & other
    if ("integer" in one and "number" in other) or ("number" in one and "integer" in other):
        shared.add("integer")
    return [name for name in TYPES if name in shared]


def _inferred(form: Form) -> Iterable[str]:
    if "enum" in form:
        return [name for name in TYPES if name != "number" and any(_is(value, name) for value in form["enum"])] or TYPES
    return [name for name, keys in _TELLING.items() if any(key in form for key in keys)] or TYPES


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool) or value is None:
        return name == ("null" if value is None else "boolean")
    if isinstance(value, int):
        return name in ("integer", "number")
    kinds = {"number": float, "array": list, "object": Mapping}
    # A date that YAML has read is a text to everyone else.
    return isinstance(value, kinds[name]) if name in kinds else name == "string" and not isinstance(value, tuple(kinds.values()))  # fmt: skip  # noqa: E501


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
