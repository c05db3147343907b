"""A database is only ever read: what its tables hold before and after a case; what did not change is read once."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.parity.applications import SpecError, one_line

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, Table

# What a migration tool or the database keeps for itself.
_UNREAD = frozenset({"alembic_version", "sqlite_sequence", "flyway_schema_history", "django_migrations"})
# Of a table with more rows only the newest are read.
MOST = 20_000

Key = tuple[Any, ...]
Row = Mapping[str, Any]


class DatabaseError(SpecError):
    """A database that cannot be read; the message is one line for whoever named it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: its columns, its primary key (empty where it has none), and which table each foreign key refers to."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    refers: Mapping[str, str]


@dataclass(slots=True)
class Content:
    """The rows of a table by their key; where it has none, by their values and how often they occur."""

    rows: dict[Key, Row] = field(default_factory=dict)
    total: int = 0
    mark: object = None


class Database:
    """One database, by a connection that cannot write. Raises DatabaseError."""

    def __init__(self, url: str) -> None:
        try:
            import sqlalchemy
        except ImportError:
            raise DatabaseError(
                "comparing databases needs SQLAlchemy: install the extra effects, as in [parity,effects]"
            ) from None
        self._sqlalchemy = sqlalchemy
        try:
            self.url = sqlalchemy.make_url(url)
            self._engine = _engine(self.url)
        except DatabaseError:
            raise
        except Exception as error:
            raise DatabaseError(f"the database {_told(url)} cannot be read: {one_line(error)}") from None
        self._open()

    def _open(self) -> None:
        try:
            self._connection: Connection = self._engine.connect()
            metadata = self._sqlalchemy.MetaData()
            metadata.reflect(self._connection)
            self._made = self._schema()
        except Exception as error:
            raise DatabaseError(f"the database {_told(self.url)} cannot be read: {one_line(error)}") from None
        self._tables: dict[str, Table] = {t.name: t for t in metadata.sorted_tables if t.name not in _UNREAD}
        self.shapes = {name: _shape(table) for name, table in self._tables.items()}
        self._seen: dict[str, Content] = {}
        self._mark: object = None

    def refresh(self) -> bool:
        """Whether its tables were made anew since they were read, as some resets do; they are read again, then."""
        if self._made == self._schema():
            return False
        self._connection.close()
        self._open()
        return True

    def _schema(self) -> object:
        """What changes when tables are made, or the file of a database is."""
        if self._engine.dialect.name == "sqlite":
            status = Path(str(self.url.database)).stat()
            return status.st_dev, status.st_ino, self._scalar("PRAGMA schema_version")
        return self._scalar(
            "SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])"
        )

    def contents(self, names: list[str]) -> dict[str, Content]:
        """What these tables hold now; the same object for a table that has not changed since it was last asked for."""
        mark = self._written()
        if mark is None or mark != self._mark or self._seen.keys() != set(names):
            self._seen = {name: self._content(self._tables[name]) for name in names}
            self._mark = mark
        return dict(self._seen)

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def _written(self) -> object:
        """What changes when anybody writes; None where the database does not tell."""
        asked = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_wal_insert_lsn()::text"}
        try:
            return self._scalar(asked[self._engine.dialect.name])
        except self._sqlalchemy.exc.DBAPIError:
            return None

    def _content(self, table: Table) -> Content:
        mark = self._table_mark(table)
        seen = self._seen.get(table.name)
        if seen is not None and mark is not None and mark == seen.mark:
            return seen
        total = self._scalar(f"SELECT count(*) FROM {self._quoted(table)}")
        rows = self._rows(table, total)
        keyed = _keyed(rows, tuple(column.name for column in table.primary_key.columns))
        content = Content(keyed, total, mark)
        # Rows that are equal are the same object as before: what did not change is not looked at again.
        return seen if seen is not None and seen.rows == keyed and seen.total == total else content

    def _table_mark(self, table: Table) -> object:
        if self._engine.dialect.name != "postgresql":
            return None
        # Which transactions wrote the rows, and how many rows there are.
        return tuple(
            self._execute(f"SELECT count(*), sum(xmin::text::bigint), max(ctid::text) FROM {self._quoted(table)}")[0]
        )

    def _rows(self, table: Table, total: int) -> list[dict[str, Any]]:
        keys = ", ".join(self._name(column.name) for column in table.primary_key.columns)
        newest = f" ORDER BY {keys.replace(',', ' DESC,')} DESC LIMIT {MOST}" if keys and total > MOST else ""
        # Plain SQL: what is stored, and not what a type of SQLAlchemy's would make of it.
        names = [column.name for column in table.columns]
        listed = ", ".join(map(self._name, names))
        found = self._execute(f"SELECT {listed} FROM {self._quoted(table)}{newest}")
        return [dict(zip(names, map(plain, row), strict=True)) for row in found]

    def _scalar(self, statement: str) -> Any:
        return self._execute(statement)[0][0]

    def _execute(self, statement: str) -> list[Any]:
        try:
            return list(self._connection.exec_driver_sql(statement).fetchall())
        except self._sqlalchemy.exc.OperationalError as error:
            raise DatabaseError(f"the database {_told(self.url)} cannot be read: {one_line(error)}") from None

    def _quoted(self, table: Table) -> str:
        return str(self._engine.dialect.identifier_preparer.format_table(table))

    def _name(self, column: str) -> str:
        return str(self._engine.dialect.identifier_preparer.quote_identifier(column))


def plain(value: Any) -> Any:
    """A value as both databases have it, whatever their drivers make of it: None, int, float, text or bytes."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (date, time, uuid.UUID)):
        return str(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if value is None or isinstance(value, (int, float, str, bytes)) else str(value)


def _engine(url: URL) -> Engine:
    import sqlalchemy

    name = url.get_backend_name()
    if name == "sqlite":
        if not url.database or url.database == ":memory:":
            raise DatabaseError("an SQLite database in memory has no name by which it could be read: give a file")
        address = f"file:{url.database}?mode=ro"
        return sqlalchemy.create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False),
            poolclass=sqlalchemy.pool.NullPool,
            isolation_level="AUTOCOMMIT",
        )
    if name in ("postgresql", "postgres"):
        driver = url.drivername.partition("+")[2] or "psycopg"
        options = f"{url.query.get('options', '')} -c default_transaction_read_only=on".strip()
        reading = url.set(drivername=f"postgresql+{driver}").update_query_dict({"options": options})
        return sqlalchemy.create_engine(reading, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.pool.NullPool)
    raise DatabaseError(f"a database of {name} cannot be compared: it is SQLite or PostgreSQL")


def _shape(table: Table) -> Shape:
    refers = {
        column.name: key.column.table.name
        for column in table.columns
        for key in column.foreign_keys
        if len(key.column.table.primary_key.columns) == 1 and key.column.primary_key
    }
    key = tuple(column.name for column in table.primary_key.columns)
    return Shape(table.name, tuple(column.name for column in table.columns), key, refers)


def _keyed(rows: list[dict[str, Any]], key: tuple[str, ...]) -> dict[Key, Row]:
    if key:
        return {tuple(row[name] for name in key): row for row in rows}
    keyed: dict[Key, Row] = {}
    for row in rows:
        values, count = tuple(map(repr, row.values())), 0
        while (*values, count) in keyed:
            count += 1
        keyed[*values, count] = row
    return keyed


def _told(url: object) -> str:
    """A URL without its password; a text that is none as it is."""
    if hasattr(url, "render_as_string"):
        return str(url.render_as_string(hide_password=True))
    text = str(url)
    scheme, slashes, rest = text.partition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"
