"""A table as the TOML text that read_table reads; comments are not kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from contract_tests.migration.gateway.tables import HUNDRED, Route, Table


def table_text(table: Table) -> str:
    """The text of a table, every value that is not a default in it."""
    blocks = [["[gateway]", *_gateway(table)], *(["[[routes]]", *_route(each)] for each in table.routes)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _gateway(table: Table) -> Iterator[str]:
    for name in ("proxy", "listen", "original", "port"):
        yield f"{name} = {_text(getattr(table, name))}"
    yield f"sticky = {{ {table.sticky.kind} = {_text(table.sticky.name)} }}"
    yield f"max_body_mb = {table.max_body_mb}"
    if table.hidden:
        yield f"hidden = {_list(table.hidden)}"
    if table.tls:
        yield f"tls = {{ certificate = {_text(table.tls[0])}, key = {_text(table.tls[1])} }}"
    for name in ("logs", "admin_socket"):
        if getattr(table, name):
            yield f"{name} = {_text(getattr(table, name))}"


def _route(route: Route) -> Iterator[str]:
    yield f"path = {_text(route.path)}"
    if route.methods:
        yield f"methods = {_list(route.methods)}"
    yield f"serve = {_serve(route.share)}"
    if route.mirror:
        yield f"mirror = {route.mirror}"
    if route.mirror_is_safe:
        yield "mirror_is_safe = true"


def _serve(share: Decimal) -> str:
    if share in (0, HUNDRED):
        return '"port"' if share else '"original"'
    return f"{{ original = {HUNDRED - share}, port = {share} }}"


def _list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _text(text: str) -> str:
    # The texts of a table have no character that TOML and JSON quote in different ways.
    return json.dumps(text)
