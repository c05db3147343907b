"""The command `parity gateway`: writes what a proxy reads, and takes everything back to the original."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from contract_tests.migration.gateway import envoy, haproxy, nginx
from contract_tests.migration.gateway.files import keep_copy, write_all, write_atomically
from contract_tests.migration.gateway.known_routes import check_routes, load_openapi, load_routes
from contract_tests.migration.gateway.table_text import table_text
from contract_tests.migration.gateway.tables import PROXIES, Table, TableError, load_table

WRITERS = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy}
TABLE = click.argument("path", metavar="TABLE", type=click.Path(path_type=Path))
FOR = click.option("--for", "proxy", type=click.Choice(PROXIES), help="Another proxy than the table names.")
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the files; by default the table's own.",
)


@click.group()
def gateway() -> None:
    """Says for each route who serves it, the original or the port, as nginx, HAProxy or Envoy read it.

    Exit code: 0 written, 2 a table that cannot be written, with one line that says why. Then nothing is overwritten.
    """


@gateway.command()
@TABLE
@FOR
@OUT
@click.option(
    "--openapi", type=click.Path(path_type=Path), help="Each route must be one of this OpenAPI document (JSON)."
)
@click.option(
    "--routes", type=click.Path(path_type=Path), help="Each route must be a line of this file: GET /user/{id}"
)
def write(path: Path, proxy: str | None, out: Path | None, openapi: Path | None, routes: Path | None) -> None:
    """Write the proxy's configuration from TABLE."""
    with _told():
        table = _chosen(load_table(path), proxy)
        known = (load_openapi(openapi) if openapi else ()) + (load_routes(routes) if routes else ())
        if openapi or routes:
            check_routes(table, known, name=str(path))
        _write(table, out or path.parent)


@gateway.command()
@TABLE
@FOR
@OUT
def rollback(path: Path, proxy: str | None, out: Path | None) -> None:
    """Give every route back to the original, without mirrors: in TABLE and in the proxy's configuration.

    The table as it was is kept beside it.
    """
    with _told():
        table = _chosen(load_table(path), proxy)
        # The configuration first: it is what a reload needs, and the table can be written again.
        _write(table.rolled_back(), out or path.parent)
        if table != table.rolled_back():
            click.echo(f"kept {keep_copy(path)}")
            write_atomically(path, table_text(replace(table.rolled_back(), proxy=load_table(path).proxy)))


def _chosen(table: Table, proxy: str | None) -> Table:
    return replace(table, proxy=proxy) if proxy else table


def _write(table: Table, folder: Path) -> None:
    writer = WRITERS[table.proxy]
    for path in write_all(writer.render(table), folder):
        click.echo(f"wrote {path}")
    click.echo("then:")
    for line in writer.RELOAD:
        click.echo(f"  {line}")
    _at_once(table)


def _at_once(table: Table) -> None:
    everything_back = all(not route.share for route in table.routes)
    if table.proxy == "haproxy" and everything_back and haproxy.at_once(table):
        click.echo("or at once, until the next reload:")
        for line in haproxy.at_once(table):
            click.echo(f"  {line}")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TableError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
