"""Two stored values are alike as what they are: a key by its partner, a time by its class, a hash by its scheme."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from contract_tests.parity.declared import snake
from contract_tests.parity.identities import may_be_opaque
from contract_tests.parity.time_class import TimeClass, alike

# argon2 and bcrypt, Werkzeug's and Django's: the scheme with its cost, a salt, a hash.
_HASHES = (
    re.compile(r"(?P<scheme>\$argon2\w+\$v=\d+\$[\w=,]+)\$(?P<salt>[^$]+)\$(?P<hash>[^$]+)"),
    re.compile(r"(?P<scheme>\$2[abxy]\$\d\d)\$(?P<salt>.{22})(?P<hash>.{31})"),
    re.compile(r"(?P<scheme>(?:scrypt|pbkdf2)(?::[\w.]+)+)\$(?P<salt>[^$]+)\$(?P<hash>[0-9a-f]+)"),
    re.compile(r"(?P<scheme>(?:pbkdf2|bcrypt|scrypt|argon2)_?\w*\$[\w$=,]*?\d+)\$(?P<salt>[^$]+)\$(?P<hash>.+)"),
    re.compile(r"(?P<scheme>\$[0-9a-z-]+(?:\$[\w=,]+)?)\$(?P<salt>[./0-9A-Za-z]+)\$(?P<hash>[./0-9A-Za-z+=]+)"),
)
_SECRET = re.compile(r"pass(?:word|wd|phrase)?(?:_|$)|pwd|(?:^|_)(?:hash|secret|token|api_key)(?:_|$)")
# Texts of people that happen to be long and without spaces.
_WORDS = re.compile(r"(?:^|_)(?:name|title|slug|email|path|url|uri|file|filename|description|body|text|label)$")
_CLASSES = (TimeClass("rfc3339"), TimeClass("http-date"))
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+")
_WINDOW, _DAYS = 2.0, 400 * 86400
_LONGEST = 200


class Stored:
    """Compares the values of one column after another; tokens that it takes for partners stay partners."""

    def __init__(self) -> None:
        self._partners: dict[str, str] = {}
        self._namesakes: dict[str, str] = {}

    def kind(self, column: str, original: Any, port: Any) -> str | None:
        """In what two values of a column differ, as a kind of difference; None where they are alike."""
        if original is None or port is None:
            return None if original is port else "extra" if original is None else "missing"
        if type(original) is not type(port):
            return "type"
        if original == port:
            return None
        if isinstance(original, str):
            return self._texts(column, original, port)
        if isinstance(original, bytes):
            return None if len(original) == len(port) and _is_secret(column) else "value"
        return None if _are_clocks(original, port) else "value"

    def _texts(self, column: str, original: str, port: str) -> str | None:
        if _scheme(original) or _scheme(port):
            return None if _scheme(original) == _scheme(port) else "value"
        if _are_times(original, port):
            return None
        documents = _document(original), _document(port)
        if None not in documents:
            return self._documents(column, *documents)
        return self._tokens(column, original, port)

    def _tokens(self, column: str, original: str, port: str) -> str | None:
        if not may_be_opaque(original, port) or not _is_random(column, original) or _shape(original) != _shape(port):
            return "value"
        known = self._partners.setdefault(original, port), self._namesakes.setdefault(port, original)
        return None if known == (port, original) else "binding"

    def _documents(self, column: str, original: Any, port: Any) -> str | None:
        """Documents stored as text: how they are spaced is nobody's business, their leaves are values as any."""
        if isinstance(original, dict) and isinstance(port, dict) and original.keys() == port.keys():
            kinds = (self._documents(key, value, port[key]) for key, value in original.items())
        elif isinstance(original, list) and isinstance(port, list) and len(original) == len(port):
            kinds = (self._documents(column, one, other) for one, other in zip(original, port, strict=True))
        elif isinstance(original, (dict, list)) or isinstance(port, (dict, list)):
            return "value"
        else:
            return self.kind(column, original, port)
        return next((kind for kind in kinds if kind), None)


def told(column: str, value: Any) -> str | None:
    """A stored value for a person: of a secret no more than how it is kept."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        scheme = _scheme(value)
        if scheme:
            return f"{scheme[0]} (salt {scheme[1]}, hash {scheme[2]} characters)"
        if _is_secret(column):
            return f"({len(value)} characters in no known scheme of hashes)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def likeness(original: Mapping[str, Any], port: Mapping[str, Any], columns: Sequence[str]) -> int:
    """How many of these columns hold the same in two rows."""
    return sum(original[name] == port[name] for name in columns)


def _scheme(text: str) -> tuple[str, int, int] | None:
    found = next((match for pattern in _HASHES if (match := pattern.fullmatch(text))), None)
    return (found["scheme"], len(found["salt"]), len(found["hash"])) if found else None


def _are_times(original: str, port: str) -> bool:
    # How many digits a fraction has is chance where a database cuts zeros off; that there is one is not.
    ours, theirs = (_FRACTION.sub(".0", text) for text in (original, port))
    return any(
        alike(kind, ours, kind, theirs) and abs((kind.moment(original) or 0) - (kind.moment(port) or 0)) <= _WINDOW
        for kind in _CLASSES
    )


def _are_clocks(original: float, port: float) -> bool:
    """Seconds or milliseconds since 1970, near to now: no other number is taken for a time."""
    now = time.time()
    return any(
        abs(original / unit - now) < _DAYS and abs(original - port) <= _WINDOW * unit and type(original) is type(port)
        for unit in (1, 1000)
    )


def _is_secret(column: str) -> bool:
    return bool(_SECRET.search(snake(column)))


def _is_random(column: str, text: str) -> bool:
    """Whether a text may have been drawn: it has digits and letters, and its column is not one for words."""
    mixed = any(char.isdigit() for char in text) and any(char.isalpha() for char in text)
    return mixed and len(set(text)) >= 8 and not _WORDS.search(snake(column))


def _shape(text: str) -> str:
    """What a token is written in: where its separators stand, and whether it is hexadecimal."""
    plain = re.sub(r"[0-9A-Za-z]", "x", text) if re.fullmatch(r"[0-9a-fA-F-]+", text) else "token"
    return f"{plain}{text.islower()}" if plain != "token" else plain


def _document(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
