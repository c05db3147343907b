"""A refusal says which field it is about, and often what it wants there: the scout's next try is that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_tests.parity.messages import Response
from contract_tests.parity.samples import plausible

_LONGEST = 4000
_QUOTED = re.compile(r"[\"'`]([A-Za-z_][\w.-]{0,40})[\"'`]")
# "name is required", "price must be a number", "title cannot be blank", "amount: not a number".
_SUBJECT = re.compile(
    r"\b([A-Za-z_]\w{1,40})(?:(?: field)? (?:is|are|was|must|should|shall|may|can(?:not|'t)?|has|have|needs?)\b|:)",
    re.IGNORECASE,
)
# "missing: name", "unknown colour", "please provide a title", "no name given".
_OBJECT = re.compile(
    r"\b(?:missing|unknown|invalid|bad|wrong|unsupported|provide|enter|give|supply|specify|no)\b:? "
    r"(?:an? |the |your |valid )*([A-Za-z_]\w*)",
    re.IGNORECASE,
)
_FIELD = re.compile(r"[A-Za-z_]\w{0,40}")
_WORD = re.compile(r"[A-Za-z_]\w*")
_LISTS = frozenset({"fields", "invalid", "missing", "wrong", "required", "params", "keys"})
# Members of a refusal's own, such as those of a problem (RFC 9457), and words of its text that name no field.
_MEMBERS = frozenset(
    {"body", "code", "ctx", "detail", "error", "errors", "field", "input", "instance", "json", "loc", "message",
     "missing", "msg", "required", "status", "title", "type", "url"}
)  # fmt: skip
_WORDS = frozenset(
    {"a", "an", "and", "error", "errors", "field", "fields", "input", "integer", "it", "json", "missing", "not", "one",
     "request", "required", "string", "such", "that", "the", "there", "they", "this", "valid", "value", "which", "you"}
)  # fmt: skip
# What a text wants: the first that fits. A text of N characters is made where it says how long.
_WANTED: tuple[tuple[re.Pattern[str], Any], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), value)
    for pattern, value in (
        (r"\be-?mail\b", "paritya@example.com"),
        (r"\bdate-?time\b|\btimestamp\b|\biso.?8601\b", "2026-03-04T05:06:07Z"),
        (r"\bdate\b", "2026-03-04"),
        (r"\burl\b|\buri\b|\blink\b", "https://example.com/paritya"),
        (r"\bbool(?:ean)?\b|\btrue\b", True),
        (r"\blist\b|\barray\b", ["paritya"]),
        (r"\bobject\b|\bdict(?:ionary)?\b", {}),
        (r"\binteger\b|\bint\b|\bwhole number\b|\bpositive\b", 1),
        (r"\bnumber\b|\bnumeric\b|\bdecimal\b|\bfloat\b|\bnegative\b", 1.5),
        (r"\bstring\b|\btext\b", "paritya"),
    )
)
_CHOICES = re.compile(
    r"\b(?:one of|either|among|allowed(?: values)?|expected|choose from|in)\b:? *(.{2,200})", re.IGNORECASE
)
_CHOICE = re.compile(r"[A-Za-z0-9_][\w-]*")
_DIGITS = re.compile(r"\b(\d{1,2})[ -](?:digits?|numbers?)\b", re.IGNORECASE)
_EXACTLY = re.compile(
    r"\b(?:exactly|must be|should be|has to be) (\d{1,3}) (?:characters?|chars?|letters?)\b", re.IGNORECASE
)
_LENGTH = re.compile(r"\b(?:at least|minimum(?: of)?|min) (\d{1,3})\b", re.IGNORECASE)
# The sorts of value that a field may want if nothing says which.
_SORTS: tuple[Any, ...] = (1, 1.5, True, ["paritya"], "2026-03-04", "2026-03-04T05:06:07Z", "paritya@example.com", "https://example.com/paritya", {})  # fmt: skip  # noqa: E501
_LEFT_OUT = object()


class Tries:
    """What was tried of each field of one body: a refusal leads to the next body, or to none."""

    def __init__(self, names: Sequence[str] = (), choices: Mapping[str, Sequence[Any]] | None = None) -> None:
        self._names, self._choices = names, choices or {}
        self._left: dict[str, Iterator[Any]] = {}

    def guessed(self, names: Sequence[str]) -> dict[str, Any]:
        """A body of so many fields that may please."""
        return {name: next(iter(self._choices.get(name, ())), plausible(name)) for name in names}

    def better(self, body: Any, answer: Response) -> dict[str, Any] | None:
        """The body with what a refusal asks for; None where nothing is left to try."""
        if not isinstance(body, dict):
            return None
        # In one order on every run: what is tried first decides what is asked later.
        complained = missing_fields(answer, list(dict.fromkeys([*self._names, *body])))
        new = [name for name in complained if name not in body and name not in self._left]
        if new:
            self._left |= {name: self._values(name, answer, there=False) for name in new}
            return body | self.guessed(new)
        for name in complained:
            left = self._left.setdefault(name, self._values(name, answer, there=True))
            for value in left:
                if value is _LEFT_OUT and name in body:
                    return {key: kept for key, kept in body.items() if key != name}
                if value is not _LEFT_OUT and value != body.get(name):
                    return body | {name: value}
        return None

    def _values(self, name: str, answer: Response, *, there: bool) -> Iterator[Any]:
        """What a field may want, in the order of how likely it is; what was there unasked may have to be left out."""
        text = answer.body[:_LONGEST].decode("utf-8", "replace")
        yield from wanted(text)
        yield from self._choices.get(name, ())
        if there:
            yield _LEFT_OUT
        yield from _SORTS
        yield _LEFT_OUT


def wanted(text: str) -> Iterator[Any]:
    """The values that a refusal's words ask for."""
    for found in _CHOICES.findall(text):
        listed = re.split(r"[.;!)\]}]", found)[0]
        yield from [word for word in _CHOICE.findall(listed) if word.lower() not in ("or", "and", "of", "the")][:3]
    if (digits := _DIGITS.search(text)) is not None:
        # No zero begins it. What is made again has other digits (sequences.worded).
        yield ("135792468" * 12)[: int(digits[1])]
    for length in (_EXACTLY.search(text), _LENGTH.search(text)):
        if length is not None:
            yield ("Paritya1-" * (int(length[1]) // 9 + 1))[: max(int(length[1]), 1)]
    yield from (value for pattern, value in _WANTED if pattern.search(text))


def missing_fields(answer: Response, names: Sequence[str] = ()) -> list[str]:
    """The names of fields that a refusal speaks of; first those of `names`, which are known to be fields."""
    text = answer.body[:_LONGEST].decode("utf-8", "replace")
    try:
        found = list(_in_value(json.loads(answer.body)))
    except (ValueError, RecursionError):
        found = _named_in(text)
    words = {word.lower() for word in _WORD.findall(text)}
    known = [name for name in names if name.lower() in words - _MEMBERS - _WORDS or name in found]
    return list(dict.fromkeys([*known, *found]))


def _in_value(value: Any, deep: int = 5) -> Iterator[str]:
    if isinstance(value, dict) and deep:
        loc = value.get("loc")
        if isinstance(loc, list):
            yield from (part for part in loc[-1:] if isinstance(part, str))
            return
        for name, inner in value.items():
            if name in _LISTS and isinstance(inner, list) and all(isinstance(each, str) for each in inner):
                # A list of names, such as {"fields": ["day"]}.
                yield from (each for each in inner if _FIELD.fullmatch(each))
                continue
            if name not in _MEMBERS and _FIELD.fullmatch(name):
                yield name
            yield from _in_value(inner, deep - 1)
    elif isinstance(value, list) and deep:
        for inner in value:
            yield from _in_value(inner, deep - 1)
    elif isinstance(value, str):
        yield from _named_in(value)


def _named_in(text: str) -> list[str]:
    found = [*_QUOTED.findall(text), *_SUBJECT.findall(text), *_OBJECT.findall(text)]
    return [name for name in dict.fromkeys(found) if name.lower() not in _WORDS]
