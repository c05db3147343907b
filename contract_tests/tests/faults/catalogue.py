"""The faults as they are written down in the TOML files beside this module, and where each belongs in a tree."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


class NoPlace(Exception):
    """A fault does not belong into a tree: none of its places is there, or more than one is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text in a file, and what a fault makes of it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake, what a user would see of it, and the test modules of which one must turn red.

    A test module is named by its room and its name, as `suite/test_list`, wherever the room is; a pattern may name
    several, for modules that are split.
    """

    id: str
    sees: str
    tests: tuple[str, ...]
    places: tuple[Place, ...]

    def place_in(self, tree: Path) -> Place:
        """The one place whose text occurs in a tree, exactly once. Raises NoPlace."""
        counts = {place: _occurrences(tree / place.file, place.old) for place in self.places}
        fitting = [place for place, count in counts.items() if count == 1]
        if len(fitting) != 1:
            told = ", ".join(f"{count} times in {place.file}" for place, count in counts.items())
            raise NoPlace(f"its text occurs {told}" if not fitting else f"several of its places are there: {told}")
        return fitting[0]

    def modules_in(self, tree: Path) -> tuple[str, ...]:
        """The test modules of a tree that concern the fault, in the order in which they are named."""
        here = modules_of(tree)
        found = [each for name in self.tests for each in here if fnmatch(each, f"*/{name}.py")]
        return tuple(dict.fromkeys(found))


def read_faults(folder: Path = HERE) -> tuple[Fault, ...]:
    """Every fault of a folder, file by file. Raises KeyError for one that lacks something."""
    tables = [table for file in sorted(folder.glob("*.toml")) for table in tomllib.loads(file.read_text())["fault"]]
    return tuple(
        Fault(table["id"], table["sees"], tuple(table["tests"]), tuple(Place(**place) for place in table["places"]))
        for table in tables
    )


@cache
def modules_of(tree: Path) -> tuple[str, ...]:
    """The test modules of a tree, by their paths in it."""
    return tuple(str(path.relative_to(tree)) for path in sorted((tree / "contract_tests").rglob("test_*.py")))


def planted(text: str, place: Place) -> str:
    """A file's text with the fault in it."""
    return text.replace(place.old, place.new)


def _occurrences(file: Path, text: str) -> int:
    return file.read_text().count(text) if file.is_file() else 0
