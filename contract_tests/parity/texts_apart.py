"""Two bodies that are no JSON, or JSON written in two ways: what is another in them tells why."""

from __future__ import annotations

import json
import re
from itertools import zip_longest

from . import shapes
from .difference import Difference
from .exchange import Exchange
from .html_parts import Part, parts
from .media_types import is_json
from .reason import Reason, shown
from .segments import segment_of

_GAP = re.compile(r"(?P<gap>'.*?'|\".*?\") between (?P<before>.*?) and (?P<after>.*)", re.DOTALL)
_TOKEN = re.compile(r"&#?\w+;|<[^>]{0,200}>|\w+|\s+|[^\w\s]")
_MARKUP = re.compile(r"&#?\w+;|<.*>|[<>&'\"]", re.DOTALL)
_LARGEST = 200_000
_LINKS = frozenset({"href", "src", "action", "formaction", "poster", "data", "content", "srcset"})
_WAYS = frozenset({"bytes that are no UTF-8", "leading zeros", "case", "spaces", "unicode form", "what HTML escapes"})
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def reason_of(difference: Difference, exchange: Exchange) -> Reason:
    """The reason of a difference at the level bytes, where both sides have a body."""
    media = (exchange.original.header("Content-Type") or b"").decode("latin-1").partition(";")[0]
    place = difference.path.partition(" ")[2]
    if place:
        part = Part(place, difference.kind, difference.original, difference.port)
        return _of_part(part, media, exchange.operation)
    gaps = [_GAP.fullmatch(each or "") for each in (difference.original, difference.port)]
    if gaps[0] and gaps[1]:
        return _gap(gaps[0], gaps[1])
    ours, theirs = exchange.original.body[:_LARGEST], exchange.port.body[:_LARGEST]
    if not (difference.original or "").startswith("byte "):
        return Reason("json-spelling", _spelling(difference), "JSON values are spelled in another way")
    # Up to the place that is told the two are alike but for their ids.
    at = int(re.findall(r"\d+", difference.original or "0")[0])
    if is_json(media) and not ours[at:].strip() and not theirs[at:].strip():
        ends = [repr(each[at:].decode()) for each in (ours, theirs)]
        return Reason("json-end", (ends[0], ends[1]), f"JSON ends in {ends[0]} and {ends[1]}")
    if is_json(media) and (escapes := _escapes(ours, theirs)) is not None:
        return Reason("json-spelling", ("escapes", *escapes), "JSON values are spelled in another way")
    if ours.rstrip(b"\r\n") == theirs.rstrip(b"\r\n"):
        return Reason("text-end", (media,), f"{media}: another end of the text")
    if ours.replace(b"\r\n", b"\n") == theirs.replace(b"\r\n", b"\n"):
        return Reason("line-ends", (media,), f"{media}: other ends of lines")
    first = next(iter(parts(ours, theirs)), None)
    return _of_part(first, media, exchange.operation) if first else _tokens(ours, theirs, media, exchange.operation)


def _of_part(part: Part, media: str, operation: str) -> Reason:
    attribute = part.place.partition("@")[2]
    if part.original is None or part.port is None:
        told = "missing in the port" if part.kind == "missing" else "there in the port alone"
        return Reason("markup-part", (segment_of(operation), part.place, part.kind), f"{media}: {part.place} is {told}")
    one, other = _first(part.original, part.port)
    if _MARKUP.fullmatch(one) and _MARKUP.fullmatch(other):
        return Reason("markup", (shown(one), shown(other)), f"{media}: {shown(one)} is written as {shown(other)}")
    apart = how_apart(part.original, part.port)
    if attribute in _LINKS and apart in ("an absolute link", "scheme or host"):
        return Reason("markup-links", (apart,), f"{media}: links lie apart in {apart}")
    if apart in _WAYS:
        return Reason("text-writing", (apart,), f"{media}: texts lie apart in {apart}")
    if attribute:
        marks = (part.place, shown(part.original), shown(part.port))
        if attribute in ("class", "type", "method", "rel", "lang", "charset", "name", "id"):
            return Reason("markup", marks, f"{media}: {part.place} is {marks[1]} and {marks[2]}")
        return Reason("markup-value", (operation, part.place), f"{media}: {part.place} is another one")
    return Reason("text", (operation,), f"{media or 'the body'}: another text")


def how_apart(ours: str, theirs: str) -> str:
    """In what two texts lie apart; `value` where nothing simpler is seen."""
    if ("\ufffd" in ours) != ("\ufffd" in theirs):
        return "bytes that are no UTF-8"
    if _ZEROS.sub("", ours) == _ZEROS.sub("", theirs):
        return "leading zeros"
    return shapes.relation(ours, theirs)


def _gap(ours: re.Match[str], theirs: re.Match[str]) -> Reason:
    if ours["after"] == theirs["after"] == "the end":
        return Reason("json-end", (ours["gap"], theirs["gap"]), f"JSON ends in {ours['gap']} and {theirs['gap']}")
    return Reason(
        "json-spaces", (ours["gap"], theirs["gap"]), f"JSON has {ours['gap']} and {theirs['gap']} between its parts"
    )


def _spelling(difference: Difference) -> tuple[str, ...]:
    """Escapes or numbers: a text is spelled with escapes on one side, a number with other digits."""
    texts = (difference.original or "", difference.port or "")
    if texts[0].startswith('"'):
        return ("escapes", *(_escaping(each) for each in texts))
    return ("numbers",)


def _escapes(ours: bytes, theirs: bytes) -> tuple[str, str] | None:
    """Which of two bodies of one JSON value has escapes, where the other has none."""
    try:
        if json.loads(ours) != json.loads(theirs):
            return None
    except (ValueError, RecursionError):
        return None
    one, other = (_escaping(each.decode("utf-8", "replace")) for each in (ours, theirs))
    return (one, other) if one != other else None


def _escaping(text: str) -> str:
    return "escaped" if re.search(r"\\[u/]", text) else "plain"


def _tokens(ours: bytes, theirs: bytes, media: str, operation: str) -> Reason:
    """By the first token that differs: an entity or a tag is one cause in all pages, any other text a page's own."""
    one, other = _first(ours.decode("utf-8", "replace"), theirs.decode("utf-8", "replace"))
    if _MARKUP.fullmatch(one) and _MARKUP.fullmatch(other):
        return Reason("markup", (shown(one), shown(other)), f"{media}: {shown(one)} is written as {shown(other)}")
    return Reason("text", (operation,), f"{media or 'the body'}: another text")


def _first(ours: str, theirs: str) -> tuple[str, str]:
    """The first token of two texts that is not the same."""
    pairs = zip_longest(_TOKEN.finditer(ours), _TOKEN.finditer(theirs))
    return next(
        ((x[0] if x else "", y[0] if y else "") for x, y in pairs if x is None or y is None or x[0] != y[0]), ("", "")
    )
