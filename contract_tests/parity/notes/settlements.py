"""What the ledger accepts, in a client's words: the reason with each change, by route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from contract_tests.parity.difference import Difference
from contract_tests.parity.ledger import Entry, Known, Ledger
from contract_tests.parity.notes.change import ADDED, BREAKING, OTHER, WEIGHTS, Change, code
from contract_tests.parity.notes.document import shape_of
from contract_tests.parity.operations import Operation, Operations

# What no client sees in an answer.
_INSIDE = frozenset({"effect"})
_GONE = {"missing": "is gone", "extra": "is new", "order": "stands in another order", "count": "comes another number of times"}  # fmt: skip  # noqa: E501


class Settlements:
    """The entries of a ledger, held against the changes that two documents show.

    `names` are the operations of the documents: an entry for a path of theirs stands with its template.
    """

    def __init__(self, ledger: Ledger, names: Iterable[str]) -> None:
        self.ledger = ledger
        self._by_shape = {shape_of(name): name for name in names}
        self._templates = Operations([Operation(*name.partition(" ")[::2]) for name in self._by_shape.values()])

    def explained(self, name: str, changes: Iterable[Change], aliases: Iterable[str]) -> list[Change]:
        """The changes of one operation, with reason and decision where an entry accepts them.

        `aliases` are all names of the operation.
        """
        names = {name, *aliases}
        return [self._explained(each, names) for each in changes]

    def by_operation(self, told: Mapping[str, list[Change]]) -> dict[str, list[Change]]:
        """What each entry accepts in each of its operations; what the documents have told with its reason is left out.

        Entries for raw probes alone are no operation's.
        """
        found: dict[str, list[Change]] = {}
        for entry in self.ledger.entries:
            for operation in entry.operations:
                name = self._name(operation)
                change = self._change(entry, told.get(name, []))
                if change is not None and change not in found.setdefault(name, []):
                    found[name].append(change)
        return {name: changes for name, changes in found.items() if changes}

    def malformed(self) -> list[Change]:
        """What is accepted for requests that no ordinary client sends: raw probes."""
        entries = [entry for entry in self.ledger.entries if entry.probes and not entry.operations]
        return [_told(entry, OTHER, f"{len(entry.probes)} raw request{'s' * (len(entry.probes) != 1)}") for entry in entries]  # fmt: skip  # noqa: E501

    def inside(self) -> int:
        """How many entries speak of what no client sees."""
        return sum(all(known.level in _INSIDE for known in entry.differences) for entry in self.ledger.entries)

    def _name(self, operation: str) -> str:
        known = self._by_shape.get(shape_of(operation))
        if known is None:
            method, _, path = operation.partition(" ")
            template = self._templates.template(path)
            known = self._by_shape.get(shape_of(f"{method} {template}")) if template else None
        return known or operation

    def _explained(self, change: Change, names: set[str]) -> Change:
        entries = [self._entry(each, names) for each in change.differences]
        entry = entries[0] if entries else None
        # Of several statuses in one's place each must be accepted.
        if entry is None or None in entries:
            return change
        return replace(change, reason=entry.reason, decision=entry.decision, until=_until(entry))

    def _entry(self, difference: Difference, names: set[str]) -> Entry | None:
        for entry in self.ledger.entries:
            named = any(self._name(operation) in names or operation in names for operation in entry.operations)
            if named and any(_fits(known, difference) for known in entry.differences):
                return entry
        return None

    def _change(self, entry: Entry, told: list[Change]) -> Change | None:
        seen = [known for known in entry.differences if known.level not in _INSIDE]
        left = [
            known for known in seen if not any(_fits(known, each) for change in told for each in change.differences)
        ]
        if not left:
            return None
        weight = min((_weight(known) for known in left), key=WEIGHTS.index)
        return _told(entry, weight, "; ".join(dict.fromkeys(map(_in_words, left))))


def _told(entry: Entry, weight: str, text: str) -> Change:
    return Change(weight, "", text, reason=entry.reason, decision=entry.decision, until=_until(entry))


def _until(entry: Entry) -> str:
    return entry.expires.isoformat() if entry.expires else ""


def _fits(known: Known, difference: Difference) -> bool:
    """Whether an entry speaks of what a document shows: it shows no values, but for statuses and media types."""
    if known.level not in ("status", "media-type"):
        known = replace(known, original=None, port=None)
    return known.matches(difference)


def _weight(known: Known) -> str:
    if known.kind == "extra":
        return ADDED
    if known.level == "status":
        # A failure of the original that is none any more breaks nobody.
        return OTHER if isinstance(known.original, str) and known.original.startswith("5") else BREAKING
    breaks = known.level in ("transport", "media-type") or known.kind in ("missing", "type")
    return BREAKING if breaks else OTHER


def _in_words(known: Known) -> str:
    if known.level in ("status", "transport", "bytes"):
        what = {"status": "the status", "transport": "the connection", "bytes": "the bytes of the body"}[known.level]
    else:
        what = {"json": "field", "header": "header", "cookie": "cookie", "media-type": "media type in"}[known.level]
        what = f"{what} {code(_field(known.path) if known.level == 'json' else known.path)}"
    if known.kind in _GONE:
        return f"{what} {_GONE[known.kind]}"
    values = list(_values(known))
    if len(values) == 2:
        return f"{what}: {values[0]} is now {values[1]}"
    return f"{what} is of another type" if known.kind == "type" else f"{what} has another value"


def _values(known: Known) -> Iterator[str]:
    for value in (known.original, known.port):
        if isinstance(value, str):
            yield code(value)


def _field(path: str) -> str:
    return path.removeprefix("$").removeprefix(".").replace("[*]", "[]") or "$"
