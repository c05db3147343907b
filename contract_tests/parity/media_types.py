"""A media type is compared by its essence and its parameters, and its spelling last (RFC 9110, section 8.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .difference import Difference
from .texts import listed

_PARAMETER = re.compile(r';\s*([^=;\s]+)=("(?:[^"\\]|\\.)*"|[^;]*)')


def essence(value: str) -> str:
    """`type/subtype` in lower case, without parameters; empty for an empty value."""
    return value.partition(";")[0].strip().lower()


def is_json(value: str | None) -> bool:
    """Whether a Content-Type declares JSON: application/json or any type with the suffix +json (RFC 6839)."""
    kind = essence(value or "")
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def parameters(value: str) -> dict[str, str]:
    """The parameters, names in lower case, values unquoted; a charset is in lower case, being without case."""
    found: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        plain = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text.strip()
        found.setdefault(name.lower(), plain.lower() if name.lower() == "charset" else plain)
    return found


def differences(original: Sequence[str], port: Sequence[str]) -> Iterator[Difference]:
    """Compare the Content-Type values of two responses."""
    if list(original) == list(port):
        return
    if len(original) == len(port) == 1:
        yield from _values(original[0], port[0])
    elif not port:
        yield Difference("media-type", "Content-Type", "missing", listed(original), None)
    elif not original:
        yield Difference("media-type", "Content-Type", "extra", None, listed(port))
    else:
        yield Difference("media-type", "Content-Type", "count", listed(original), listed(port))


def _values(original: str, port: str) -> Iterator[Difference]:
    if original == port:
        return
    yield from _essences(original, port)
    yield from _parameters(parameters(original), parameters(port))
    ours, theirs = _spelling(original), _spelling(port)
    otherwise = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if otherwise:
        texts = ("".join(spelling[name] for name in otherwise) for spelling in (ours, theirs))
        yield Difference("media-type", "Content-Type.spelling", "value", *texts)


def _spelling(value: str) -> dict[str, str]:
    """How each part is written: case, spaces and quotes. What differs in value has no spelling to compare."""
    kind = value.partition(";")[0]
    found = {f"/{essence(value)}": kind}
    for part in _PARAMETER.finditer(value):
        name = part[1].lower()
        found.setdefault(name, part[0][: part.start(2) - part.start()])
        found.setdefault(f"{name}={parameters(value)[name]}", part[2])
    return found


def _essences(original: str, port: str) -> Iterator[Difference]:
    if essence(original) != essence(port):
        yield Difference("media-type", "Content-Type", "value", essence(original), essence(port))


def _parameters(original: dict[str, str], port: dict[str, str]) -> Iterator[Difference]:
    for name in sorted(original.keys() | port.keys()):
        ours, theirs = original.get(name), port.get(name)
        if ours != theirs:
            kind = "missing" if theirs is None else "extra" if ours is None else "value"
            yield Difference("media-type", f"Content-Type.{name}", kind, ours, theirs)
