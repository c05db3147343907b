"""Sends probes to both apps on servers of their own, and tells what differs: `python -m contract_tests.live.probes`."""

from __future__ import annotations

import sys
import time

import click

from contract_tests.live.lanes import LanesInterrupted, run_lanes
from contract_tests.live.probes.judging import unknown_names
from contract_tests.live.probes.lane import areas, probe_lanes
from contract_tests.live.probes.pairs import quirks_probes, service_probes
from contract_tests.live.terminal import Display, show
from contract_tests.parity.probes import ProbeError
from contract_tests.parity.verdict import NOT_ASKED, Run, no_verdict


@click.command(help=__doc__)
@click.argument("names", nargs=-1, metavar="[ID | AREA]...")
def main(names: tuple[str, ...]) -> None:
    began = time.monotonic()
    run = Run(dict(NOT_ASKED), noun="probe")
    try:
        if unknown := unknown_names(names, (*service_probes(), *quirks_probes())):
            raise click.UsageError(f"{unknown[0]} is no id and no area of a probe")
        lanes = probe_lanes(areas(frozenset(names)))
        with no_verdict(), Display() as display:
            for part in run_lanes(lanes, display.lane, forked=len(lanes) > 1).values():
                run.add(part.run)
    except ProbeError as error:
        raise click.UsageError(str(error)) from None
    except LanesInterrupted as interrupted:
        for part in interrupted.values.values():
            run.add(part.run)
        run.interrupted = True
    except KeyboardInterrupt:
        run.interrupted = True
    run.seconds = time.monotonic() - began
    show(run)
    sys.exit(run.code)


if __name__ == "__main__":
    main()
