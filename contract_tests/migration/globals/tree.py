"""The tree: what each route, hook and command reads of the globals, with the way to it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from contract_tests.migration.globals.table import short, summary_of, used
from contract_tests.migration.survey.survey import Data

_ORDER = {"view": 0, "hook": 1, "command": 2}


def tree_of(data: Data, *, color: bool) -> str:
    """Every entry with its uses; plain text where `color` is false."""
    return "\n".join([*_entries(data, color), *_others(data, color), *summary_of(data)])


def _entries(data: Data, color: bool) -> Iterator[str]:
    own: dict[int, list[Data]] = {}
    deep: dict[int, list[tuple[Data, Data]]] = {}
    by_function: dict[str, list[Data]] = {}
    for use in data["uses"]:
        for number in use["entries"]:
            own.setdefault(number, []).append(use)
        if use["place"] == "deep":
            by_function.setdefault(use["function"], []).append(use)
    for function, ways in data["ways"].items():
        for way in ways:
            deep.setdefault(way["entry"], []).extend((way, use) for use in by_function.get(function, ()))
    for number in sorted(own.keys() | deep.keys(), key=lambda each: (_ORDER[data["entries"][each]["kind"]], each)):
        yield from _entry(data, data["entries"][number], own.get(number, []), deep.get(number, []), color)
        yield ""


def _entry(data: Data, entry: Data, own: list[Data], deep: list[tuple[Data, Data]], color: bool) -> Iterator[str]:
    name = click.style(entry["name"], bold=True) if color else entry["name"]
    yield f"{name}  {entry['path']}:{entry['line']}"
    for use in own:
        yield f"    {_line(use)}"
    before: list[int] | None = None
    for way, use in sorted(deep, key=lambda each: (len(each[0]["calls"]), each[0]["calls"], each[1]["line"])):
        if way["calls"] != before:
            yield f"    {short(data, way)}"
            before = way["calls"]
        yield f"        {_line(use)}" + (f"  carried by {use['parameter']}" if use["parameter"] else "")


def _line(use: Data) -> str:
    return f"{used(use)}  {use['path']}:{use['line']}"


def _others(data: Data, color: bool) -> Iterator[str]:
    unreached = [use for use in data["uses"] if use["place"] == "deep" and not data["ways"].get(use["function"])]
    imported = [use for use in data["uses"] if use["place"] == "import"]
    for title, uses in (("from no entry that the source tells", unreached), ("as a module is imported", imported)):
        if uses:
            yield click.style(title, bold=True) if color else title
            yield from (f"    {_line(use)}" for use in uses)
            yield ""
