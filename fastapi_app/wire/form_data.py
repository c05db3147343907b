"""multipart/form-data, read as Werkzeug reads it: with any line break, and all or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.datastructures import Headers, UploadFile

from .options import CHARSETS, parse_options

LINE_BREAK = rb"(?:\r\n|\n|\r)"
BREAK = re.compile(LINE_BREAK)
BLANK_LINE = re.compile(rb"\r\n\r\n|\r\r|\n\n")
CONTINUATION = re.compile(LINE_BREAK + rb"[ \t]")
# What may stand around a boundary that has not been received whole: line breaks and dashes.
MARGIN = 8
IN_MEMORY = 500 * 1024


class TooLarge(Exception):
    """More parts, or more bytes that must be kept in memory, than a form may have."""


class State(Enum):
    """What is expected next."""

    PREAMBLE = auto()
    HEAD = auto()
    START = auto()
    DATA = auto()
    END = auto()


@dataclass(slots=True)
class Part:
    """A field or a file while it is received."""

    name: str | None
    filename: str | None
    head: list[tuple[str, str]]
    content: IO[bytes]
    size: int = 0

    def header(self, name: str) -> str:
        return next((value for key, value in self.head if key.lower() == name), "")

    def text(self) -> str:
        """A field's value, in the character set that its part declares."""
        charset = parse_options(self.header("content-type"))[1].get("charset", "").lower()
        return self.content.read().decode(charset if charset in CHARSETS else "utf-8", "replace")

    def upload(self) -> UploadFile:
        head = [(key.lower().encode(), value.encode("latin-1", "replace")) for key, value in self.head]
        # Without a size where no file was chosen: FastAPI would take the empty one that a browser sends for none.
        size = self.size if self.filename or self.size else None
        return UploadFile(self.content, filename=self.filename, size=size, headers=Headers(raw=head))  # type: ignore[arg-type]


@dataclass
class FormData:
    """Fed with chunks, makes the parts of a body. Any error it raises (ValueError, TooLarge) means the whole form.

    Its answers are those of Werkzeug's decoder where it is fed with the same chunks of 64 KiB, also about the point at
    which a body is too large.
    """

    boundary: bytes
    max_parts: int
    max_memory: int
    parts: list[Part] = field(default_factory=list)
    state: State = State.PREAMBLE
    buffer: bytearray = field(default_factory=bytearray)
    searched: int = 0

    def __post_init__(self) -> None:
        mark = rb"--%s(--[^\S\n\r]*%s?|[^\S\n\r]*%s)" % (re.escape(self.boundary), LINE_BREAK, LINE_BREAK)
        self.opening = re.compile(LINE_BREAK + b"?" + mark)
        self.closing = re.compile(LINE_BREAK + mark)

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk. Raises ValueError, TooLarge."""
        if len(self.buffer) + len(chunk) > self.max_memory:
            raise TooLarge
        self.buffer += chunk
        steps = {State.PREAMBLE: self.open, State.HEAD: self.begin, State.START: self.go_on, State.DATA: self.go_on}
        while self.state is not State.END and steps[self.state]():
            pass

    def finish(self) -> None:
        """There is no more. Raises ValueError for a body that has not come to its last boundary."""
        if self.state is not State.END:
            raise ValueError(f"ends in {self.state}")

    def close(self) -> None:
        """Give up what was received."""
        for part in self.parts:
            part.content.close()

    def open(self) -> bool:
        """Find the first boundary. Whether it is there yet."""
        found = self.opening.search(self.buffer, self.searched)
        if found is None:
            self.searched = max(0, len(self.buffer) - len(self.boundary) - MARGIN)
            return False
        self.pass_boundary(found)
        del self.buffer[: found.end()]
        self.searched = 0
        return True

    def begin(self) -> bool:
        """Read the head of a part. Whether it is there yet."""
        found = BLANK_LINE.search(self.buffer, self.searched)
        if found is None:
            self.searched = max(0, len(self.buffer) - MARGIN)
            return False
        head = read_head(bytes(self.buffer[: found.start()]))
        # The second line break is left: data begins with one, so that a boundary can follow at once.
        del self.buffer[: (found.start() + found.end()) // 2]
        self.parts.append(make_part(head))
        if len(self.parts) > self.max_parts:
            raise TooLarge
        self.state, self.searched = State.START, 0
        return True

    def go_on(self) -> bool:
        """Take what is certainly data of the part. Whether there may be more to do."""
        begins = BREAK.match(self.buffer) if self.state is State.START else None
        start = begins.end() if begins else 0
        found = self.closing.search(self.buffer) if b"--" + self.boundary in self.buffer else None
        if found is None:
            certain = start + self.certain(self.buffer[start:])
            data, used = bytes(self.buffer[start:certain]), certain
            progressed = bool(data) or self.state is State.START
            self.state = State.DATA
        else:
            data, used, progressed = bytes(self.buffer[start : found.start()]), found.end(), True
            self.pass_boundary(found)
        del self.buffer[:used]
        self.write(data)
        if found is not None:
            self.parts[-1].content.seek(0)
        return progressed

    def write(self, data: bytes) -> None:
        part = self.parts[-1]
        part.size += len(data)
        if part.filename is None and part.size > self.max_memory:
            raise TooLarge
        part.content.write(data)

    def pass_boundary(self, found: re.Match[bytes]) -> None:
        self.state = State.END if found[1].startswith(b"--") else State.HEAD

    def certain(self, data: bytearray) -> int:
        """How much of the data cannot be the beginning of a boundary."""
        may_begin = len(data) - len(b"\r\n--" + self.boundary)
        last = [data.rfind(each) for each in (b"\n", b"\r")]
        return min((each for each in last if each >= max(0, may_begin)), default=len(data))


def read_head(lines: bytes) -> list[tuple[str, str]]:
    """The header fields of a part. Raises ValueError for what is no UTF-8."""
    fields = (line.strip(b" \t").decode().partition(":") for line in CONTINUATION.sub(b" ", lines).splitlines())
    return [(name.strip(" \t"), value.strip(" \t")) for name, colon, value in fields if name or colon]


def make_part(head: list[tuple[str, str]]) -> Part:
    """The part that a head begins, a file where it has a filename. Raises ValueError for one without a disposition."""
    disposition = next((value for key, value in head if key.lower() == "content-disposition"), None)
    if disposition is None:
        raise ValueError("a part without Content-Disposition")
    options = parse_options(disposition)[1]
    filename = options.get("filename")
    # A field is small by its limit; a file is open until its form is closed.
    content: IO[bytes] = BytesIO() if filename is None else SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    return Part(options.get("name"), filename, head, content)
