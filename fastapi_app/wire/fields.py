"""Header fields of a request, as a WSGI server hands them over."""

from __future__ import annotations

from starlette.types import Scope


def field(scope: Scope, name: bytes) -> str | None:
    """All header fields of a name (in lower case) as one, joined as a WSGI server joins them; Starlette gives one.

    Keep it while a client or a proxy repeats a field.
    """
    # A loop and not a list: this is asked some ten times a request, and mostly finds nothing.
    found: bytes | None = None
    for key, value in scope["headers"]:
        if key == name:
            found = value if found is None else found + b"," + value
    return None if found is None else found.decode("latin-1")
