"""Where a head begins, and the request lines that gunicorn takes and httptools does not: it is told another.

Source: gunicorn 27, `http/message.py`, `util.py`, `split_request_uri`; llhttp 9.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

import httptools

from .refusals import RequestLine, read_line

# What both read alike, and nothing else: most lines need no second look.
PLAIN = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) /[!-~]{0,4000} HTTP/1\.[01]\r\n")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
# Where a request began is looked for in no more.
MAX_LOOKED_AT = 65536


@dataclass(frozen=True, slots=True)
class Opening:
    """What stands in a request line of which the parser is told another: the framing of a request does not hang on it.

    `path` is the target's own, and empty for `http://host`, of which the parser hears `/`.
    """

    method: str
    path: str
    version: str
    told: bytes


def open_head(head: bytes, held: int = 0) -> tuple[Opening | None, bytes] | None:
    """What the parser is to read of a head, and what it cannot know; None as long as the line has no end.

    `held` of its bytes had been there before. Raises Refused.
    """
    line = read_line(head, held)
    if line is None:
        return None
    opening = as_known(line)
    return opening, (opening.told + head[line.end :] if opening else head)


def as_known(line: RequestLine) -> Opening | None:
    """None when the parser knows such a line, or may know none like it."""
    is_known = line.method in METHODS and line.version in ((1, 0), (1, 1))
    path = line.parts.path
    if line.method == "CONNECT" or line.target == "*" or (path and not path.startswith("/")):
        return None
    if is_known and line.target.startswith("/"):
        return None
    target = line.target
    if not target.startswith("/"):
        target = (path or "/") + ("?" + line.parts.query if line.parts.query else "")
    # Never longer than the line was, for that has a limit.
    method = line.method if line.method in METHODS else "GET"
    version = "1.0" if line.version == (1, 0) else "1.1"
    told = f"{method} {target} HTTP/{version}\r\n".encode("latin-1")
    return Opening(line.method, path, f"1.{line.version[1]}", told)


def find_last(data: bytes, ended: int) -> int | None:
    """Where the request begins that follows so many others; None when it is not found.

    httptools does not tell: parsers of their own read more and more of the data, until one has heard as many ends.
    """
    if len(data) > MAX_LOOKED_AT:
        return None
    view = memoryview(data)
    low, high = 0, 64
    while count_ends(view[:high]) < ended:
        if high >= len(data):
            return None
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if count_ends(view[:middle]) < ended:
            low = middle
        else:
            high = middle
    return high


class Ends:
    """Counts the requests that a parser has read to their ends."""

    count = 0

    def on_message_complete(self) -> None:
        self.count += 1


def count_ends(data: memoryview) -> int:
    """How many requests end in the data."""
    ends = Ends()
    parser = httptools.HttpRequestParser(ends)
    parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_keep_alive=True)
    with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
        parser.feed_data(data)
    return ends.count
