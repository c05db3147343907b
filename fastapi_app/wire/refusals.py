"""What gunicorn says of a head that is wrong, by its bytes alone: the same fault, first, in the same words.

Source: gunicorn 27, `http/message.py` (the parser in Python), `workers/base.py`, `handle_error`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .heads import (
    BLOCK,
    MAX_DIGITS,
    TOO_LARGE,
    TOO_MANY,
    Header,
    HeadLimits,
    Refused,
    check_codings,
    check_field,
    invalid,
    invalid_line,
    invalid_version,
    too_large,
    too_long,
)

LIMITS = HeadLimits()
END = b"\r\n"
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-zA-Z]+")
# gunicorn's own: methods are written in capitals.
METHOD = re.compile(r"[!$%&'*+\-.^_`|~0-9A-Z]{3,20}")
NO_TARGET = re.compile(r"[^\x21-\x7e]")
# Any decimal digit of Unicode would do for gunicorn, but latin-1 has no others.
VERSION = re.compile(r"HTTP/(\d)\.(\d)")
NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request line that gunicorn takes; `parts` are of its target, `end` is where the fields begin."""

    method: str
    target: str
    parts: SplitResult
    version: tuple[int, int]
    end: int


def refusal(head: bytes, held: int = 0, limits: HeadLimits = LIMITS) -> Refused | None:
    """What gunicorn would say of a head as far as it has come; None when it takes it, or waits for more.

    `held` of its bytes had been there before: gunicorn reads what came last by blocks, and looks at all after each.
    """
    try:
        line = read_line(head, held, limits)
        if line is not None:
            fields = read_fields(head, line.end, held, limits)
            check_framing(list(fields), line.version)
    except Refused as refused:
        return refused
    return None


def is_whole(head: bytes) -> bool:
    """Whether the head has its end: gunicorn waits for no more, if it refuses nothing."""
    line = read_line(head)
    return line is not None and (head.startswith(END, line.end) or head.find(END + END, line.end) >= 0)


def read_line(head: bytes, held: int = 0, limits: HeadLimits = LIMITS) -> RequestLine | None:
    """The request line; None as long as it has no end. Raises Refused."""
    if head == b"\r":
        return None
    # RFC 9112 section 2.2: one empty line is ignored.
    begin = len(END) if head.startswith(END) else 0
    # A block is more than a line may have.
    seen = head[begin : held + BLOCK]
    end = seen.find(END)
    if seen.find(b"\n", 0, end if end >= 0 else len(seen)) >= 0:
        raise invalid_line("bare LF as line terminator")
    if end > limits.request_line:
        raise too_long(end, limits)
    if end < 0:
        if len(seen) - len(END) > limits.request_line:
            raise too_long(len(seen), limits)
        return None
    return parse_line(seen[:end].decode("latin-1"), begin + end + len(END))


def parse_line(line: str, end: int) -> RequestLine:
    """Raises Refused."""
    words = line.split(" ", 2)
    if len(words) != 3:
        raise invalid_line(line)
    method, target, version = words
    if not METHOD.fullmatch(method):
        raise Refused(400, "Bad Request", f"Invalid Method 'Invalid HTTP method: {method!r}'")
    parts = split_target(target, method)
    if parts is None:
        raise invalid_line(line)
    numbers = VERSION.fullmatch(version)
    if numbers is None:
        raise invalid_version(version)
    major, minor = int(numbers[1]), int(numbers[2])
    if major != 1:
        raise invalid_version((major, minor))
    return RequestLine(method, target, parts, (major, minor), end)


def split_target(target: str, method: str) -> SplitResult | None:
    """None of what is no target for the method (RFC 9112 section 3.2)."""
    if not target or NO_TARGET.search(target):
        return None
    if target == "*":
        return urlsplit(target) if method == "OPTIONS" else None
    if method != "CONNECT" and not target.startswith("/") and "://" not in target:
        return None
    try:
        # Two slashes at the begin are a path here, and no host.
        parts = urlsplit("." + target if target.startswith("//") else target)
    except ValueError:
        return None
    return parts._replace(path=parts.path.removeprefix(".")) if target.startswith("//") else parts


def read_fields(head: bytes, begin: int, held: int, limits: HeadLimits) -> Iterator[Header]:
    """The fields that are kept; none as long as their section has no end. Raises Refused."""
    if head.startswith(END, begin):
        return
    end = head.find(END + END, begin)
    # What gunicorn had read when it last saw no end: a bare LF in it is refused as what it is.
    read = len(head) if end < 0 else held + (end + len(END + END) - 1 - held) // BLOCK * BLOCK
    if head.count(b"\n", begin, read) != head.count(END, begin, read):
        raise Refused(400, "Bad Request", "Invalid HTTP Header: 'bare LF as line terminator'")
    if end >= 0:
        yield from parse_fields(head[begin:end].split(END), limits)
    elif len(head) - begin > limits.fields * (limits.field_size + len(END)) + len(END + END):
        raise too_large("max buffer headers")


def parse_fields(lines: list[bytes], limits: HeadLimits) -> Iterator[Header]:
    """Raises Refused at the first fault, as gunicorn reads: line by line."""
    seen: set[bytes] = set()
    kept = 0
    for number, line in enumerate(lines):
        if kept >= limits.fields:
            raise too_large(TOO_MANY)
        folded = lines[number + 1 : number + 2]
        name, value = parse_field(line.decode("latin-1"), is_folded=bool(folded) and folded[0][:1] in (b" ", b"\t"))
        if len(line) + len(END) > limits.field_size:
            raise too_large(TOO_LARGE)
        check_field(name, value, seen)
        if b"_" not in name:
            kept += 1
            yield name, value


def parse_field(line: str, *, is_folded: bool) -> Header:
    """Raises Refused."""
    name, colon, value = line.partition(":")
    if not name or not colon:
        raise Refused(400, "Bad Request", f"Invalid HTTP Header: {line!r}")
    if not TOKEN.fullmatch(name):
        raise Refused(400, "Bad Request", f"Invalid HTTP header name: {name!r}")
    if is_folded:
        raise Refused(400, "Bad Request", f"Obsolete line folding is unacceptable: {name.upper()!r}")
    field = name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1")
    if NO_VALUE.search(value.strip(" \t")):
        raise invalid(field[0])
    return field


def check_framing(fields: list[Header], version: tuple[int, int]) -> None:
    """Where the body ends must be beyond doubt (RFC 9112 section 6.3). Raises Refused."""
    length: bytes | None = None
    codings: list[bytes] = []
    for number, (name, value) in enumerate(fields, 1):
        if name == b"content-length":
            if length is not None:
                raise invalid(name)
            length = value
        elif name == b"transfer-encoding":
            # Its version is judged at the end, behind the other fields.
            check_codings(fields[:number], "1.1")
            codings += (coding.strip(b" \t").lower() for coding in value.split(b","))
    if codings:
        if b"chunked" not in codings or version < (1, 1):
            raise invalid(b"transfer-encoding")
        if length is not None:
            raise invalid(b"content-length")
    elif length is not None and not (length.isdigit() and len(length) <= MAX_DIGITS):
        raise invalid(b"content-length")


def told(fault: str, fields: list[Header]) -> Refused:
    """What httptools says of a head, in gunicorn's words as far as they can be known without its bytes."""
    if fault == "Empty Transfer-Encoding":
        fields = [(b"transfer-encoding", b"")]
    try:
        check_codings(fields, "1.1")
    except Refused as refused:
        return refused
    for name in ("Content-Length", "Transfer-Encoding"):
        if name in fault:
            return invalid(name.encode("ascii"))
    return Refused(400, "Bad Request", "Invalid HTTP request")
