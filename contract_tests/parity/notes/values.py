"""Two schemas of one value: what a client may send no longer, and what it may receive that it never did."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contract_tests.parity.difference import Difference
from contract_tests.parity.notes.change import ADDED, BREAKING, OTHER, Change, code, codes
from contract_tests.parity.notes.forms import TYPES, Form, Forms, Reader, identity

_DEEP = 30
_LOWER = {
    "minimum": "minimum",
    "exclusiveMinimum": "exclusive minimum",
    "minLength": "minimum length",
    "minItems": "minimum number of items",
    "minProperties": "minimum number of members",
}
_UPPER = {
    "maximum": "maximum",
    "exclusiveMaximum": "exclusive maximum",
    "maxLength": "maximum length",
    "maxItems": "maximum number of items",
    "maxProperties": "maximum number of members",
}
# A member's name in a path is plain, or an index: of a list, or of an object with any names.
Path = tuple[str, ...]
ITEM, MEMBER = "[*]", ".*"


class Values:
    """Compares schemas of the original with schemas of the port.

    With `asks` they are of a request: what is narrower breaks a client. Else they are of an answer: what is wider
    does. Where one side does not describe a value, nothing is said to break.
    """

    def __init__(self, original: Reader, port: Reader, *, asks: bool, level: str = "json") -> None:
        self.original, self.port, self.asks, self.level = original, port, asks, level
        # Where two named schemas were compared first: a second place with them has the same changes.
        self._met: dict[tuple[str, str], tuple[Path, list[Change]]] = {}

    def compare(self, original: Any, port: Any, path: Path = ()) -> list[Change]:
        """What differs, at a path within the value."""
        if len(path) > _DEEP:
            return []
        names = identity(original), identity(port)
        if names[0] is None or names[1] is None:
            return list(self._schemas(original, port, path))
        key = (names[0], names[1])
        if key in self._met:
            first, changes = self._met[key]
            return [self._again(first, path, changes)] if changes else []
        # While it is compared it has no changes of its own to tell: a schema may hold itself.
        self._met[key] = (path, [])
        self._met[key] = (path, list(self._schemas(original, port, path)))
        return list(self._met[key][1])

    def _again(self, first: Path, path: Path, changes: list[Change]) -> Change:
        weight = min((each.weight for each in changes), key=(BREAKING, OTHER, ADDED).index)
        return self._change(weight, path, f"the same changes as in {_name(first)}")

    def _schemas(self, original: Any, port: Any, path: Path) -> Iterator[Change]:
        ours, theirs = self.original.forms(original), self.port.forms(port)
        if ours is None or theirs is None:
            if (ours is None) != (theirs is None):
                yield self._change(OTHER, path, "is described now" if ours is None else "is no longer described")
            return
        yield from self._types(ours, theirs, path)
        for name, forms in ours.items():
            others = _partner(name, theirs)
            if others and name != "null":
                yield from self._alternatives(forms, others, path)

    def _types(self, ours: Forms, theirs: Forms, path: Path) -> Iterator[Change]:
        lost = [name for name in ours if not _covers(theirs, name)]
        gained = [name for name in theirs if not _covers(ours, name)]
        if lost == ["null"] and not gained:
            yield self._change(self._narrower(), path, "may not be null any more", "type", original="null")
        elif gained == ["null"] and not lost:
            yield self._change(self._wider(), path, "may be null", "type", port="null")
        elif lost or gained:
            breaks = lost if self.asks else gained
            yield self._change(BREAKING if breaks else OTHER, path, f"{_types(ours)} is now {_types(theirs)}", "type")

    def _alternatives(self, ours: list[Form], theirs: list[Form], path: Path) -> Iterator[Change]:
        left, rest = list(ours), list(theirs)
        for one in ours:
            if one in rest and not _refers(one):
                rest.remove(one)
                left.remove(one)
        for one in list(left):
            other = max(rest, key=lambda each: _likeness(one, each), default=None)
            if other is not None and (_likeness(one, other) or len(left) == len(rest) == 1):
                left.remove(one)
                rest.remove(other)
                yield from self._forms(one, other, path)
        for one in left:
            yield self._change(self._narrower(), path, f"is no longer {_told(one)}")
        for one in rest:
            yield self._change(self._wider(), path, f"may be {_told(one)}")

    def _forms(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        yield from self._enum(one.get("enum"), other.get("enum"), path)
        if "enum" not in one and "enum" not in other:
            yield from self._format(one.get("format"), other.get("format"), path)
            yield from self._bounds(one, other, path)
        yield from self._default(one, other, path)
        yield from self._members(one, other, path)
        yield from self._items(one, other, path)

    def _enum(self, one: list[Any] | None, other: list[Any] | None, path: Path) -> Iterator[Change]:
        if one is None and other is not None:
            yield self._change(self._narrower(), path, f"is one of {_values(other)} now")
        elif one is not None and other is None:
            yield self._change(self._wider(), path, f"may have other values than {_values(one)}")
        elif one is not None and other is not None:
            ours, theirs = (
                {json.dumps(each, default=str, skipkeys=True): each for each in values} for values in (one, other)
            )
            if gone := [value for key, value in ours.items() if key not in theirs]:
                yield self._change(self._narrower(), path, f"no longer {_values(gone)}")
            if new := [value for key, value in theirs.items() if key not in ours]:
                yield self._change(self._wider(), path, f"may be {_values(new)}")

    def _format(self, one: Any, other: Any, path: Path) -> Iterator[Change]:
        if one == other:
            return
        if one is None:
            yield self._change(self._narrower(), path, _became("format", one, other))
        elif other is None:
            yield self._change(self._wider(), path, _became("format", one, other))
        else:
            yield self._change(BREAKING, path, _became("format", one, other))

    def _bounds(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        for words, tightens in ((_LOWER, _is_above), (_UPPER, _is_below)):
            for key, word in words.items():
                yield from self._bound(key, word, tightens, one, other, path)
        for key in ("pattern", "multipleOf"):
            ours, theirs = one.get(key), other.get(key)
            if ours != theirs:
                word = "pattern" if key == "pattern" else "step"
                # Of two patterns nobody can say which one is narrower.
                weight = self._narrower() if ours is None else self._wider() if theirs is None else BREAKING
                yield self._change(weight, path, _became(word, ours, theirs))
        if bool(one.get("uniqueItems")) != bool(other.get("uniqueItems")):
            weight = self._narrower() if other.get("uniqueItems") else self._wider()
            yield self._change(weight, path, "items must be unique" if other.get("uniqueItems") else "items may repeat")

    def _bound(
        self, key: str, word: str, tightens: Callable[[Any, Any], bool], one: Form, other: Form, path: Path
    ) -> Iterator[Change]:
        ours, theirs = one.get(key), other.get(key)
        if ours == theirs or (not ours and not theirs and key.startswith("min") and key != "minimum"):
            return
        narrower = ours is None or (theirs is not None and tightens(theirs, ours))
        yield self._change(self._narrower() if narrower else self._wider(), path, _became(word, ours, theirs))

    def _default(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        if self.asks and one.get("default") != other.get("default"):
            ours, theirs = one.get("default"), other.get("default")
            weight = BREAKING if None not in (ours, theirs) else OTHER
            yield self._change(weight, path, _became("default", _value(ours), _value(theirs)))

    def _members(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        ours, theirs = self._shown(one, self.original), self._shown(other, self.port)
        needed = _names(one.get("required")), _names(other.get("required"))
        for name, schema in ours.items():
            if name not in theirs:
                yield self._change(BREAKING, (*path, name), "is gone", "missing", port=None, original="")
                continue
            if (name in needed[0]) != (name in needed[1]):
                # A request may leave out what is not needed; an answer may do so, too.
                breaks = (name in needed[1]) == self.asks
                text = "is required now" if name in needed[1] else "may be missing" if not self.asks else "is optional"
                yield self._change(BREAKING if breaks else OTHER, (*path, name), text)
            yield from self.compare(schema, theirs[name], (*path, name))
        for name in theirs:
            if name not in ours:
                breaks = self.asks and name in needed[1]
                text = "new, and required" if breaks else "new"
                yield self._change(BREAKING if breaks else ADDED, (*path, name), text, "extra", port="")
        yield from self._others(one, other, path)

    def _shown(self, form: Form, reader: Reader) -> Mapping[str, Any]:
        """The members of a request, or of an answer: some are written in the one alone."""
        hidden = "readOnly" if self.asks else "writeOnly"
        properties = form.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        return {
            str(name): schema
            for name, schema in properties.items()
            if not any(each.get(hidden) is True for each in reader.flat(schema))
        }

    def _others(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        ours, theirs = (each.get("additionalProperties", True) for each in (one, other))
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            yield from self.compare(ours, theirs, (*path, MEMBER))
        elif (ours is False) != (theirs is False):
            refused = theirs is False
            weight = BREAKING if refused and self.asks else OTHER
            yield self._change(weight, path, "other members are refused" if refused else "may have other members")

    def _items(self, one: Form, other: Form, path: Path) -> Iterator[Change]:
        if "items" in one or "items" in other:
            yield from self.compare(one.get("items", {}), other.get("items", {}), (*path, ITEM))
        ours, theirs = (each.get("prefixItems") for each in (one, other))
        if isinstance(ours, list) and isinstance(theirs, list):
            for at, (mine, their) in enumerate(zip(ours, theirs, strict=False)):
                yield from self.compare(mine, their, (*path, f"[{at}]"))

    def _narrower(self) -> str:
        return BREAKING if self.asks else OTHER

    def _wider(self) -> str:
        return OTHER if self.asks else BREAKING

    def _change(
        self, weight: str, path: Path, text: str, kind: str = "", original: str | None = None, port: str | None = None
    ) -> Change:
        differences: tuple[Difference, ...] = ()
        if kind and not self.asks and self.level == "json":
            differences = (Difference("json", _json_path(path), kind, original, port),)
        between = " " if text.startswith(("is ", "may ")) else ": "
        return Change(weight, "", f"{_name(path)}{between}{text}" if path else text, differences)


def _partner(name: str, forms: Forms) -> list[Form] | None:
    other = {"integer": "number", "number": "integer"}.get(name)
    return forms.get(name) or (forms.get(other) if other else None)


def _covers(forms: Forms, name: str) -> bool:
    return name in forms or (name == "integer" and "number" in forms)


def _types(forms: Forms) -> str:
    names = [name for name in TYPES if name in forms]
    return "any value" if len(names) == len(TYPES) else " or ".join(code(name) for name in names) or "nothing"


def _refers(form: Form) -> bool:
    """Whether a form holds references, which may lead to different things in the two documents."""
    return "$ref" in json.dumps(form, default=str, skipkeys=True)


def _likeness(one: Form, other: Form) -> int:
    ours, theirs = (each.get("properties") for each in (one, other))
    members = len(ours.keys() & theirs.keys()) if isinstance(ours, Mapping) and isinstance(theirs, Mapping) else 0
    keys = ("format", "enum", "items", "pattern", "additionalProperties")
    return 2 * members + len([key for key in keys if key in one and key in other and one[key] == other[key]])


def _told(form: Form) -> str:
    """An alternative in a few words."""
    if isinstance(form.get("properties"), Mapping) and form["properties"]:
        return f"an object with {codes(list(form['properties'])[:4])}"
    if "enum" in form:
        return f"one of {_values(form['enum'])}"
    kinds = " or ".join(form.get("type", ["value"]))
    return code(f"{kinds} ({form['format']})" if "format" in form else kinds)


def _name(path: Path) -> str:
    """`items[].price`, as a reader of documents writes it."""
    if not path:
        return "the whole"
    text = ""
    for part in path:
        text += part.replace("*", "") if part.startswith("[") else part if part == MEMBER else f".{part}"
    return code(text.removeprefix("."))


def _json_path(path: Path) -> str:
    """As a difference has it; an index is any: the first one stands for all."""
    text = "$"
    for part in path:
        if part == ITEM:
            text += "[0]"
        elif part.startswith("[") or part == MEMBER:
            text += part
        else:
            text += f".{part}" if re.fullmatch(r"[A-Za-z_][\w-]*", part) else f"[{json.dumps(part)}]"
    return text


def _became(word: str, one: Any, other: Any) -> str:
    if one is None:
        return f"{word} {code(other)} (none before)"
    return f"{word} {code(one)} is gone" if other is None else f"{word} {code(one)} is now {code(other)}"


def _values(values: list[Any]) -> str:
    return codes([_value(each) for each in values[:12]]) + (f" and {len(values) - 12} more" * (len(values) > 12))


def _value(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)


def _names(value: Any) -> set[str]:
    return {str(each) for each in value} if isinstance(value, list) else set()


def _is_above(one: Any, other: Any) -> bool:
    return _number(one) > _number(other)


def _is_below(one: Any, other: Any) -> bool:
    return _number(one) < _number(other)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
