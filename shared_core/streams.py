"""Content that is sent while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain


def begun(content: Iterator[bytes]) -> Iterator[bytes]:
    """The same content, its first chunk made already: what fails so early can still be refused."""
    return chain([next(content, b"")], content)
