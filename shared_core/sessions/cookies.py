"""Reads one cookie out of a Cookie header as Werkzeug 3.1 does: the first of that name counts."""

from __future__ import annotations

import re

_PAIR = re.compile(
    r"""
    [ \t]* ([^ \t=";]+)                                       # a name
    (?: [ \t]*=[ \t]* ( "(?:[^\\"]|\\.)*" | [^ \t";]* ) )?    # a value, plain or quoted
    [ \t]* (?: ; | \Z )
    """,
    re.ASCII | re.VERBOSE,
)
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2}|.)")


def first_cookie(header: str, name: str) -> str | None:
    """The value of the first cookie of this name; `header` is the field's value decoded as Latin-1."""
    position = 0
    while position < len(header):
        pair = _PAIR.match(header, position)
        if pair is None:
            # Not a pair: go on behind the next semicolon.
            position = header.find(";", position) + 1
            if position == 0:
                return None
            continue
        if pair[1] == name:
            return _unquoted(pair[2] or "")
        position = pair.end()
    return None


def _unquoted(value: str) -> str:
    if not (value.startswith('"') and value.endswith('"')):
        return value
    return _ESCAPED.sub(_unescaped, value[1:-1].encode()).decode(errors="replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    return escaped if len(escaped) == 1 else int(escaped, 8).to_bytes(1, "big")
