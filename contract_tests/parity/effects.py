"""What a case wrote is compared, too: "answers alike, writes otherwise" is a level (docs/parity.md#effects)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.parity.databases import MOST, Content, Database, DatabaseError, Key, Row, Shape
from contract_tests.parity.declared import singular, snake
from contract_tests.parity.difference import Difference
from contract_tests.parity.exchange import Exchange
from contract_tests.parity.pair import Pair
from contract_tests.parity.stored_values import Stored, likeness, told

EFFECT = "effect"
_SAFE = ("GET", "HEAD", "OPTIONS")

# What the exchanges taught: the port's id for one of the original's, by the kind of what it names.
Partner = Callable[[str, str], str | None]


@dataclass(slots=True)
class _Change:
    """What a case did to one table on one side: the rows that it made, those that it changed, those that it removed."""

    before: Content
    after: Content
    made: dict[Key, Row] = field(default_factory=dict)
    changed: dict[Key, Row] = field(default_factory=dict)
    gone: dict[Key, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.before is self.after:
            return
        old, new = self.before.rows, self.after.rows
        self.made = {key: row for key, row in new.items() if key not in old}
        self.changed = {key: row for key, row in new.items() if key in old and old[key] != row}
        self.gone = {key: row for key, row in old.items() if key not in new}

    def __bool__(self) -> bool:
        return bool(self.made or self.changed or self.gone)


class Effects:
    """Compares what each case writes into two databases; both are opened for reading alone.

    Rows are partners by primary key: by what `partner(kind, original_id)` knows from the exchanges, by what was
    matched before, and new ones by their content, else by the order of insertion. `notes` tell, once, what is not
    compared: tables and columns that only one side has, and the older rows of a very large table.
    Raises DatabaseError for what cannot be read, and for one database given twice.
    """

    def __init__(self, original_url: str, port_url: str, *, partner: Partner | None = None) -> None:
        self._original, self._port = Database(original_url), Database(port_url)
        if self._original.url == self._port.url:
            raise DatabaseError("--database-original and --database-port name one database: that compares nothing")
        self._partner = partner or (lambda _kind, _id: None)
        self._stored = Stored()
        self._before: tuple[dict[str, Content], dict[str, Content]] = ({}, {})
        self.notes: list[str] = []
        self._learn_tables()

    def _learn_tables(self) -> None:
        self._shapes = {name: shape for name, shape in self._original.shapes.items() if name in self._port.shapes}
        self._partners: dict[str, dict[Key, Key]] = {name: {} for name in self._shapes}
        self.notes += [note for note in self._one_sided() if note not in self.notes]

    def begin(self) -> None:
        """Note what both databases hold, before a case."""
        # Both, always: a reset may have made the tables of either anew.
        if any([self._original.refresh(), self._port.refresh()]):
            self._learn_tables()
        self._before, self._stored = self._now(), Stored()
        ours, theirs = self._before
        for name, known in self._partners.items():
            rows, others = ours[name].rows, theirs[name].rows
            # A world that was rewound has other rows by the same keys.
            gone = [key for key, partner in known.items() if key not in rows or partner not in others]
            for key in gone:
                del known[key]

    def differences(self, case_name: str) -> tuple[Difference, ...]:  # noqa: ARG002 - the seam of the runner
        """What the case since `begin()` wrote otherwise into the port's database, by table and column."""
        now = self._now()
        found: list[Difference] = []
        for name, shape in self._shapes.items():
            ours, theirs = (_Change(self._before[side][name], now[side][name]) for side in (0, 1))
            if ours or theirs:
                found += self._table(shape, ours, theirs)
        self._before = now
        return tuple(sorted(set(found)))

    def judged(self, exchanges: list[Exchange], case_name: str, pair: Pair) -> list[Exchange]:
        """A case's exchanges, with what it wrote otherwise told at the last of them that may write.

        The pair's ledger accepts such a difference as any other.
        """
        found = self.differences(case_name)
        if not found or not exchanges:
            return exchanges
        writing = [at for at, each in enumerate(exchanges) if each.request.method not in _SAFE]
        at = writing[-1] if writing else len(exchanges) - 1
        one = exchanges[at]
        judged = [(each, pair.accepted.accepts(one.operation, each, source=pair.source)) for each in found]
        new = tuple(each for each, entry in judged if entry is None)
        known = tuple((each, entry) for each, entry in judged if entry is not None)
        told = replace(one, differences=one.differences + new, accepted=one.accepted + known)
        return [*exchanges[:at], told, *exchanges[at + 1 :]]

    def close(self) -> None:
        self._original.close()
        self._port.close()

    def __enter__(self) -> Effects:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _now(self) -> tuple[dict[str, Content], dict[str, Content]]:
        names = list(self._shapes)
        return self._original.contents(names), self._port.contents(names)

    def _one_sided(self) -> Iterator[str]:
        sides = {
            "original": (self._original.shapes, self._port.shapes),
            "port": (self._port.shapes, self._original.shapes),
        }
        for side, (mine, other) in sides.items():
            alone = sorted(mine.keys() - other.keys())
            alone += sorted(
                f"{name}.{column}" for name in mine.keys() & other for column in mine[name].columns
                if column not in other[name].columns
            )  # fmt: skip
            if alone:
                yield f"only the {side}'s database has {', '.join(alone)}: not compared"
        for name, content in self._original.contents(list(self._shapes)).items():
            if content.total > MOST:
                yield f"of {name} only the newest {MOST} of {content.total} rows are compared"

    def _table(self, shape: Shape, ours: _Change, theirs: _Change) -> Iterator[Difference]:
        made = self._matched(shape, ours.made, theirs.made)
        changed = self._matched(shape, ours.changed, theirs.changed)
        for key, partner in made:
            if key is not None and partner is not None and shape.key:
                self._partners[shape.name][key] = partner
        for pairs, mine, other, what in (
            (made, ours.made, theirs.made, "made"),
            (changed, ours.changed, theirs.changed, "changed"),
        ):
            for key, partner in pairs:
                one, two = mine.get(key or ()), other.get(partner or ())
                yield from self._rows(shape, one, two) if one and two else self._alone(shape, what, one, two)
        for key, partner in self._matched(shape, ours.gone, theirs.gone):
            if key is None or partner is None:
                yield from self._alone(shape, "removed", ours.gone.get(key or ()), theirs.gone.get(partner or ()))

    def _matched(
        self, shape: Shape, ours: dict[Key, Row], theirs: dict[Key, Row]
    ) -> list[tuple[Key | None, Key | None]]:
        """The keys of two sets of rows, paired: by what is known, by content, by order; None beside a row alone."""
        left, right = dict(sorted(ours.items(), key=_order)), dict(sorted(theirs.items(), key=_order))
        pairs: list[tuple[Key | None, Key | None]] = []
        for choose in (self._known, self._same, self._equal, self._most_alike):
            for key in list(left):
                partner = choose(shape, key, left[key], right)
                if partner is not None:
                    pairs.append((key, partner))
                    del left[key], right[partner]
        rest = list(zip(left, right, strict=False))
        pairs += rest
        pairs += [(key, None) for key in list(left)[len(rest) :]]
        return [*pairs, *((None, key) for key in list(right)[len(rest) :])]

    def _known(self, shape: Shape, key: Key, _row: Row, right: dict[Key, Row]) -> Key | None:
        """The partner by what is known: matched before, taught by an exchange, or a key made of known ones."""
        if not shape.key:
            return key if key in right else None
        known = self._partners[shape.name].get(key)
        if known is None and len(key) == 1:
            taught = self._partner(singular(snake(shape.name)), str(key[0]))
            known = next((other for other in right if str(other[0]) == taught), None) if taught else None
        if known is None and any(name in shape.refers for name in shape.key):
            known = tuple(self._referred(shape, name, value) for name, value in zip(shape.key, key, strict=True))
        if known is None and isinstance(key[0], str):
            known = key
        return known if known in right else None

    def _most_alike(self, shape: Shape, _key: Key, row: Row, right: dict[Key, Row]) -> Key | None:
        """The row that shares the most with this one, if that is more than half."""
        names = _compared(shape, right)
        best = max(right, key=lambda other: likeness(row, right[other], names), default=None)
        return best if best is not None and likeness(row, right[best], names) * 2 > len(names) else None

    def _same(self, shape: Shape, key: Key, _row: Row, right: dict[Key, Row]) -> Key | None:
        """The row of the same key, if before the case it held the same on both sides."""
        ours, theirs = (self._before[side][shape.name].rows.get(key) for side in (0, 1))
        if key not in right or ours is None or theirs is None:
            return None
        return key if self._equal(shape, key, ours, {key: theirs}) else None

    def _equal(self, shape: Shape, _key: Key, row: Row, right: dict[Key, Row]) -> Key | None:
        """The first row that holds the same, beside keys."""
        names = _compared(shape, right)
        alike = (
            other
            for other, candidate in right.items()
            if all(Stored().kind(name, row[name], candidate[name]) is None for name in names)
        )
        return next(alike, None) if names else None

    def _rows(self, shape: Shape, original: Row, port: Row) -> Iterator[Difference]:
        for name in shape.columns:
            if name not in port or (name in shape.key and name not in shape.refers):
                continue
            one, other = original[name], port[name]
            kind = self._reference(shape, name, one, other) or self._stored.kind(name, one, other)
            if kind is not None and kind != "alike":
                yield Difference(EFFECT, f"{shape.name}.{name}", kind, told(name, one), told(name, other))

    def _reference(self, shape: Shape, name: str, original: Any, port: Any) -> str | None:
        """ "alike" or "binding" for what refers to a row whose partner is known; None for any other value."""
        table = self._table_of(shape, name)
        if table is None or original is None or port is None:
            return None
        partner = self._partners[table].get((original,))
        if partner is None:
            taught = self._partner(singular(snake(table)), str(original))
            partner = (taught,) if taught is not None else None
        if partner is None:
            return None
        return "alike" if str(partner[0]) == str(port) else "binding"

    def _table_of(self, shape: Shape, name: str) -> str | None:
        """The table that a column refers to: as a foreign key, or by its name, as `user_id` does."""
        if name in shape.refers:
            return shape.refers[name] if shape.refers[name] in self._partners else None
        stem = snake(name).removesuffix("_id")
        if stem == snake(name):
            return None
        return next((table for table in self._partners if singular(snake(table)) == stem), None)

    def _referred(self, shape: Shape, name: str, value: Any) -> Any:
        table = shape.refers.get(name)
        return self._partners.get(table or "", {}).get((value,), (value,))[0]

    def _alone(self, shape: Shape, what: str, original: Row | None, port: Row | None) -> Iterator[Difference]:
        kind = "missing" if port is None else "extra"
        yield Difference(EFFECT, shape.name, kind, _shown(shape, what, original), _shown(shape, what, port))


def _compared(shape: Shape, rows: dict[Key, Row]) -> list[str]:
    """The columns that both sides have and that are no keys."""
    there = next(iter(rows.values()), {})
    return [name for name in shape.columns if name in there and name not in shape.key and name not in shape.refers]


def _order(item: tuple[Key, Row]) -> tuple[Any, ...]:
    """Keys in the order of insertion where they are numbers, else in any order that is the same on each run."""
    return tuple((isinstance(part, str), part if isinstance(part, (int, float)) else 0, str(part)) for part in item[0])


def _shown(shape: Shape, what: str, row: Row | None) -> str | None:
    if row is None:
        return None
    return f"{what} " + ", ".join(f"{name}={told(name, row[name])}" for name in shape.columns if name in row)
