"""Text in HTML, escaped as markupsafe escapes it: Flask's pages are made with it."""

from __future__ import annotations

from html import escape


def escaped(text: str) -> str:
    """The text for an element or a quoted attribute, with quotes by number."""
    return escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
