"""What separates a naive port from the original, and which piece closes what: measured over servers, and kept.

The specimen `naive` is probed as it is, and again with one piece after another in it; only what still differs is asked
again. What was measured stands in measured.tsv, of which docs/wire.md is made; `make wire` measures and writes, and
`python -m contract_tests.probes.measuring` measures and compares.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from contract_tests.contract import open_ledger
from contract_tests.live import SERVERS, Place
from contract_tests.parity import Ledger
from contract_tests.parity.drivers.raw import Conversation
from contract_tests.parity.probes import Probe
from contract_tests.parity.servers import Server
from contract_tests.probes.pairs import QUIRKS, nothing, quirks_folder, quirks_probes, service_probes, specimen
from contract_tests.probes.prober import Prober, Result, Side
from contract_tests.probes.worlds import make_world
from contract_tests.served import uvicorn
from contract_tests.specimens import naive

MEASURED = Path(__file__).parent / "measured.tsv"
# Two cores, and a server waits for much of a probe's time.
LANES = 2
NAIVE = "contract_tests.specimens.naive.served:create_app"
NAIVE_QUIRKS = "contract_tests.specimens.quirks.served:naive"
# No piece closed it: the real port has another page of its server's, or more than the specimen has.
NOT_CLOSED = "-"


@dataclass(frozen=True, slots=True)
class Separation:
    """A probe that separates the original from the naive port: what each answers, and the piece that closes it."""

    probe: str
    piece: str
    original: str
    naive: str


# Sends probes to the original and to a port that is told what to be; what it is told depends on the pair.
Lane = Callable[[Sequence[Probe], str], list[Result]]


def measure(probes: Sequence[Probe], lanes: Sequence[Lane], steps: Mapping[str, str]) -> Iterator[Separation]:
    """Probe the naive port, and again with each step; `steps` are names, and what the port is told for each."""
    first: dict[str, Result] = {}
    left = list(probes)
    for name, told in steps.items():
        differing = []
        for result in in_lanes(lanes, left, told):
            before = first.setdefault(result.probe.id, result)
            if result.differences:
                differing.append(result.probe)
            elif before.differences:
                yield separation(before, name)
        left = differing
    for probe in left:
        yield separation(first[probe.id], NOT_CLOSED)


def separation(result: Result, piece: str) -> Separation:
    return Separation(result.probe.id, piece, outcome(result.original), outcome(result.port))


def in_lanes(lanes: Sequence[Lane], probes: Sequence[Probe], told: str) -> list[Result]:
    """Each lane takes its share of the probes."""
    with ThreadPoolExecutor(len(lanes)) as threads:
        shares = [probes[at :: len(lanes)] for at in range(len(lanes))]
        return [
            result
            for results in threads.map(lambda lane, share: lane(share, told), lanes, shares)
            for result in results
        ]


def service_lane(stack: ExitStack, ledger: Ledger) -> Lane:
    """The original of our own service, and naive ports with the pieces that they are told. Raises ServerError."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="naive-")))
    servers: dict[str, Server] = {}
    target = stack.enter_context(Place(folder / "original").target(SERVERS["original"], servers, name="original"))
    original = Side(servers["original"].port, target)

    def run(probes: Sequence[Probe], pieces: str) -> list[Result]:
        place = Place(folder / f"port-{len(servers)}")
        name = f"naive port with {pieces or 'nothing'}"
        with place.target(uvicorn(NAIVE), servers, name=name, env={"NAIVE_PIECES": pieces}) as target:
            port = Side(servers[name].port, target)
            return list(Prober(original, port, ledger, make_world, patience=0.0).run(probes))

    return run


def quirks_lane(stack: ExitStack, ledger: Ledger) -> Lane:
    """The specimen's original, and its ports by their commands. Raises ServerError."""
    folder = stack.enter_context(quirks_folder())
    original = stack.enter_context(specimen(QUIRKS["original"], folder, {}, name="original"))

    def run(probes: Sequence[Probe], command: str) -> list[Result]:
        with specimen(command, folder, {}, name="port") as port:
            return list(Prober(original, port, ledger, nothing, patience=0.0).run(probes))

    return run


def outcome(conversation: Conversation) -> str:
    """A conversation in a few words."""
    answers = [str(each.response.status or each.response.failure) for each in conversation.answers]
    return f"{' '.join(answers) or 'no answer'}, {conversation.ending}"


def measure_all() -> list[Separation]:
    """Both pairs. Raises ServerError, ProbeError."""
    ledger = open_ledger()
    with ExitStack() as stack:
        lanes = [service_lane(stack, ledger) for _ in range(LANES)]
        found = list(measure(service_probes(), lanes, service_steps()))
    with ExitStack() as stack:
        lanes = [quirks_lane(stack, ledger) for _ in range(LANES)]
        found += measure(quirks_probes(), lanes, QUIRKS_STEPS)
    return sorted(found, key=lambda each: each.probe)


def service_steps() -> dict[str, str]:
    """The naive port as it is, and with each further piece in it."""
    return {"nothing": "", **{name: ",".join(naive.NAMES[: at + 1]) for at, name in enumerate(naive.NAMES)}}


QUIRKS_STEPS = {"nothing": uvicorn(NAIVE_QUIRKS), "the kit": QUIRKS["port"]}


def write(separations: Sequence[Separation]) -> str:
    """What is kept: a line a probe that separates, its columns apart by tabs."""
    return "".join(f"{each.probe}\t{each.piece}\t{each.original}\t{each.naive}\n" for each in separations)


def read(text: str) -> list[Separation]:
    """What write() wrote."""
    return [Separation(*line.split("\t")) for line in text.splitlines()]


@click.command(help=__doc__)
@click.option("--write", "writes", is_flag=True, help="Keep what was measured, instead of comparing with what is kept.")
def main(writes: bool) -> None:
    began = time.monotonic()
    text = write(measure_all())
    if writes:
        MEASURED.write_text(text, encoding="utf-8")
    click.echo(f"measured in {time.monotonic() - began:.0f} s")
    if text != MEASURED.read_text(encoding="utf-8"):
        sys.exit(1)


if __name__ == "__main__":
    main()
