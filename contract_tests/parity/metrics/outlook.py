"""What a watch has seen, as a table, a line for each finding, one verdict line and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.parity.metrics.comparing import ALIKE, UNCLEAR, WORSE, Judged, Row, Terms, worst
from contract_tests.parity.metrics.families import Route
from contract_tests.parity.telling import visible

# What Prometheus asks an app for.
ALWAYS_LEFT_OUT = "/metrics"
_CODES = {ALIKE: 0, WORSE: 1, UNCLEAR: 4}
_COLUMNS = {"5xx": "5xx", "4xx": "4xx", "latency": "p{share:g}"}


@dataclass(slots=True)
class Outlook:
    """The routes that both apps served, judged; and those that one of them alone has."""

    names: tuple[str, str]
    seconds: float
    terms: Terms
    rows: list[Row] = field(default_factory=list)
    alone: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def choose(self, routes: Mapping[str, Route], only: Sequence[str], leave_out: Sequence[str]) -> dict[str, Route]:
        """The routes that are to be judged."""
        chosen, left = set(only), {ALWAYS_LEFT_OUT, *leave_out}
        return {
            key: route
            for key, route in routes.items()
            if not left & _names(key, route) and (not chosen or chosen & _names(key, route))
        }

    def add(self, ours: Mapping[str, Route], theirs: Mapping[str, Route], rows: list[Row], only: Sequence[str]) -> None:
        """Take the rows of what both have, and note what one alone has, and what was asked for in vain."""
        both = [_names(key, ours[key]) | _names(key, theirs[key]) for key in ours if key in theirs]
        self.missing = [name for name in only if not any(name in names for names in both)]
        self.rows = rows
        self.alone = {
            "original": [ours[key].name for key in ours if key not in theirs],
            "port": [theirs[key].name for key in theirs if key not in ours],
        }

    @property
    def verdict(self) -> str:
        missing = [UNCLEAR] if self.missing or not self.rows else []
        return worst([*missing, *(row.verdict for row in self.rows)])

    @property
    def code(self) -> int:
        """The exit code."""
        return _CODES[self.verdict]

    def lines(self) -> list[str]:
        told = [*self._table(), ""] if self.rows else []
        for verdict in (WORSE, UNCLEAR):
            told += [self._told(row, each) for row in self.rows for each in row.judged if each.verdict == verdict]
        for role, names in self.alone.items():
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                told.append(f"served by the {role} alone, not judged: {', '.join(map(visible, names[:3]))}{more}")
        return [*told, self.line()]

    def line(self) -> str:
        """The verdict in one line."""
        many = {each: sum(row.verdict == each for row in self.rows) for each in (WORSE, UNCLEAR)}
        word = {
            ALIKE: f"ALIKE OR BETTER: {_routes(len(self.rows))}",
            WORSE: f"WORSE: {many[WORSE]} of {_routes(len(self.rows))}",
            UNCLEAR: f"INCONCLUSIVE: {self._unclear(many[UNCLEAR])}",
        }[self.verdict]
        time = f"in {self.seconds:g} s" if self.seconds else "since they began"
        requests = [sum(row.requests[side] for row in self.rows) for side in (0, 1)]
        counted = f"{requests[0]} requests on the original, {requests[1]} on the port {time}"
        return f"{word} ({self.terms.confidence * 100:.5g} % confidence; {counted})"

    def _unclear(self, many: int) -> str:
        if self.missing:
            return f"{visible(self.missing[0])} had no requests on both apps"
        if not self.rows:
            return "no route had requests on both apps"
        return f"too little traffic to tell on {many} of {_routes(len(self.rows))}"

    def as_json(self) -> dict[str, Any]:
        """All of it as data, without infinities."""
        return {
            "verdict": self.line(),
            "code": self.code,
            "targets": {"original": self.names[0], "port": self.names[1]},
            "seconds": self.seconds,
            "confidence": self.terms.confidence,
            "tolerated": {
                "5xx": self.terms.errors_within,
                "4xx": self.terms.refusals_within,
                "latency": self.terms.slower_within,
                "quantile": self.terms.quantile,
            },
            "routes": [
                {
                    "route": row.name,
                    "requests": {"original": row.requests[0], "port": row.requests[1]},
                    "verdict": row.verdict,
                    "judged": [_as_json(each) for each in row.judged],
                }
                for row in self.rows
            ],
            "alone": self.alone,
        }

    def _table(self) -> list[str]:
        share = self.terms.quantile * 100
        kinds = [_COLUMNS[kind].format(share=share) for kind in self.terms.kinds]
        rows = [("original / port", "requests", *kinds, "verdict")]
        for row in self.rows:
            cells = [f"{_value(each, each.original)} / {_value(each, each.port)}" for each in row.judged]
            rows.append((visible(row.name), f"{row.requests[0]} / {row.requests[1]}", *cells, row.verdict))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def _told(self, row: Row, each: Judged) -> str:
        """One finding: by how much the port is worse, or what is missing to tell."""
        what = _COLUMNS[each.kind].format(share=self.terms.quantile * 100)
        values = f"{what} {_value(each, each.port)}, original {_value(each, each.original)}"
        if each.verdict == UNCLEAR:
            return f"too little traffic: {visible(row.name)}: {values}{self._missing(row, each)}"
        return f"WORSE: {visible(row.name)}: {values}: {self._worse(each)}"

    def _worse(self, each: Judged) -> str:
        chance = f"chance {each.chance:.1g}" if each.chance > 1e-9 else "chance below 1e-9"
        if each.kind == "latency":
            times = each.port / each.original
            tolerated = f" where {self.terms.slower_within:g} are tolerated"
            return f"{times:.3g} times, at least {each.at_least:.3g}{tolerated} ({chance})"
        more = f"{_percent(each.port - each.original)} more"
        tolerated = f" where {_percent(self.terms.refusals_within)} are tolerated" if each.kind == "4xx" else ""
        return f"{more}, at least {_percent(max(each.at_least, 0.0))}{tolerated} ({chance})"

    def _missing(self, row: Row, each: Judged) -> str:
        if math.isnan(each.port):
            return "; no times were counted"
        needed = each.needed()
        if needed is None:
            return "; more of the same would not tell: it is at the limit of what is tolerated, or beyond"
        return f"; about {_round(row.requests[1] * (needed - 1))} more requests on the port would tell"


def _names(key: str, route: Route) -> set[str]:
    """By what a user may name a route: with its method or without, as an app writes it or by its shape."""
    return {key, route.name, key.partition(" ")[2], route.name.partition(" ")[2]}


def _as_json(each: Judged) -> dict[str, Any]:
    numbers = {"original": each.original, "port": each.port, "chance": each.chance, "at_least": each.at_least}
    # JSON has neither infinity nor what is no number.
    told = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    needed = each.needed() if each.verdict == UNCLEAR else None
    return {"kind": each.kind, "verdict": each.verdict, **told, "times_the_traffic_needed": needed}


def _routes(count: int) -> str:
    return f"{count} route{'s' * (count != 1)}"


def _value(each: Judged, value: float) -> str:
    if math.isnan(value):
        return "-"
    return _seconds(value) if each.kind == "latency" else _percent(value)


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.1f} %"


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _round(number: float) -> int:
    """Up, to two digits: it is an estimate."""
    unit: int = 10 ** max(len(str(math.ceil(number))) - 2, 0)
    return math.ceil(number / unit) * unit
