"""Sends probes to both apps on servers of their own, and tells what differs: `python -m contract_tests.probes`."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

import click

from contract_tests.live import own_servers, show
from contract_tests.parity.probes import ProbeError
from contract_tests.parity.servers import Server
from contract_tests.probes.judging import judge_probes, unknown_names
from contract_tests.probes.pairs import ROLES, quirks_pair, quirks_probes, service_pair, service_probes
from contract_tests.verdict import NOT_ASKED, Run, no_verdict


@click.command(help=__doc__)
@click.argument("names", nargs=-1, metavar="[ID | AREA]...")
def main(names: tuple[str, ...]) -> None:
    began = time.monotonic()
    try:
        if unknown := unknown_names(names, (*service_probes(), *quirks_probes())):
            raise click.UsageError(f"{unknown[0]} is no id and no area of a probe")
        with no_verdict(), ExitStack() as stack:
            servers: dict[str, Server] = {}
            contract = stack.enter_context(own_servers(servers))
            run = Run({role: contract.target(role).name for role in ROLES}, noun="probe")
            targets = {role: contract.target(role) for role in ROLES}
            pairs = [
                service_pair(targets, servers, contract.ledger),
                stack.enter_context(quirks_pair(contract.ledger)),
            ]
            for pair in pairs:
                judge_probes(run, pair, only=frozenset(names))
    except ProbeError as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        run = Run(dict(NOT_ASKED), noun="probe", interrupted=True)
    run.seconds = time.monotonic() - began
    show(run)
    sys.exit(run.code)


if __name__ == "__main__":
    main()
