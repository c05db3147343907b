"""The table: a line a use, the way to deep ones below it, and what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from contract_tests.migration.survey.survey import Data

# Of the calls that are not resolved, so many are shown; all are in the JSON.
_SHOWN = 20
_COLORS = {"deep": "red", "view": "yellow", "hook": "yellow", "command": "yellow", "import": "magenta"}


def table_of(data: Data, *, color: bool) -> str:
    """The whole table; plain text where `color` is false."""
    return "\n".join([*_uses(data, color), *_unresolved(data), *_unreadable(data), *summary_of(data)])


def used(use: Data) -> str:
    """`read request.args['tag'] = 'unidentified'`, and the name it goes by there."""
    default = f" = {use['default']}" if use["default"] is not None else ""
    return f"{use['access']} {use['what']}{default}" + (f" (as {use['via']})" if use["via"] else "")


def short(data: Data, way: Data) -> str:
    """A way, each function by its own name where it stands beside the one before; and whether it is guessed."""
    shown: list[str] = []
    module = ""
    for name in (data["functions"][number]["name"] for number in way["calls"]):
        above, _, _ = name.rpartition(".")
        shown.append(name if above != module or not shown else name.rpartition(".")[2])
        module = above
    return " -> ".join(shown) + (" (by a call that is guessed from its name)" if way["guessed"] else "")


def _uses(data: Data, color: bool) -> Iterator[str]:
    rows = [
        (f"{use['path']}:{use['line']}:{use['column']}", use["place"], used(use), use["parameter"] or "")
        for use in data["uses"]
    ]
    if not rows:
        return
    heads = ("where", "in", "what", "carried by")
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(3)]
    yield _row(heads, widths, color=False)
    for use, row in zip(data["uses"], rows, strict=True):
        yield _row(row, widths, color=color)
        yield from (f"    {line}" for line in _ways(data, use))
    yield ""


def _row(row: tuple[str, ...], widths: list[int], *, color: bool) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    if color:
        cells[1] = click.style(cells[1], fg=_COLORS.get(row[1]))
    return "  ".join([*cells, row[3]]).rstrip()


def _ways(data: Data, use: Data) -> Iterator[str]:
    """The shortest way to a deep use, and how many more there are."""
    if use["place"] != "deep":
        return
    ways = data["ways"].get(use["function"], [])
    if not ways:
        yield "from no entry that the source tells"
        return
    more = f" (and from {len(ways) - 1} more)" if len(ways) > 1 else ""
    yield f"{data['entries'][ways[0]['entry']]['name']}: {short(data, ways[0])}{more}"


def _unresolved(data: Data) -> Iterator[str]:
    listed = data["unresolved"]["listed"]
    if not listed:
        return
    yield "calls that are not resolved, and may lead to a use:"
    for call in listed[:_SHOWN]:
        yield f"    {call['path']}:{call['line']}:{call['column']} {call['name']}() may be {', '.join(call['may_be'])}"
    if len(listed) > _SHOWN:
        yield f"    ... and {len(listed) - _SHOWN} more: --format json has all"
    yield ""


def _unreadable(data: Data) -> Iterator[str]:
    for file in data["unreadable"]:
        yield f"not read: {file['path']}" + (f":{file['line']}" if file["line"] else "") + f": {file['why']}"


def summary_of(data: Data) -> Iterator[str]:
    """What was counted, in lines."""
    uses = data["uses"]
    files = len({use["path"] for use in uses})
    proxies, places = Counter(use["proxy"] for use in uses), Counter(use["place"] for use in uses)
    counted = f" ({_counts(proxies)}): {_counts(places)}" if uses else ""
    yield f"{number(len(uses), 'use')} of Flask's globals in {files} of {number(data['files'], 'file')}{counted}"
    needs = Counter(need["name"] for need in data["needs_context"])
    if needs:
        yield f"{number(sum(needs.values()), 'more place')} need the context without naming one: {_counts(needs, 8)}"
    calls = data["unresolved"]
    yield (
        f"calls not resolved: {len(calls['listed'])} that may lead to a use, {calls['leads_to_no_use']} to no function"
        f" that has one, {calls['builtin_methods']} most likely of Python's own types"
    )


def number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _counts(counts: Counter[str], most: int | None = None) -> str:
    shown = [f"{name} {count}" for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]
    return ", ".join(shown if most is None or len(shown) <= most else [*shown[:most], "..."])
