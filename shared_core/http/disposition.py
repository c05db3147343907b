"""Content-Disposition for a file that is to be saved (RFC 6266), whatever its name."""

from __future__ import annotations

from urllib.parse import quote

# RFC 8187 section 3.2.1: attr-char, beyond letters, digits and what quote() leaves anyway.
ATTR_CHARS = "!#$&+^`|"

# Beside it, and beside the 304 that stands for it: nobody but the browser may keep it, and it asks before each use.
SAVED = (("Cache-Control", "private, no-cache"),)


def attachment(name: str) -> str:
    """The field's value. A name that is not plain ASCII is told twice: as any client reads it, and as it is."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in name)
    field = f'attachment; filename="{plain}"'
    return field if plain == name else f"{field}; filename*=UTF-8''{quote(name, safe=ATTR_CHARS)}"
