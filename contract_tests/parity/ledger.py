"""A difference is accepted only by an entry of the ledger whose every key matches it, and every entry has a reason."""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from .difference import KINDS, LEVELS, Difference
from .time_class import TimeClass, alike

SOURCES = ("suite", "probes", "generated", "sequences", "recorded")

_PLACE = ("level", "path", "kind")
_TEXTS = ("reason", "decision", "owner")
_LISTS = ("operations", "probes", "sources")
_ONE = frozenset({*_PLACE, "original", "port"})
_KEYS = frozenset({*_ONE, *_TEXTS, *_LISTS, "differences", "follows", "expires"})
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*accepted[ \t]*\]\]", re.MULTILINE)
_OPERATION = re.compile(r"[A-Z-]+ /\S*")
_INDEX = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[\*\]')


class LedgerError(ValueError):
    """The ledger cannot be used as it is written; the message names the file, the line and the entry."""


@dataclass(frozen=True, slots=True)
class Known:
    """One difference that an entry accepts: where it is, of which kind, and what each side has, where that is given."""

    level: str
    path: str
    kind: str
    original: str | TimeClass | None = None
    port: str | TimeClass | None = None

    def matches(self, difference: Difference) -> bool:
        """Whether every key that is given matches."""
        return (
            (self.level, self.kind) == (difference.level, difference.kind)
            and self._is_path(difference)
            and alike(self.original, difference.original, self.port, difference.port)
        )

    def __str__(self) -> str:
        return f"{self.level} {self.path} {self.kind}"

    def _is_path(self, difference: Difference) -> bool:
        if self.level == "json":
            return _path_pattern(self.path).fullmatch(difference.path) is not None
        if self.level in ("header", "media-type"):
            return self.path.lower() == difference.path.lower()
        return self.path == difference.path


@dataclass(frozen=True, slots=True)
class Entry:
    """What is accepted for one cause (docs/contract.md#accept-a-difference): a key that is empty was not given.

    With `follows` it also accepts what follows from its differences, in the exchanges in which they occur.
    """

    differences: tuple[Known, ...]
    reason: str
    decision: str
    owner: str
    operations: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    follows: bool = False
    expires: date | None = None
    line: int = field(default=0, compare=False)

    def accepts(self, operation: str, difference: Difference, *, source: str, probe: str | None) -> bool:
        """Whether every key that is given matches, and one of its differences."""
        return (
            (not self.operations or operation in self.operations)
            and (not self.probes or probe in self.probes)
            and (not self.sources or source in self.sources)
            and any(known.matches(difference) for known in self.differences)
        )

    def occurrences(self, difference: Difference, probe: str | None) -> frozenset[str]:
        """What of the entry a difference that it accepts has shown to occur: each must, or the entry is stale."""
        shown = {str(known) for known in self.differences if known.matches(difference)}
        return frozenset(shown | {probe} if probe and self.probes else shown)

    def unseen(self, occurred: Collection[str]) -> tuple[str, ...]:
        """What of the entry did not occur."""
        wanted = dict.fromkeys([*map(str, self.differences), *self.probes])
        return tuple(each for each in wanted if each not in occurred)

    def __str__(self) -> str:
        if self.probes:
            # A cause is told by its name, which stands before the colon of its reason.
            told = f"{self.reason.partition(':')[0]}, {len(self.probes)} probe{'s' * (len(self.probes) != 1)}"
        else:
            told = f"{', '.join(self.operations)} {'; '.join(map(str, self.differences))}"
        return f"{told} (decision {self.decision}, {self.owner})"


class Ledger:
    """The accepted differences, and which of them occurred in this run; safe to use from many threads."""

    def __init__(self, entries: Iterable[Entry] = (), *, bind: Mapping[str, Any] | None = None) -> None:
        self.entries = tuple(entries)
        self.bind = dict(bind or {})
        self._lock = threading.Lock()
        self._occurred: dict[int, set[str]] = {}

    @classmethod
    def empty(cls) -> Ledger:
        """A ledger that accepts nothing."""
        return cls()

    @classmethod
    def load(cls, path: Path | str, *, decisions: Path | str | None = None) -> Ledger:
        """Read a ledger file. With `decisions`, each entry's decision must have its page `NNNN-*.md` there.

        Raises LedgerError, and OSError where the file cannot be read.
        """
        text = Path(path).read_text(encoding="utf-8")
        return cls.loads(text, name=str(path), decisions=decisions)

    @classmethod
    def loads(cls, text: str, *, name: str = "ledger", decisions: Path | str | None = None) -> Ledger:
        """Read a ledger from its text. Raises LedgerError."""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise LedgerError(f"{name}: {error}") from None
        unknown = sorted(tables.keys() - {"accepted", "bind"})
        if unknown:
            raise LedgerError(f"{name}: no such table: {', '.join(unknown)}; there are [[accepted]] and [bind]")
        pages = None if decisions is None else {page.name[:4] for page in Path(decisions).glob("[0-9]*-*.md")}
        lines = [text.count("\n", 0, found.start()) + 1 for found in _TABLE.finditer(text)]
        return cls(_entries(tables.get("accepted", []), lines, name, pages), bind=tables.get("bind"))

    def accepts(
        self, operation: str, difference: Difference, *, source: str = "suite", probe: str | None = None
    ) -> Entry | None:
        """The entry that accepts a difference, None if there is none. All entries that match have occurred."""
        found = [
            at
            for at, entry in enumerate(self.entries)
            if entry.accepts(operation, difference, source=source, probe=probe)
        ]
        with self._lock:
            for at in found:
                self._occurred.setdefault(at, set()).update(self.entries[at].occurrences(difference, probe))
        return self.entries[found[0]] if found else None

    def occurred(self) -> dict[int, set[str]]:
        """What occurred so far: for another process, whose ledger is told it by `note`."""
        with self._lock:
            return {at: set(parts) for at, parts in self._occurred.items()}

    def note(self, occurred: Mapping[int, Collection[str]]) -> None:
        """Add what occurred elsewhere, under the same entries."""
        with self._lock:
            for at, parts in occurred.items():
                self._occurred.setdefault(at, set()).update(parts)

    def stale(self, complete_sources: Collection[str], *, known: Collection[str] = SOURCES) -> tuple[Entry, ...]:
        """The entries of which a part never occurred although every source they name ran completely.

        A part is one of their differences, or one of their probes. An entry that names no source names all `known`.
        """
        with self._lock:
            parted = [entry for at, entry in enumerate(self.entries) if entry.unseen(self._occurred.get(at, ()))]
        return tuple(entry for entry in parted if set(entry.sources or known) <= set(complete_sources))

    def unseen(self, entry: Entry) -> tuple[str, ...]:
        """What of an entry never occurred in this run."""
        with self._lock:
            return entry.unseen(self._occurred.get(self.entries.index(entry), ()))

    def expired(self, today: date) -> tuple[Entry, ...]:
        """The entries whose last day is over. They still accept; that they are old is the run's verdict."""
        return tuple(entry for entry in self.entries if entry.expires is not None and entry.expires < today)

    @property
    def matched(self) -> tuple[Entry, ...]:
        """The entries that occurred in this run."""
        with self._lock:
            return tuple(self.entries[at] for at in sorted(self._occurred))


def _entries(tables: object, lines: list[int], name: str, pages: Collection[str] | None) -> list[Entry]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise LedgerError(f"{name}: accepted is not a list of tables; write [[accepted]]")
    # Inline tables have no line of their own.
    numbers = lines if len(lines) == len(tables) else [0] * len(tables)
    return [
        _Reader(table, name, number, at).entry(pages)
        for at, (table, number) in enumerate(zip(tables, numbers, strict=True), 1)
    ]


class _Reader:
    """Checks one table and makes the entry of it."""

    def __init__(self, table: dict[str, Any], name: str, line: int, number: int) -> None:
        self.table, self.line = table, line
        self.place = f"{name}:{line}: entry {number}" if line else f"{name}: entry {number}"

    def entry(self, pages: Collection[str] | None) -> Entry:
        self._known()
        texts: dict[str, Any] = {key: self._text(key) for key in _TEXTS}
        lists: dict[str, Any] = {key: self._list(key) for key in _LISTS}
        differences = self._differences()
        for source in lists["sources"]:
            self._one_of("sources", SOURCES, source)
        self._operations(lists["operations"], lists["probes"])
        self._decision(texts["decision"], pages)
        expires = self.table.get("expires")
        if expires is not None and type(expires) is not date:
            self._fail(f"expires is a date, such as 2027-01-31, not {expires!r}")
        follows = self.table.get("follows", False)
        if type(follows) is not bool:
            self._fail(f"follows is true or false, not {follows!r}")
        return Entry(differences, **texts, **lists, follows=follows, expires=expires, line=self.line)

    def _differences(self) -> tuple[Known, ...]:
        """The one that the entry itself gives, or those of its list: several differences of one cause."""
        if "differences" not in self.table:
            return (self._difference(self.table),)
        if both := sorted(self.table.keys() & _ONE):
            self._fail(f"differences stands for {', '.join(both)}: give the one or the others")
        listed = self.table["differences"]
        if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
            self._fail(f"differences is a list of tables that is not empty, not {listed!r}")
        for each in listed:
            if unknown := sorted(each.keys() - _ONE):
                self._fail(f"unknown key {', '.join(unknown)} in differences")
        return tuple(self._difference(each) for each in listed)

    def _difference(self, table: dict[str, Any]) -> Known:
        level, path, kind = (self._text(key, table) for key in _PLACE)
        self._one_of("level", LEVELS, level)
        self._one_of("kind", KINDS, kind)
        self._path(level, path)
        return Known(level, path, kind, self._value("original", table), self._value("port", table))

    def _known(self) -> None:
        unknown = sorted(self.table.keys() - _KEYS)
        if unknown:
            self._fail(f"unknown key {', '.join(unknown)}")

    def _text(self, key: str, table: dict[str, Any] | None = None) -> str:
        value = (self.table if table is None else table).get(key)
        if value is None:
            self._fail(f"{key} is missing")
        if not isinstance(value, str) or not value.strip():
            self._fail(f"{key} is a text that is not empty, not {value!r}")
        return value

    def _list(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            self._fail(f"{key} is a list of texts that is not empty, not {value!r}")
        return tuple(value)

    def _one_of(self, key: str, known: tuple[str, ...], value: str) -> None:
        if value not in known:
            self._fail(f"{key} {value!r} is none of {' '.join(known)}")

    def _operations(self, operations: tuple[str, ...], probes: tuple[str, ...]) -> None:
        if not operations and not probes:
            self._fail("operations (or probes) is missing: an entry is for operations by name")
        for name in operations + probes:
            if "*" in name:
                self._fail(f"{name!r} has a wildcard: name each operation")
        for name in operations:
            if not _OPERATION.fullmatch(name):
                self._fail(f"{name!r} is no operation: write a method and a path, such as 'GET /user/{{id}}'")

    def _path(self, level: str, path: str) -> None:
        if level == "json" and not path.startswith("$"):
            self._fail(f"path {path!r} is no JSON path: it begins with $")
        plain = _INDEX.sub("", path) if level == "json" else path
        if "*" in plain:
            self._fail(f"path {path!r} has a wildcard: only [*], for an index in a JSON path, is one")

    def _decision(self, decision: str, pages: Collection[str] | None) -> None:
        if not re.fullmatch(r"[0-9]{4}", decision):
            self._fail(f"decision {decision!r} is no number of four digits")
        if pages is not None and decision not in pages:
            self._fail(f"decision {decision} has no page {decision}-*.md")

    def _value(self, key: str, table: dict[str, Any]) -> str | TimeClass | None:
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value
        if not isinstance(value, dict):
            self._fail(f"{key} is an exact text or a class, not {value!r}")
        try:
            return TimeClass.of(value)
        except ValueError as error:
            self._fail(f"{key}: {error}")

    def _fail(self, message: str) -> NoReturn:
        raise LedgerError(f"{self.place}: {message}")


def _path_pattern(path: str) -> re.Pattern[str]:
    parts = [
        r"\[\d+\]" if part == "[*]" else re.escape(part) for part in re.split(r'(\["(?:[^"\\]|\\.)*"\]|\[\*\])', path)
    ]
    return re.compile("".join(parts))
