"""Content that clients upload: streamed into a folder while it is checked, and never whole in memory."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Self

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from shared_core.errors import Invalid, Malformed, TooLarge, Violation

FIELD = "file"
LONGEST_NAME = 255
LONGEST_MEDIA_TYPE = 127  # RFC 6838 section 4.2, for each of its two parts
BLOCK = 1 << 18
# What the parts around the file may add to its size.
ENVELOPE = 1 << 16
MOST_PARTS = 100

UNREADABLE = "The request body is not well-formed multipart/form-data."
TOO_LARGE = "The file is too large."
UNFIT = "The request does not fit."
BINARY = "application/octet-stream"

# RFC 9110 section 8.3.1.
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}")


class Received(NamedTuple):
    """A file that arrived whole; `key` names its content in the folder."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Uploads:
    """The folder, and how large a file may be. Names in it come from `new_key` alone, never from a client."""

    folder: Path
    most_bytes: int
    new_key: Callable[[], str]

    @property
    def most_body_bytes(self) -> int:
        """Bytes of a request body with the largest file."""
        return self.most_bytes + ENVELOPE

    def receive(self, content_type: str) -> Upload:
        """Begin to receive a multipart/form-data body. Raises Malformed for one without a boundary."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Upload(self.folder, self.new_key(), content_type, most_bytes=self.most_bytes)

    def read(self, key: str, *, start: int, stop: int) -> Iterator[bytes]:
        """The content between two places. Raises OSError where it is not all there: its transfer must not end well."""
        with (self.folder / key).open("rb") as content:
            content.seek(start)
            left = stop - start
            while left:
                block = content.read(min(BLOCK, left))
                if not block:
                    raise OSError("the content is shorter than it was")
                left -= len(block)
                yield block

    def remove(self, *keys: str) -> None:
        """Remove content, if it is there."""
        for key in keys:
            (self.folder / key).unlink(missing_ok=True)


class Upload:
    """One body on its way in: write() each chunk, then finish(). Without keep() nothing of it stays behind.

    `received` is there once it is finished.
    """

    received: Received

    def __init__(self, folder: Path, key: str, content_type: str, *, most_bytes: int) -> None:
        _, options = parse_options_header(content_type)
        try:
            # Not strict: that refuses what follows the end, but only where it comes in a chunk of its own.
            self._parser = PushMultipartParser(options.get("boundary", ""), max_segment_count=MOST_PARTS)
        except MultipartError:
            raise Malformed(UNREADABLE) from None
        self._key = key
        self._path = folder / key
        self._most_bytes = most_bytes
        self._digest = hashlib.sha256()
        self._part: MultipartSegment | None = None
        self._writing = False
        self._size = 0
        self._kept = False
        # Whoever reads the folder must be the service.
        self._content: IO[bytes] = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._content.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Take the next part of the body. Raises Malformed, or TooLarge."""
        try:
            for event in self._parser.parse(chunk) if chunk else ():
                self._take(event)
        except (MultipartError, ParserLimitReached):
            raise Malformed(UNREADABLE) from None

    def finish(self) -> None:
        """The body is at its end. Raises Malformed for one that broke off, Invalid for one without a fit file."""
        try:
            self._parser.close()
        except MultipartError:
            raise Malformed(UNREADABLE) from None
        if self._part is None:
            raise _unfit("Field required", "missing")
        self._content.close()
        self.received = Received(
            key=self._key,
            name=safe_name(self._part.filename or ""),
            media_type=plain_media_type(self._part.content_type or ""),
            size=self._size,
            sha256=self._digest.hexdigest(),
        )

    def keep(self) -> None:
        """Let the content stay."""
        self._kept = True

    def _take(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            # The first of repeated fields counts, as in a query.
            self._writing = self._part is None and event.name == FIELD and event.filename is not None
            self._part = event if self._writing else self._part
        elif event and self._writing:
            self._size += len(event)
            if self._size > self._most_bytes:
                raise TooLarge(TOO_LARGE)
            self._digest.update(event)
            self._content.write(event)


def safe_name(given: str) -> str:
    """A file's name as others may be shown it: its last segment, without what no eye sees. Raises Invalid."""
    segment = re.split(r"[/\\]", given)[-1]
    visible = "".join(
        letter for letter in segment if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )
    name = visible.strip(" .") if not visible.strip(".") else visible.strip()
    if not name:
        raise _unfit("File name should have at least 1 character", "string_too_short")
    if len(name) > LONGEST_NAME:
        raise _unfit(f"File name should have at most {LONGEST_NAME} characters", "string_too_long")
    return name


def plain_media_type(given: str) -> str:
    """A media type in lower case, without parameters; what is none is any bytes."""
    media_type = given.partition(";")[0].strip().lower()
    fits = _MEDIA_TYPE.fullmatch(media_type) and all(len(part) <= LONGEST_MEDIA_TYPE for part in media_type.split("/"))
    return media_type if fits else BINARY


def counted(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each chunk with how many bytes there were so far, its own included."""
    count = 0
    for chunk in chunks:
        count += len(chunk)
        yield count, chunk


def is_form_data(content_type: str) -> bool:
    """Whether a Content-Type is multipart/form-data."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def _unfit(detail: str, type: str) -> Invalid:
    return Invalid(UNFIT, violations=(Violation(f"/body/{FIELD}", detail, type),))
