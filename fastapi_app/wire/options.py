"""A header value with parameters, `form-data; name="a"`, as Werkzeug reads one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

WORD = r"[\w!#$%&'*+\-.^`|~]+"
KEY = re.compile(f"({WORD})=", re.ASCII)
# A closing quote must be found; a backslash hides only a quote and itself.
VALUE = re.compile(rf'{WORD}|"(?:\\[\\"]|(?!\\[\\"])[^"])*"', re.ASCII)
DELIMITER = re.compile(r";[ \t]*")
MARKS = re.compile(r"(?:\*(\d+))?(\*)?$", re.ASCII)
ENCODED = re.compile(rf"([\w!#$%&*+\-.^`|~]*)'[\w!#$%&*+\-.^`|~]*'({WORD})$", re.ASCII)
SLASHED = re.compile(r"\\(.)", re.ASCII)
CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})


def parse_options(header: str) -> tuple[str, dict[str, str]]:
    """The value and its parameters, names in lower case; what is malformed is left out, `*` and `*0` are joined."""
    value, _, rest = header.partition(";")
    value = value.strip(" \t")
    return value, (join(pairs_of(rest.strip(" \t"))) if value else {})


def pairs_of(text: str) -> Iterator[tuple[str, str]]:
    """The parameters as they are written."""
    position = 0
    while position < len(text):
        if key := KEY.match(text, position):
            position = key.end()
            if value := VALUE.match(text, position):
                yield key[1].lower(), value[0]
                # Only behind a quoted value: a token holds no semicolon.
                position = value.end()
            elif text.startswith('"', position):
                return
        following = DELIMITER.search(text, position)
        if following is None:
            return
        position = following.end()


def join(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Parameters without quotes, percent encoding (RFC 2231) and continuations."""
    options: dict[str, str] = {}
    continued: dict[str, list[str]] = {}
    charsets: dict[str, str] = {}
    for marked, written in pairs:
        key, is_continued, is_encoded = without_marks(marked)
        if is_encoded:
            text, charset = decoded(written, charsets.get(key, "") if is_continued else "")
        else:
            text, charset = unquoted(written).replace("%22", '"'), ""
        if is_continued:
            continued.setdefault(key, []).append(text)
            charsets |= {key: charset} if charset else {}
        else:
            continued.pop(key, None)
            charsets.pop(key, None)
            options[key] = text
    return options | {key: "".join(texts) for key, texts in continued.items()}


def decoded(text: str, usual: str) -> tuple[str, str]:
    """The text of `charset'language'text`, and the charset, or the usual one where it names none."""
    charset = usual
    if encoded := ENCODED.match(text):
        charset, text = encoded[1].lower() or usual, encoded[2]
    return unquote(text, encoding=charset) if charset in CHARSETS else text, charset


def without_marks(name: str) -> tuple[str, bool, bool]:
    """A parameter's own name, and whether it has the mark of a continuation, and that of an encoding."""
    marks = MARKS.search(name)
    return (name[: marks.start()], marks[1] is not None, marks[2] is not None) if marks else (name, False, False)


def unquoted(text: str) -> str:
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        return SLASHED.sub(r"\g<1>", text[1:-1])
    return text
