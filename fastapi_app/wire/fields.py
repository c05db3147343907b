"""Header fields of a request, as a WSGI server hands them over."""

from __future__ import annotations

from starlette.types import Scope


def field(scope: Scope, name: bytes) -> str | None:
    """All header fields of a name (in lower case) as one, joined as a WSGI server joins them; Starlette gives one.

    Keep it while a client or a proxy repeats a field.
    """
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(values) if values else None
