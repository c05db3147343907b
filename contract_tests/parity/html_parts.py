"""Where two HTML pages are not alike: each place once, by element and attribute, so that none hides another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from .identities import may_be_opaque

_TOKEN = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>|<![^<>]*>|[^<]+|<", re.DOTALL)
_UNCOMMENTED = re.compile(r"</?[A-Za-z][^<>]*>|<![^<>]*>|[^<]+|<")
_NAME = re.compile(r"</?[A-Za-z][\w-]*|<!")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+))?""")
# Larger pages are compared byte by byte alone; where more places than these differ, it is another page.
_LARGEST, _LONGEST, _MOST = 200_000, 4000, 12
# So many tokens are aligned: the time grows by the cube of them where a page says one thing often, as tables do.
_ALIGNED = 600


class Part(NamedTuple):
    """A place at which two pages differ: `a@href`, `text of p` or `<p>`, a difference's kind, and what stands there."""

    place: str
    kind: str
    original: str | None
    port: str | None


def is_html(text: str) -> bool:
    """Whether a text has markup."""
    return "<" in text and re.search(r"<(?:!doctype|html|body|head|p|div|title|h1|a|form|ul|table)\b", text, re.I) is not None  # fmt: skip  # noqa: E501


@lru_cache(64)
def parts(original: bytes, port: bytes) -> tuple[Part, ...]:
    """The places at which two pages differ, in their order; none where a body is no page or they are two pages."""
    if max(len(original), len(port)) > _LARGEST:
        return ()
    ours, theirs = (body.decode("utf-8", "replace") for body in (original, port))
    if not (is_html(ours) and is_html(theirs)):
        return ()
    tokens = [_tokens(text) for text in (ours, theirs)]
    if max(map(len, tokens)) > _LONGEST:
        return ()
    found: dict[tuple[str, str], Part] = {}
    try:
        for part in _aligned(*tokens):
            # A token that each app makes for itself is bound elsewhere.
            if not (part.original and part.port and may_be_opaque(part.original, part.port)):
                found.setdefault((part.place, part.kind), part)
    except _AnotherPageError:
        return ()
    return tuple(found.values()) if len(found) <= _MOST else ()


def _tokens(text: str) -> list[str]:
    # Behind the last end of a comment no comment ends: to look for one from each beginning takes the square of it.
    end = text.rfind("-->") + 3 if "-->" in text else 0
    found, rest = _TOKEN.findall(text[:end]), _UNCOMMENTED.findall(text[end:])
    if found and rest and not found[-1].startswith("<") and not rest[0].startswith("<"):
        found[-1] += rest.pop(0)
    return found + rest


class _AnotherPageError(Exception):
    """Two pages have too much between their first and their last difference to be aligned."""


def _alike(ours: list[str], theirs: list[str]) -> int:
    """How many tokens two pages begin with that are the same."""
    pairs = zip(ours, theirs, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def _aligned(ours: list[str], theirs: list[str]) -> Iterator[Part]:
    if [_kind(token) for token in ours] == [_kind(token) for token in theirs]:
        yield from _pairs(ours, theirs, "")
        return
    alike = _alike(ours, theirs)
    within = _element(ours[:alike])
    ours, theirs = ours[alike:], theirs[alike:]
    end = _alike(ours[::-1], theirs[::-1])
    ours, theirs = ours[: len(ours) - end], theirs[: len(theirs) - end]
    if max(len(ours), len(theirs)) > _ALIGNED:
        raise _AnotherPageError
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what != "equal":
            yield from _block(ours[a:b], theirs[c:d], within)
        within = _element(ours[a:b]) or within


def _block(ours: list[str], theirs: list[str], within: str) -> Iterator[Part]:
    """Tokens that stand for each other: alike in kind as far as they go, and what is too many on one side."""
    one, other = ([_kind(token) for token in tokens] for tokens in (ours, theirs))
    if one == other:
        yield from _pairs(ours, theirs, within)
        return
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            yield from _pairs(ours[a:b], theirs[c:d], within)
            continue
        for tokens, kind in ((ours[a:b], "missing"), (theirs[c:d], "extra")):
            for token in tokens:
                if token.strip() and not token.startswith("</"):
                    text = re.sub(r"\s+", " ", "".join(tokens)).strip()[:200]
                    place = f"<{_kind(token)[1:]}>" if token.startswith("<") else f"text of {within or 'the page'}"
                    yield Part(place, kind, *((text, None) if kind == "missing" else (None, text)))
                    break


def _pairs(ours: list[str], theirs: list[str], within: str) -> Iterator[Part]:
    for one, other in zip(ours, theirs, strict=True):
        if one.startswith("<") and not one.startswith("</"):
            within = _kind(one)[1:]
        if one == other:
            continue
        if one.startswith("<"):
            yield from _attributes(within, one, other)
        else:
            yield Part(f"text of {within or 'the page'}", "value", one, other)


def _attributes(name: str, ours: str, theirs: str) -> Iterator[Part]:
    one, other = _attributes_of(ours), _attributes_of(theirs)
    for attribute in dict.fromkeys((*one, *other)):
        place = f"{name}@{attribute}"
        if attribute not in other or attribute not in one:
            yield Part(place, "missing" if attribute in one else "extra", one.get(attribute), other.get(attribute))
        elif one[attribute] != other[attribute]:
            yield Part(place, "value", one[attribute], other[attribute])
    if one == other:
        yield Part(f"<{name}>", "value", ours, theirs)


def _attributes_of(tag: str) -> dict[str, str]:
    inner = tag[1:-1].partition(" ")[2] if " " in tag else re.sub(r"^<[\w-]+", "", tag)[:-1]
    return {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(inner)}


def _kind(token: str) -> str:
    """What two tokens have in common that may stand for each other."""
    if not token.startswith("<"):
        return "text" if token.strip() else "space"
    found = _NAME.match(token)
    return found[0].lower() if found else token


def _element(tokens: list[str]) -> str:
    return next((_kind(token)[1:] for token in reversed(tokens) if token[:1] == "<" and token[1:2] != "/"), "")
