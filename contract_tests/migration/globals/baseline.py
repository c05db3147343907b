"""A baseline: how many uses there were, so that the numbers may only fall."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from contract_tests.migration.survey.survey import Data

# Of what is new, so much is told.
_TOLD = 20


class BaselineError(Exception):
    """The file is no baseline."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`reasons` is why it fails, `notes` what a reader may want to know, `new` the fingerprints that were not there."""

    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    new: frozenset[str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The number of uses of each proxy, and the fingerprint of each."""

    numbers: dict[str, int]
    fingerprints: frozenset[str]

    @classmethod
    def of(cls, data: Data) -> Baseline:
        return cls(
            dict(Counter(use["proxy"] for use in data["uses"])), frozenset(use["fingerprint"] for use in data["uses"])
        )

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Raises BaselineError where the file is none, and OSError where it cannot be read."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            numbers, fingerprints = dict(kept["uses"]), frozenset(kept["fingerprints"])
        except (ValueError, KeyError, TypeError) as error:
            raise BaselineError(f"{path}: no baseline: write one with --write-baseline") from error
        if not all(isinstance(number, int) for number in numbers.values()):
            raise BaselineError(f"{path}: no baseline: write one with --write-baseline")
        return cls(numbers, fingerprints)

    def write(self, path: Path) -> None:
        kept = {"uses": dict(sorted(self.numbers.items())), "fingerprints": sorted(self.fingerprints)}
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")

    def compare(self, data: Data) -> Compared:
        today = Baseline.of(data)
        risen = [
            f"{proxy}: {number} uses, and {self.numbers.get(proxy, 0)} in the baseline"
            for proxy, number in sorted(today.numbers.items())
            if number > self.numbers.get(proxy, 0)
        ]
        new = today.fingerprints - self.fingerprints
        added = [use for use in data["uses"] if use["fingerprint"] in new]
        notes = [
            f"new: {use['path']}:{use['line']}:{use['column']} {use['access']} {use['what']}" for use in added[:_TOLD]
        ]
        if len(added) > _TOLD:
            notes.append(f"new: {len(added) - _TOLD} more")
        before, now = sum(self.numbers.values()), sum(today.numbers.values())
        if now < before and not risen:
            notes.append(f"{now} uses, and {before} in the baseline: keep the lower number with --write-baseline")
        return Compared(tuple(risen), tuple(notes) if risen or now < before else (), new)
