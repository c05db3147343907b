"""A judge of the engine: which listed differences of a foreign pair stand in a report, and which entries are none."""

from __future__ import annotations

import re
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from contract_tests.parity.check import Specs, watched
from contract_tests.parity.checking import Check
from contract_tests.parity.exploring import Explorer
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.options import Options
from contract_tests.parity.verdict import Run

from .foreign import FOLDER, NAMES, listed

_SPEC = "contract_tests.tests.specimens.foreign.{}.{}:create_app()"
SEED = 1


@dataclass(slots=True)
class Judged:
    """What a report says of a pair: causes by their ids, entries by their titles."""

    name: str
    listed: list[str]
    told: dict[str, list[str]] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)
    entries: int = 0
    cases: int = 0
    seconds: float = 0.0

    @property
    def missed(self) -> list[str]:
        return [each for each in self.listed if each not in self.told]

    @property
    def found(self) -> float:
        return len(self.told) / len(self.listed)

    @property
    def entries_a_cause(self) -> float:
        return (self.entries - len(self.false)) / max(len(self.told), 1)

    def lines(self) -> Iterator[str]:
        yield (
            f"{self.name}: {len(self.told)} of {len(self.listed)} found, {len(self.false)} false, "
            f"{self.entries} entries, {self.entries_a_cause:.2f} a cause ({self.cases} cases in {self.seconds:.1f} s)"
        )
        yield from (f"  missed  {each}" for each in self.missed)
        yield from (f"  false   {each}" for each in self.false)


def explored(name: str, *, cases: int, seed: int = SEED, port_is: str = "port") -> Run:
    """A check of a foreign pair with its sign-in and nothing else. It ends after so many cases, whatever the time."""
    specs = Specs(_SPEC.format(name, "original"), _SPEC.format(name, port_is), None, None)
    auth = str(FOLDER / name / "signin.jsonl")
    options = Options(budget=float(cases), seed=seed, auth=auth)
    began = time.monotonic()
    with ExitStack() as stack:
        original, port = (stack.enter_context(target) for target in specs.opened(options.timeout))
        check = Check(original, port, Ledger.empty(), own_ids=False, rewinds=True)
        # Time is counted in cases: a run is the same on every machine.
        explorer = Explorer(check, (), options, clock=lambda: float(check.taken))
        explorer.explore()
        check.control(stack.enter_context(watched(specs.original, None, options.timeout)))
        run = check.finish()
    run.seconds = time.monotonic() - began
    return run


@cache
def patterns(name: str) -> dict[str, list[list[str]]]:
    """For each listed cause, how an entry that tells it looks: all texts of one of its rows are found in the entry."""
    table: dict[str, list[list[str]]] = tomllib.loads((FOLDER / name / "recognised.toml").read_text())
    return table


def judged(name: str, report: dict[str, Any]) -> Judged:
    """Hold a report against the list of a pair."""
    result = Judged(name, [each["id"] for each in listed(name)["differences"]], entries=len(report["causes"]))
    result.cases, result.seconds = report["cases"], report["seconds"]
    for number, cause in enumerate(report["causes"], 1):
        ids = _ids(name, cause, report)
        for each in ids:
            result.told.setdefault(each, []).append(cause["title"])
        if not ids:
            result.false.append(f"{number}. {cause['level']} {cause['reason']}: {cause['title']}")
    return result


def _ids(name: str, cause: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """The listed causes that an entry tells of."""
    face = _face(cause, report["exchanges"])
    return [each for each, rows in patterns(name).items() if any(_fits(row, face) for row in rows)]


def _fits(row: list[str], face: str) -> bool:
    return all(re.search(pattern, face, re.MULTILINE) for pattern in row)


def _face(cause: dict[str, Any], exchanges: list[dict[str, Any]]) -> str:
    """What a person reads of an entry: a line each."""
    shown = exchanges[cause["exchange"]] if isinstance(cause.get("exchange"), int) else {}
    request = shown.get("request", {})
    statuses = [str(shown.get(side, {}).get("status")) for side in ("original", "port")]
    return "\n".join([
        f"is {cause['level']} {cause['reason']}",
        f"title {cause['title']}",
        f"values {cause['original']!r} -> {cause['port']!r}",
        f"sent {request.get('method')} {request.get('target')} {request.get('headers')} {request.get('body')!r}",
        f"answered {' '.join(statuses)}",
        *(f"in {operation}" for operation in cause["operations"]),
        *(f"fingerprint {each}" for each in cause["fingerprints"]),
    ])  # fmt: skip


def main() -> None:
    """Judge all pairs, or those that are named."""
    for name in sys.argv[1:] or NAMES:
        report = explored(name, cases=CASES[name]).as_json()
        lines = [*judged(name, report).lines()]
        lines += [f"  {', '.join(_ids(name, each, report)) or 'FALSE':28} {each['title']}" for each in report["causes"]]
        sys.stdout.write("\n".join([*lines, ""]))


# So many cases a pair has in about a minute of a quiet machine.
CASES = {"shop": 3000, "board": 3000, "ledger": 2000}
# What is held by the tests: so many cases, and so many causes of the list.
FLOORS = {"shop": (200, 21), "board": (200, 16), "ledger": (400, 9)}

if __name__ == "__main__":
    main()
