"""The board as a terminal's table, as Markdown and as JSON. docs/migrate.md names the keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from contract_tests.migration.routes.board import Board, Row
from contract_tests.migration.routes.declared import Route

VERSION = 1
HEADS = ("route", "cases", "port", "globals", "models", "implemented", "alike")


def table_of(board: Board, *, color: bool) -> str:
    """A line a route, its six steps in columns; what fails the gate above."""
    rows = [cells(row) for row in board.rows]
    widths = [max(len(row[at]) for row in (HEADS, *rows)) for at in range(len(HEADS))]
    lines = [*_findings(board, color), _line(HEADS, widths)]
    for row, shown in zip(board.rows, rows, strict=True):
        line = _line(shown, widths)
        lines.append(click.style(line, fg="red") if color and (row.is_missing or row.is_unguarded) else line)
        lines += [f"    {note}" for note in row.notes]
    return "\n".join([*lines, "", *_rest(board), *summary_of(board)])


def markdown_of(board: Board) -> str:
    """The same for a wiki or a pull request."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    lines += [
        f"| {' | '.join(_escaped(cell) for cell in ('`' + row[0] + '`', *row[1:]))} |" for row in map(cells, board.rows)
    ]
    findings = [
        f"- {_escaped(each.strip())}"
        for each in _findings(board, color=False)
        if each.strip().startswith(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"))
    ]
    head = ["**Guarded in the original, and by nothing in the port:**", "", *findings, ""] if findings else []
    return "\n".join([*head, *lines, "", *[f"{_escaped(each)}  " for each in (*_rest(board), *summary_of(board))]])


def json_of(board: Board) -> str:
    return json.dumps(data_of(board), indent=1, ensure_ascii=False)


def data_of(board: Board) -> dict[str, Any]:
    return {
        "version": VERSION,
        "fails": board.fails,
        "unguarded": [str(row.original) for row in board.unguarded],
        "missing": [str(row.original) for row in board.missing],
        "routes": [_row(row) for row in board.rows],
        "only_in_port": [_route(route) for route in board.extra],
        "not_told": board.untold,
        "unreadable": board.unreadable,
    }


def cells(row: Row) -> tuple[str, ...]:
    """A row's cells: `-` is not yet, `?` is not known."""
    statuses = ",".join(map(str, sorted(row.seen.statuses)))
    cases = "?" if row.seen.cases is None else f"{row.seen.cases} ({statuses})" if row.seen.cases else "-"
    alike = {None: "?", True: "yes", False: "no"}[row.seen.alike]
    port = row.port.path if row.port else "-"
    if row.port is None and row.decision and row.decision.drops:
        port = f"decided: {row.decision.reason} ({row.decision.owner})"
    done = {"implemented": "yes", "stub": "stub", "?": "?", "": "-"}[row.state]
    return (str(row.original), cases, port, str(row.deep), ",".join(row.models) or "-", done, alike)


def _findings(board: Board, color: bool) -> Iterator[str]:
    if board.unguarded:
        head = "guarded in the original, and by nothing in the port:"
        yield click.style(head, fg="red", bold=True) if color else head
        for row in board.unguarded:
            guards = ", ".join(
                f"{guard} ({guard.place})" + (" by its name" if guard.named else "") for guard in row.guards
            )
            yield f"    {row.original}: {guards}; port {row.port.place if row.port else ''}"
        yield ""


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _rest(board: Board) -> Iterator[str]:
    if board.extra:
        yield f"only in the port: {', '.join(map(str, board.extra))}"
    for side, places in board.untold.items():
        if places:
            yield f"not told by the {side}'s source: {', '.join(places)}"
    yield from (f"not read: {each}" for each in board.unreadable)
    heads = [row for row in board.rows if row.port and "HEAD" in row.original.automatic]
    lacking = [row for row in heads if row.port and "HEAD" not in row.port.automatic]
    if lacking:
        yield f"HEAD: {len(lacking)} of {len(heads)} ported GET routes answer it in Flask alone (docs/wire.md: Routing)"


def summary_of(board: Board) -> Iterator[str]:
    rows = board.rows
    ported = sum(row.port is not None for row in rows)
    done = sum(row.state == "implemented" for row in rows)
    alike = sum(row.seen.alike is True for row in rows)
    yield (
        f"{len(rows)} route{'s' * (len(rows) != 1)} of the original: {ported} in the port, {done} implemented,"
        f" {alike} alike in the last run; {len(board.missing)} missing, {len(board.unguarded)} unguarded"
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "method": row.original.method,
        "path": row.original.path,
        "original": {**_route(row.original), "guards": [_guard(each) for each in row.guards]},
        "port": {**_route(row.port), "guards": [_guard(each) for each in row.port_guards]} if row.port else None,
        "cases": row.seen.cases,
        "statuses": {str(status): count for status, count in sorted(row.seen.statuses.items())},
        "globals": row.deep,
        "models": list(row.models),
        "state": row.state or None,
        "alike": row.seen.alike,
        "unguarded": row.is_unguarded,
        "missing": row.is_missing,
        "decision": {"reason": row.decision.reason, "owner": row.decision.owner} if row.decision else None,
        "notes": row.notes,
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "route": str(route),
        "place": route.place,
        "endpoint": route.endpoint or None,
        "automatic": list(route.automatic),
    }


def _guard(guard: Any) -> dict[str, Any]:
    return {"kind": guard.kind, "name": guard.name, "place": guard.place, "by_name": guard.named}


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if not text.startswith("`") else text.replace("|", "\\|")
