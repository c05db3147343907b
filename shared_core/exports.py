"""All users as CSV (RFC 4180), a page at a time: no transaction is longer than its page, no list longer either."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from shared_core import users
from shared_core.database import Database

PAGE = 500
HEADING = ("id", "name", "email")


def export_users(database: Database) -> Iterator[bytes]:
    """The heading and the first page's lines, then each following page's. Raises Unavailable on the way."""
    heading = [HEADING]
    after = 0
    while True:
        with database.begin() as db:
            page = users.list_users(db, limit=PAGE, after=after)
        yield lines([*heading, *((user.id, user.name, user.email) for user in page.items)])
        if page.next is None:
            return
        heading, after = [], page.next


def lines(rows: Iterable[tuple[object, ...]]) -> bytes:
    """Rows as CSV in UTF-8, each line with CRLF."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
