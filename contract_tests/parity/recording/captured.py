"""What is kept of one exchange while it passes: references and cut bodies; all work on it waits for the writer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

# How an exchange ended that got no whole response.
RAISED, TRUNCATED, DISCONNECTED = "raised", "truncated", "disconnected"


class Body:
    """The first bytes of a body: at most `limit` are kept, all are counted."""

    __slots__ = ("chunks", "kept", "length", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept = self.length = 0
        self.chunks: list[bytes] = []

    def add(self, chunk: Any) -> None:
        """Note a chunk. What is none is for the server to refuse."""
        try:
            size = len(chunk)
        except TypeError:
            return
        self.length += size
        if type(chunk) is bytes and self.length <= self.limit:
            self.chunks.append(chunk)
            self.kept += size
        elif size and self.kept < self.limit:
            # A copy: the app may use its buffer again.
            piece = bytes(memoryview(chunk)[: self.limit - self.kept]) if not isinstance(chunk, str) else b""
            self.chunks.append(piece)
            self.kept += len(piece)

    def joined(self) -> bytes:
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


class Captured:
    """One exchange. Headers are pairs as the server gives them: bytes, texts, or the keys of a WSGI environ."""

    __slots__ = (
        "answer", "began", "failure", "headers", "key", "method", "request_body", "request_headers", "seconds", "seen",
        "status", "target", "time", "unread",
    )  # fmt: skip

    # Each request makes one: what it does here is paid for by all.
    def __init__(
        self, key: str | bytes | None, method: str, target: str, headers: Iterable[tuple[Any, Any]], limit: int
    ) -> None:
        self.key, self.method, self.target, self.request_headers = key, method, target, headers
        self.request_body: Body | None = None
        # How much of the request's body the app may still read; -1 where no one knows.
        self.unread = 0
        self.status: int | str = 0
        self.headers: Iterable[tuple[Any, Any]] = ()
        self.answer = Body(limit)
        # Whether the response's body passed by here: a server may send a file by itself.
        self.seen = True
        self.failure: str | None = None
        self.seconds = 0.0
        self.time, self.began = time.time(), time.perf_counter()

    @property
    def size(self) -> int:
        """About how much memory it holds, in bytes."""
        return 2000 + self.answer.kept + (self.request_body.kept if self.request_body else 0)
