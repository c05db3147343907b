"""The collection that an operation is about."""

from __future__ import annotations

import re

_VERSION = re.compile(r"api|v\d+")


def segment_of(operation: str) -> str:
    """The collection that an operation is about: the first name in its path."""
    steps = [step for step in operation.partition(" ")[2].strip("/").split("/") if not _VERSION.fullmatch(step)]
    return steps[0] if steps else ""
