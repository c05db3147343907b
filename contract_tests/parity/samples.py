"""Plausible values: what a person would write into a field of this name, and what its schema allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contract_tests.parity.declared import snake

Schema = Mapping[str, Any]

# Words that nobody writes: where nothing is rewound, each case gets its own in their place.
WORDS = tuple(f"parity{letter}" for letter in "abcdefghkmnpqrstuvwxyz")
_BY_FORMAT = {
    "email": "{word}@example.com",
    "date": "2026-03-04",
    "date-time": "2026-03-04T05:06:07Z",
    "time": "05:06:07",
    "uuid": "3f2b8c1e-6d4a-4b7c-9e2f-1a2b3c4d5e6f",
    "uri": "https://example.com/{word}",
    "url": "https://example.com/{word}",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "hostname": "{word}.example.com",
    "password": "Correct-horse-7-{word}",
    "byte": "aGVsbG8=",
    "binary": "hello",
}
# By a field's name, the first that fits: texts, and numbers.
_BY_NAME: tuple[tuple[str, Any], ...] = (
    (r"e?_?mail", "{word}@example.com"),
    (r"pass|pwd|confirm", "Correct-horse-7-parity"),
    (r"^pin$|^otp$|^cvv$", "731954"),
    (r"secret|token|csrf", "Token-7319-parity"),
    (r"user_?name|login|nick|handle", "{word}"),
    (r"phone|tel\b|mobile", "+493012345678"),
    (r"url|website|link|href|homepage", "https://example.com/{word}"),
    (r"uuid|guid", "3f2b8c1e-6d4a-4b7c-9e2f-1a2b3c4d5e6f"),
    (r"(date|day|birth|due)\w*$|_on$", "2026-03-04"),
    (r"time|_at$|when", "2026-03-04T05:06:07Z"),
    (r"^(is|has|can)_|active|enabled|done|completed?$|public|admin|remember|agree|accept", True),
    (r"price|amount|total|cost|balance|rate\b|weight|lat|lon", 12.5),
    (
        r"(^|_)id$|count|quantity|qty|number|age$|size|page|limit|offset|year|stock|rating|stars|score|priority|position|cents|minutes|hours|seconds|points|percent|level|rank|width|height",
        1,
    ),
    (r"tags|items|roles|ids$|list$", ["{word}"]),
    (r"currency", "EUR"),
    (r"country", "DE"),
    (r"zip|postal", "10115"),
    (r"slug|code|sku|key", "{word}-1"),
    (r"color|colour", "#336699"),
)


def plausible(name: str, schema: Schema | None = None, *, word: str = WORDS[0]) -> Any:
    """A value that a field of this name would hold; `word` makes it unlike others."""
    schema = schema or {}
    for key in ("const", "default", "example"):
        if schema.get(key) is not None and key != "default":
            return schema[key]
    if schema.get("examples") and isinstance(schema["examples"], list):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            kinds = [each for each in schema[key] if each.get("type") != "null"] or [{}]
            return plausible(name, kinds[0], word=word)
    return _typed(name, _kind(schema), schema, word)


def _kind(schema: Schema) -> str | None:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else None
    return kind if isinstance(kind, str) else None


def _typed(name: str, kind: str | None, schema: Schema, word: str) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        return {each: plausible(each, of, word=word) for each, of in properties.items() if not of.get("readOnly")}
    if kind == "array":
        count = max(int(schema.get("minItems", 1)), 1)
        return [plausible(name.removesuffix("s"), schema.get("items", {}), word=word) for _ in range(count)]
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if kind in ("integer", "number"):
        return _number(name, kind, schema)
    return _string(name, schema, word) if kind == "string" else by_name(name, word)


def _number(name: str, kind: str, schema: Schema) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    guess = by_name(name, "")
    value: Any = guess if isinstance(guess, (int, float)) and not isinstance(guess, bool) else 3
    value = int(value) if kind == "integer" else value
    if isinstance(low, (int, float)) and value <= low:
        value = low + (1 if kind == "integer" else 0.5)
    if isinstance(high, (int, float)) and value >= high:
        value = high if "maximum" in schema else high - 1
    # A document may have 1.0 for a limit of whole numbers.
    return int(value) if kind == "integer" else value


def _string(name: str, schema: Schema, word: str) -> str:
    made = _BY_FORMAT.get(str(schema.get("format")))
    guess = by_name(name, word)
    text = made.format(word=word) if made else guess if isinstance(guess, str) else f"{word}"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _fits(pattern, text):
        text = next((each for each in (word, "A1", "abc", "ABC", "123", "12345", "a-b", "AB-123") if _fits(pattern, each)), text)  # fmt: skip  # noqa: E501
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    longest = schema.get("maxLength")
    return text[-int(longest) :] if isinstance(longest, int) and longest and len(text) > longest else text


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def by_name(name: str, word: str) -> Any:
    """The value that a name alone suggests; a text where it suggests nothing."""
    plain = snake(name)
    for pattern, value in _BY_NAME:
        if re.search(pattern, plain):
            return _worded(value, word)
    return f"{word} {plain}" if word and plain in ("title", "name", "text", "body", "content", "message") else word


def _worded(value: Any, word: str) -> Any:
    if isinstance(value, str):
        return value.format(word=word)
    return [word for _ in value] if isinstance(value, list) else value
