"""Plays the cutover with each proxy that is installed: 0 as meant, 1 a fault, 2 a proxy that is required is missing."""

from __future__ import annotations

import os
import signal
import sys
import time

import click

from contract_tests.live.cutover.proxies import INSTALL, find_program
from contract_tests.parity.servers import ServerError

KINDS = tuple(INSTALL)


@click.command(help=__doc__)
@click.option("--with", "kinds", multiple=True, type=click.Choice(KINDS), help="With this proxy alone.")
def main(kinds: tuple[str, ...]) -> None:
    # Ended in order, by whatever it is ended: servers, proxy and folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began, faults = time.monotonic(), []
    for kind in kinds or KINDS:
        if find_program(kind):
            faults += played(kind)
        elif kinds or os.environ.get("CI") == "true":
            click.echo(INSTALL[kind], err=True)
            sys.exit(2)
        else:
            click.echo(f"left out: {INSTALL[kind]}")
    for fault in faults:
        click.echo(f"WRONG: {fault}")
    click.echo(f"{'WRONG' if faults else 'AS MEANT'} in {time.monotonic() - began:.0f} s")
    sys.exit(bool(faults))


def played(kind: str) -> list[str]:
    """The faults of the runbook with one proxy."""
    # Here, for --help needs none of it.
    from contract_tests.live.cutover.rehearsal import rehearsal

    try:
        with rehearsal(kind, click.echo) as steps:
            steps.play()
    except ServerError as error:
        return [f"{kind}: {error}"]
    seen, tally = len(steps.tally.seen), steps.tally
    lost = tally.faults().total()
    out = sum(count for fault, count in tally.faults().items() if "signed out" in fault)
    click.echo(
        f"{kind:8} {seen} requests, {lost} lost or wrong, {out} signed out; {tally.reopened} asked again on a new"
        f" connection, {tally.broken_off} answers broken off by the kill"
    )
    return [f"{kind}: {fault}" for fault in steps.faults]


if __name__ == "__main__":
    main()
