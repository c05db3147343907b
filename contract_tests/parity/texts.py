"""Where two texts begin to differ is told with its place and its surroundings, never by the whole of both."""

from __future__ import annotations

import json
from collections.abc import Sequence

_BEFORE, _AFTER = 24, 48
CUT = "\u2026"


def listed(values: Sequence[str]) -> str:
    """Several values of one header as one text: the value itself, or a JSON list of them."""
    return values[0] if len(values) == 1 else json.dumps(list(values))


def first_difference(original: bytes, port: bytes) -> int:
    """The offset of the first byte that differs; the shorter length where one begins the other."""
    # Halving compares at the speed of memory, a loop over bytes does not.
    low, high = 0, min(len(original), len(port))
    while low < high:
        middle = (low + high + 1) // 2
        if original[low:middle] == port[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def excerpt(body: bytes, offset: int) -> str:
    """What stands around an offset, and where: `byte 12 of 340: ...`; cut ends are marked."""
    start, stop = max(0, offset - _BEFORE), min(len(body), offset + _AFTER)
    text = body[start:stop].decode("utf-8", "backslashreplace")
    return f"byte {offset} of {len(body)}: {CUT * (start > 0)}{text}{CUT * (stop < len(body))}"
