"""The board's tables and first notices, for both apps: plain sqlite3, as in Flask's tutorial."""

import hashlib
import sqlite3
from functools import cache
from pathlib import Path

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, password TEXT NOT NULL);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    posted TEXT NOT NULL
);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, notice_id INTEGER NOT NULL, user_id INTEGER NOT NULL, text TEXT NOT NULL
);
"""

NOTICES = [
    (1, "Welcome", "This is the new board. <b>Old notices</b> are in the attic.", "2025-02-03"),
    (2, "Lost cat", "Grey, answers to Minou.", "2025-02-11"),
    (1, "Café on Friday", "From three o'clock in the yard.", "2025-02-20"),
    (2, "Drill to lend", "Ask Bob.", "2025-03-02"),
    (1, "Water off", "Tuesday & Wednesday, 8 to 10.", "2025-03-05"),
    (2, "Piano lessons", "Beginners welcome.", "2025-03-17"),
    (1, "Spring cleaning", "Bring gloves.", "2025-04-01"),
]


def hashed(password):
    return hashlib.sha256(b"board:" + password.encode("utf-8", "replace")).hexdigest()


@cache
def first_notices():
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    users = [("ada", hashed("lovelace")), ("bob", hashed("builder"))]
    db.executemany("INSERT INTO users (name, password) VALUES (?, ?)", users)
    db.executemany("INSERT INTO notices (user_id, title, body, posted) VALUES (?, ?, ?, ?)", NOTICES)
    db.execute("INSERT INTO comments (notice_id, user_id, text) VALUES (2, 1, 'Seen near the school.')")
    db.execute("INSERT INTO comments (notice_id, user_id, text) VALUES (2, 2, 'Thank you, found!')")
    db.commit()
    data = db.serialize()
    db.close()
    return data


def connect(path=None):
    """A connection to a fresh copy of the first notices: in the file `path`, or in memory."""
    if path:
        Path(path).write_bytes(first_notices())
    db = sqlite3.connect(path or ":memory:", check_same_thread=False)
    if not path:
        db.deserialize(first_notices())
    db.row_factory = sqlite3.Row
    return db
