"""What the areas show of a request: text that both frameworks send alike, so that only what was read can differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown(**values: Any) -> str:
    """The values by name, one a line, in ASCII."""
    return "".join(f"{name} {value!a}\n" for name, value in values.items())


def hexadecimal(text: str) -> int:
    """A converter of one's own."""
    return int(text, 16)


def picky(text: str) -> str:
    """A converter whose error is not a wrong value."""
    if text == "boom":
        raise KeyError(text)
    return text.upper()


def attributes(given: Mapping[str, str]) -> dict[str, Any]:
    """A cookie's attributes, as a query names them; SameSite only if it does, since the defaults differ."""
    flags = {name: name in given for name in ("secure", "httponly")}
    return {
        "path": given.get("path", "/"),
        "domain": given.get("domain"),
        **flags,
        **({"samesite": given["samesite"]} if "samesite" in given else {}),
    }
