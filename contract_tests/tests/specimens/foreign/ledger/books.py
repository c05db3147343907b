"""The port's storage: the same tables behind methods, and a cache for the account that is looked at most."""

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE people (name TEXT PRIMARY KEY, pin TEXT NOT NULL);
CREATE TABLE sessions (token TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, currency TEXT NOT NULL, note TEXT NOT NULL,
    opened_at TEXT NOT NULL
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, cents INTEGER NOT NULL, day TEXT NOT NULL, text TEXT NOT NULL
);
INSERT INTO people VALUES ('clara', '4711');
INSERT INTO accounts (name, currency, note, opened_at) VALUES
    ('Cash', 'EUR', 'the tin box', '2025-01-07T09:00:00'),
    ('Bank', 'EUR', '', '2025-01-08T10:30:00'),
    ('Straße', 'USD', 'road repairs', '2025-02-01T08:15:00');
INSERT INTO entries (account_id, cents, day, text) VALUES
    (1, 5000, '2025-01-07', 'opening'), (2, 125000, '2025-01-08', 'opening'), (1, -1250, '2025-01-20', 'stamps'),
    (1, 2500, '2025-01-20', 'rent of the hall'), (2, -8999, '2025-01-20', 'printer'), (2, 40, '2025-02-02', 'interest');
"""


class Books:
    """Accounts, entries and sessions in one SQLite database: the file `path`, made anew, or memory."""

    def __init__(self, path=None):
        if path:
            Path(path).unlink(missing_ok=True)
        self.db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(SCHEMA)
        self.seen = {}

    def _one(self, query, *values):
        return self.db.execute(query, values).fetchone()

    def _write(self, query, *values):
        done = self.db.execute(query, values)
        self.db.commit()
        return done.lastrowid

    def knows(self, name, pin):
        return self._one("SELECT 1 FROM people WHERE name = ? AND pin = ?", name, pin) is not None

    def open_session(self, token, name):
        self._write("INSERT INTO sessions VALUES (?, ?)", token, name)

    def close_session(self, token):
        self._write("DELETE FROM sessions WHERE token = ?", token)

    def name_of(self, token):
        return self._one("SELECT name FROM sessions WHERE token = ?", token)

    def accounts(self):
        return self.db.execute("SELECT * FROM accounts ORDER BY id").fetchall()

    def account(self, id):
        return self._one("SELECT * FROM accounts WHERE id = ?", id)

    def seen_account(self, id):
        if id not in self.seen:
            self.seen[id] = self.account(id)
        return self.seen[id]

    def add_account(self, name, currency, note, opened_at):
        query = "INSERT INTO accounts (name, currency, note, opened_at) VALUES (?, ?, ?, ?)"
        id = self._write(query, name, currency, note, opened_at)
        self.seen.pop(id, None)
        return self.account(id)

    def change_account(self, id, name, note):
        self._write("UPDATE accounts SET name = ?, note = ? WHERE id = ?", name, note, id)
        return self.account(id)

    def remove_account(self, id):
        self._write("DELETE FROM accounts WHERE id = ?", id)
        self.seen.pop(id, None)

    def entries(self, limit, start):
        query = "SELECT * FROM entries ORDER BY day DESC, id LIMIT ? OFFSET ?"
        return self.db.execute(query, (limit, start)).fetchall()

    def entries_of(self, account_id):
        query = "SELECT * FROM entries WHERE account_id = ? ORDER BY day, id"
        return self.db.execute(query, (account_id,)).fetchall()

    def entry(self, id):
        return self._one("SELECT * FROM entries WHERE id = ?", id)

    def add_entry(self, account_id, cents, day, text):
        query = "INSERT INTO entries (account_id, cents, day, text) VALUES (?, ?, ?, ?)"
        return self.entry(self._write(query, account_id, cents, day, text))

    def remove_entry(self, id):
        self._write("DELETE FROM entries WHERE id = ?", id)
