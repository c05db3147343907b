"""The query string, as Werkzeug reads it."""

from __future__ import annotations

from starlette.datastructures import QueryParams


class FirstValues(QueryParams):
    """A query whose repeated keys give their first value, as Werkzeug's does; Starlette gives the last.

    Lists (`getlist`) are untouched. Drop it once no client repeats a key.
    """

    def __init__(self, query: str | bytes) -> None:
        super().__init__(query)
        self._dict = dict(reversed(self._list))
