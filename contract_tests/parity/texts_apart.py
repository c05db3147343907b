"""Two bodies that are no JSON, or JSON written in two ways: what is another in them tells why."""

from __future__ import annotations

import re
from itertools import zip_longest

from .difference import Difference
from .exchange import Exchange
from .reason import Reason, shown

_GAP = re.compile(r"(?P<gap>'.*?'|\".*?\") between (?P<before>.*?) and (?P<after>.*)", re.DOTALL)
_TOKEN = re.compile(r"&#?\w+;|<[^>]{0,200}>|\w+|\s+|[^\w\s]")
_MARKUP = re.compile(r"&#?\w+;|<.*>|[<>&'\"]", re.DOTALL)
_LARGEST = 200_000


def reason_of(difference: Difference, exchange: Exchange) -> Reason:
    """The reason of a difference at the level bytes, where both sides have a body."""
    gaps = [_GAP.fullmatch(each or "") for each in (difference.original, difference.port)]
    if gaps[0] and gaps[1]:
        return _gap(gaps[0], gaps[1])
    ours, theirs = exchange.original.body[:_LARGEST], exchange.port.body[:_LARGEST]
    if not (difference.original or "").startswith("byte "):
        return Reason("json-spelling", _spelling(difference), "JSON values are spelled in another way")
    media = (exchange.original.header("Content-Type") or b"").decode("latin-1").partition(";")[0]
    if ours.rstrip(b"\r\n") == theirs.rstrip(b"\r\n"):
        return Reason("text-end", (media,), f"{media}: another end of the text")
    if ours.replace(b"\r\n", b"\n") == theirs.replace(b"\r\n", b"\n"):
        return Reason("line-ends", (media,), f"{media}: other ends of lines")
    return _tokens(ours, theirs, media, exchange.operation)


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


def _escaping(text: str) -> str:
    return "escaped" if re.search(r"\\[u/]", text) else "plain"


def _tokens(ours: bytes, theirs: bytes, media: str, operation: str) -> Reason:
    """By the first token that differs: an entity or a tag is one cause in all pages, any other text a page's own."""
    pairs = zip_longest(*(_TOKEN.finditer(each.decode("utf-8", "replace")) for each in (ours, theirs)))
    one, other = next(
        ((x[0] if x else "", y[0] if y else "") for x, y in pairs if x is None or y is None or x[0] != y[0]), ("", "")
    )
    if _MARKUP.fullmatch(one) and _MARKUP.fullmatch(other):
        return Reason("markup", (shown(one), shown(other)), f"{media}: {shown(one)} is written as {shown(other)}")
    return Reason("text", (operation,), f"{media or 'the body'}: another text")
