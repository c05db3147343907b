"""What the last parity run saw of a route, from its report.json; a report that lacks a key says nothing of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.migration.routes.paths import pattern, shape

_OPERATION = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)")


class ReportError(ValueError):
    """A report that cannot be read."""


@dataclass(slots=True)
class Seen:
    """How many exchanges of a route, which statuses, and whether they were alike; None where the report is silent."""

    cases: int | None = None
    statuses: Counter[int] = field(default_factory=Counter)
    alike: bool | None = None


class Evidence:
    """A report's rows by method and path. `coverage` is None for reports that do not count what they reached."""

    def __init__(self, report: dict[str, Any] | None) -> None:
        self._report = report
        self._coverage = (report or {}).get("coverage")
        self._different = [_operation(each) for each in (report or {}).get("differences", ())]

    @classmethod
    def read(cls, path: Path) -> Evidence:
        """Raises ReportError, and OSError."""
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ReportError(f"{path}: this is no report: {error}") from None
        if not isinstance(report, dict):
            raise ReportError(f"{path}: this is no report: it is no object")
        return cls(report)

    def of(self, method: str, path: str, port: str | None) -> Seen:
        seen = Seen()
        if self._report is None:
            return seen
        for row in self._coverage if isinstance(self._coverage, list) else ():
            if self._means(str(row.get("operation", "")), method, path, port):
                seen.cases = (seen.cases or 0) + int(row.get("count", 0))
                if isinstance(row.get("status"), int):
                    seen.statuses[row["status"]] += int(row.get("count", 0))
        if isinstance(self._coverage, list):
            seen.cases = seen.cases or 0
        differs = any(self._means(each, method, path, port) for each in self._different)
        seen.alike = False if differs else True if seen.cases else None
        return seen

    @staticmethod
    def _means(operation: str, method: str, path: str, port: str | None) -> bool:
        found = _OPERATION.match(operation)
        if not found or found["method"] != method:
            return False
        sent = found["path"].partition("?")[0]
        if shape(sent) in (shape(path), shape(port or path)):
            return True
        return "{" not in sent and "<" not in sent and pattern(path).fullmatch(sent) is not None


def _operation(difference: Any) -> str:
    """A difference's operation: of its own key, or at the beginning of its fingerprint."""
    if not isinstance(difference, dict):
        return ""
    found = _OPERATION.match(str(difference.get("operation") or difference.get("fingerprint") or ""))
    return found[0] if found else ""
