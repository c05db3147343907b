"""What the area `streams` sends, by the path that sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


def letters() -> Iterator[bytes]:
    yield b"abc"
    yield b""
    yield b"def"


def words() -> Iterator[str]:
    yield from ("na\u00efve ", "\u20ac", "\U0001f600")


def failing(*given: bytes) -> Iterator[bytes]:
    yield from given
    raise RuntimeError("the stream fails")


@dataclass(frozen=True)
class Streamed:
    """A stream made anew for each request, and what is said of it beforehand."""

    content: Callable[[], Iterator[bytes] | Iterator[str]] = letters
    type: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def measured(length: int, status: int = 200) -> Streamed:
    """Letters with a length that may be wrong: they are 6."""
    return Streamed(status=status, headers={"Content-Length": str(length)})


STREAMED = {
    "letters": Streamed(),
    "words": Streamed(words),
    "empty": Streamed(lambda: iter(())),
    "typed": Streamed(type="text/csv"),
    "binary": Streamed(type="application/octet-stream"),
    "fails-first": Streamed(failing),
    "fails-later": Streamed(lambda: failing(b"abc", b"def")),
    "fails-within-length": Streamed(lambda: failing(b"abc"), headers={"Content-Length": "6"}),
    "measured": measured(6),
    "overlong": measured(4),
    "overlong-by-a-chunk": measured(3),
    "overlong-from-nothing": measured(0),
    "short": measured(9),
    "no-content": Streamed(status=204),
    "measured-no-content": measured(6, 204),
    "failing-no-content": Streamed(failing, status=204),
}
CREATED = Streamed(status=201)
