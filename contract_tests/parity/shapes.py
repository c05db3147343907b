"""What a JSON value looks like, and how two values lie apart: fields that differ for one reason differ alike."""

from __future__ import annotations

import json
import re
import unicodedata

from .json_text import decoded
from .json_values import scalar_type

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?P<mark>[T ])?(?:\d\d:\d\d(?::\d\d)?)?(?P<parts>[.,]\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_HTTP_TIME = re.compile(r"[A-Z][a-z]{2}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d \S+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)([0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
_URL = re.compile(r"(?P<scheme>https?)://[^/]*(?P<rest>/.*)?")
# Only texts of a bounded length are looked at: a body of megabytes may be one value.
_LONGEST = 2000
# How two values lie apart, by what makes them equal.
_ALIKE = (
    ("case", str.casefold),
    ("spaces", lambda text: "".join(text.split())),
    ("unicode form", lambda text: unicodedata.normalize("NFKD", text)),
    ("what HTML escapes", lambda text: re.sub(r"&#?\w+;|[<>&'\"]", "", text)),
    ("digits", lambda text: re.sub(r"\d+", "0", text)),
)


def shape(text: str | None) -> str:
    """The shape of a JSON value as it is written: `integer`, `a number in quotes`, `a time as 2024-05-01T12:30:00Z`."""
    if text is None:
        return "nothing"
    if text[:1] in ("{", "["):
        return "an object" if text[0] == "{" else "a list"
    kind = scalar_type(text) if text else "nothing"
    return _of_text(_plain(text)) if kind == "string" else kind


def is_format(original: str, port: str) -> bool:
    """Whether two shapes are two ways to write one value, whatever the field: what writes them is the cause."""
    pair = {original, port}
    if original == port:
        return False
    times = sum(each.startswith("a time") for each in pair)
    numbers = pair <= {"integer", "float", "a number in quotes"}
    flags = "boolean" in pair and pair <= {"boolean", "integer", "a flag in quotes"}
    uuids = all(each.startswith("a UUID") for each in pair)
    return times == 2 or (times == 1 and bool(pair & {"integer", "float"})) or numbers or flags or uuids


def relation(original: str, port: str) -> str:
    """In what two scalars lie apart: `case`, `spaces`, `one more`, or `value` where nothing simpler is seen."""
    if len(original) + len(port) > _LONGEST:
        return "value"
    ours, theirs = _plain(original), _plain(port)
    if not original.startswith('"') and _NUMBER.fullmatch(original) and _NUMBER.fullmatch(port):
        return _between(float(original), float(port))
    if not ours or not theirs:
        return "empty in the port" if ours else "empty in the original"
    for name, plain in _ALIKE:
        if plain(ours) == plain(theirs):
            return name
    return _of_links(ours, theirs) or ("an end" if ours.startswith(theirs) or theirs.startswith(ours) else "value")


def _of_text(text: str) -> str:
    if not text:
        return "an empty text"
    if _NUMBER.fullmatch(text):
        return "a number in quotes"
    if text.lower() in ("true", "false"):
        return "a flag in quotes"
    if _HTTP_TIME.fullmatch(text):
        return "a time as in HTTP"
    if found := _TIME.fullmatch(text):
        return _of_time(text, found)
    if found := _UUID.fullmatch(text):
        return (
            f"a UUID {'with' if found[1] else 'without'} dashes in {'lower' if text == text.lower() else 'upper'} case"
        )
    return "text"


def _of_time(text: str, found: re.Match[str]) -> str:
    """A time's form, by an example of it that is the same for all times."""
    if len(text) == len("2024-05-01"):
        return "a time as 2024-05-01"
    clock = "12:30:00" if text.count(":") - (found["zone"] or "").count(":") > 1 else "12:30"
    zone = found["zone"] or ""
    if zone not in ("", "Z"):
        zone = "+00:00" if ":" in zone else "+0000"
    # Microseconds are left out where they are 0: how many there are makes no form.
    return f"a time as 2024-05-01{found['mark'] or ''}{clock}{'.5' if found['parts'] else ''}{zone}"


def _between(original: float, port: float) -> str:
    apart = port - original
    if abs(apart) == 1:
        return "one more" if apart > 0 else "one less"
    if original == -port:
        return "sign"
    return "rounding" if abs(apart) < 1 else "value"


def _of_links(original: str, port: str) -> str | None:
    ours, theirs = _URL.fullmatch(original), _URL.fullmatch(port)
    if ours and theirs and ours["rest"] == theirs["rest"]:
        return "scheme or host"
    if bool(ours) != bool(theirs):
        link, other = (ours, port) if ours else (theirs, original)
        return "an absolute link" if link and link["rest"] == other else None
    return None


def _plain(text: str) -> str:
    try:
        return decoded(text) if text.startswith('"') else text
    except json.JSONDecodeError:  # an excerpt of a text
        return text
