"""What is unusual in a request: where answers differ, that is the cause, whatever the members are that show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from .messages import Request

_LARGEST = 100_000
# Numbers that one parser takes and another does not: a sign, an exponent, a separator, digits of other scripts.
# The runs of digits give nothing back: a value of many digits is read once.
_NUMBER = re.compile(
    r"\s*+(?:[+]\d++|[+-]?\d++(?:\.0*+|(?:\.\d*+)?[eE][+-]?\d++)|\d++_\d++|0\d++|[+-]?(?:nan|inf|infinity)|[+-]?\d{16,}+)\s*+",
    re.IGNORECASE,
)
# A longer value is no number that anyone spells, but for one of digits alone.
_LONGEST = 100
# A number at an id's place that a plain one is not: a sign, a point, a separator.
_SIGNED = re.compile(r"[+-]?\d*+[._]?\d*+", re.ASCII)
_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_OPAQUE = re.compile(
    rf"{_UUID}|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{{8,}}|(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{{16,}}", re.ASCII
)
_DEEP = re.compile(rb"(?:\[\s*){200}|(?:\{\s*\"[^\"]*\"\s*:\s*){200}")
_IDENTITY = re.compile(r"(?:^|_)(?:id|pk|no|num|number)$", re.IGNORECASE)
REPEATED, UNDECODABLE, NUMBERS = "a repeated name", "bytes that are no UTF-8", "a number in another spelling"
SPACES = "white space around a value"


def of_request(request: Request) -> str | None:
    """What is unusual in what a request asks with: one of the constants above; None for most requests."""
    pairs = list(_pairs(request))
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or _has_repeated_key(request):
        return REPEATED
    if any(_is_undecodable(text) for pair in pairs for text in pair):
        return UNDECODABLE
    if any(text and text != text.strip() for text in (_plain(value) for _, value in pairs)):
        return SPACES
    if any(_is_odd_number(value) for _, value in pairs):
        return NUMBERS
    return None


def in_body(request: Request) -> str | None:
    """What is unusual in the JSON of a body; None for most bodies."""
    body = request.body
    if _DEEP.search(body):
        return "deep nesting"
    if re.search(rb"\\u[dD][89a-fA-F]", body):
        return "lone surrogates"
    return "no numbers" if re.search(rb"\b(?:NaN|Infinity)\b|\d{300}|\d[eE]\d{3}", body) else None


def in_path(operation: str, request: Request, *, taken: bool) -> bool:
    """Whether a path has a value that is no plain one at a place where its operation has a parameter.

    `taken` says that a side answers as if the value fits: any text is plain then, only numbers and escapes are not.
    """
    template = operation.partition(" ")[2].split("/")
    path = request.target.partition(b"?")[0].decode("latin-1").split("/")
    if len(template) != len(path):
        return False
    places = zip(template, path, strict=True)
    return any(_is_odd(name[1:-1], value, taken=taken) for name, value in places if name.startswith("{"))


def _is_odd(name: str, value: str, *, taken: bool) -> bool:
    if re.fullmatch(r"(?:0|[1-9]\d{0,17})", value) or _is_opaque(value):
        return False
    if taken and re.fullmatch(r"[\w.:~@-]+", value, re.ASCII):
        return _is_spelled(value) or _SIGNED.fullmatch(value) is not None
    value = value.replace("%20", "-")
    plain = re.fullmatch(r"(?=[\w-]*[A-Za-z])[\w-]+", value) is not None and not re.search(r"\d_\d", value)
    # Text is usual but for a number's place; of a number only the plain form is.
    return bool(_IDENTITY.search(name)) or not plain


def _is_opaque(value: str) -> bool:
    """Whether a value is an id that no one counts: a UUID, hex digits, a ULID, or another long mix of both."""
    return _OPAQUE.fullmatch(value) is not None and not _is_spelled(value)


def _pairs(request: Request) -> Iterator[tuple[bytes, bytes]]:
    texts = [request.target.partition(b"?")[2]]
    kind = next((value for name, value in request.headers if name.lower() == b"content-type"), b"")
    if b"form-urlencoded" in kind and len(request.body) < _LARGEST:
        texts.append(request.body)
    for text in texts:
        for part in text.split(b"&") if text else ():
            name, _, value = part.partition(b"=")
            yield name, value


def _plain(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


def _is_undecodable(value: bytes) -> bool:
    try:
        _plain(value).decode()
    except UnicodeDecodeError:
        return True
    return False


def _is_odd_number(value: bytes) -> bool:
    text = _plain(value).decode("utf-8", "replace")
    return _is_spelled(text) or (text.strip().isdecimal() and not text.isascii())


def _is_spelled(text: str) -> bool:
    """Whether a text is a number that is not written in the plain way."""
    if len(text) > _LONGEST:
        return text.strip().isdecimal()
    return _NUMBER.fullmatch(text) is not None or (text != text.strip() and text.strip().isdecimal())


def _has_repeated_key(request: Request) -> bool:
    if request.body.lstrip()[:1] != b"{" or len(request.body) > _LARGEST:
        return False
    found = False

    def seen(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) < len(pairs)

    try:
        json.loads(request.body, object_pairs_hook=seen)
    except (ValueError, RecursionError):
        return False
    return found
