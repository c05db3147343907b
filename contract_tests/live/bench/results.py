"""All that a run measured, and its form as JSON: a line for each sample, rounded to what it is worth."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, astuple, dataclass, field, fields
from importlib.metadata import version
from typing import Any

from contract_tests.live.bench.load import Sample
from contract_tests.live.bench.plan import Plan
from contract_tests.live.bench.rounds import Measured

PACKAGES = (
    "flask", "gunicorn", "fastapi", "starlette", "uvicorn", "sqlalchemy", "pydantic",
    "starsessions", "slowapi", "starlette-exporter", "asgi-correlation-id",
    "flask-session", "flask-limiter", "prometheus-flask-exporter", "flask-cors", "flask-3-log-request-id",
    "flask-talisman",
)  # fmt: skip


@dataclass(slots=True)
class Results:
    """All that a run measured; `machine` says where."""

    plan: Plan
    machine: str = ""
    measured: list[Measured] = field(default_factory=list)
    in_process: list[tuple[int, str, str, float]] = field(default_factory=list)
    waiting: list[tuple[str, int, float]] = field(default_factory=list)
    shares: list[tuple[str, str, str, float]] = field(default_factory=list)

    def in_process_figures(self) -> dict[tuple[str, str], list[float]]:
        """Microseconds by app and route, one for each round."""
        found: dict[tuple[str, str], list[float]] = {}
        for _, name, route, taken in self.in_process:
            found.setdefault((name, route), []).append(taken)
        return found


def machine() -> str:
    """One line about the machine and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}, {versions}."


def dump(results: Results) -> str:
    """Results as JSON."""
    rows = [[*astuple(each)[:-1], *_rounded(astuple(each.sample))] for each in results.measured]
    whole = {
        "plan": asdict(results.plan),
        "machine": results.machine,
        "columns": [*_COLUMNS[:_WHAT], *(each.name for each in fields(Sample))],
        "measured": rows,
        "in_process": [_rounded(each) for each in results.in_process],
        "waiting": [_rounded(each) for each in results.waiting],
        "shares": [_rounded(each) for each in results.shares],
    }
    parts = []
    for name, value in whole.items():
        if name in {"measured", "in_process", "waiting", "shares"}:
            lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value)
            parts.append(f'"{name}": [\n{lines}\n]')
        else:
            parts.append(f'"{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load_results(text: str) -> Results:
    """Results from JSON as `dump` gives it."""
    whole = json.loads(text)
    plan: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in whole["plan"].items()
    }
    return Results(
        Plan(**plan),
        whole["machine"],
        [Measured(*(*row[:_WHAT], Sample(*row[_WHAT:]))) for row in whole["measured"]],
        [tuple(row) for row in whole["in_process"]],
        [tuple(row) for row in whole["waiting"]],
        [tuple(row) for row in whole["shares"]],
    )


_COLUMNS = [each.name for each in fields(Measured)]
# The sample comes last.
_WHAT = len(_COLUMNS) - 1


def _rounded(values: tuple[Any, ...]) -> list[Any]:
    return [float(f"{value:.5g}") if isinstance(value, float) else value for value in values]
