"""What separates a naive port from the original, and which piece closes what: measured over servers, and kept.

The specimen `naive` is probed as it is, and again with more and more pieces in it. What was measured stands in
measured.tsv, of which docs/wire.md is made: `make wire` measures all and writes, and `make check` measures some probes
of each piece again and compares.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from contract_tests.live.places import Place
from contract_tests.live.probes.pairs import QUIRKS, nothing, quirks_folder, quirks_probes, service_probes, specimen
from contract_tests.live.probes.prober import Prober, Result, Side
from contract_tests.live.probes.specimens import naive
from contract_tests.live.probes.worlds import make_world
from contract_tests.live.servers import SERVERS, uvicorn
from contract_tests.parity import Ledger
from contract_tests.parity.drivers.raw import Conversation
from contract_tests.parity.probes import Probe
from contract_tests.parity.servers import Server
from contract_tests.suite.contract import open_ledger

MEASURED = Path(__file__).parent / "measured.tsv"
# Two cores, and a server waits for much of a probe's time.
LANES = 2
NAIVE = "contract_tests.live.probes.specimens.naive.served:create_app"
NAIVE_QUIRKS = "contract_tests.live.probes.specimens.quirks.served:naive"
# No piece closed it: the real port has another page of its server's, or more than the specimen has.
NOT_CLOSED = "-"
CONTROL = "control"
PATIENT = 2.0
SAMPLED = 6


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
    """Probe the naive port, and find for each probe that separates the first step from which on it is alike.

    `steps` are names, from the naive port to the whole one, and what the port is told for each. What a step closes
    stays closed, so that a few of the steps are enough for each probe.
    """
    names = list(steps)
    first = {result.probe.id: result for result in in_lanes(lanes, probes, steps[names[0]]) if result.differences}

    def alike(some: Sequence[Probe], step: int) -> tuple[list[Probe], list[Probe]]:
        results = in_lanes(lanes, some, steps[names[step]])
        differing = {result.probe.id for result in results if result.differences}
        return [each for each in some if each.id not in differing], [each for each in some if each.id in differing]

    def closed(some: Sequence[Probe], after: int, by: int) -> Iterator[Separation]:
        if not some:
            return
        if by - after == 1:
            yield from (separation(first[probe.id], names[by]) for probe in some)
            return
        middle = (after + by) // 2
        early, late = alike(some, middle)
        yield from closed(early, after, middle)
        yield from closed(late, middle, by)

    done, left = alike([probe for probe in probes if probe.id in first], len(names) - 1)
    yield from closed(done, 0, len(names) - 1)
    yield from (separation(first[probe.id], NOT_CLOSED) for probe in left)


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


def service_lane(stack: ExitStack, ledger: Ledger, patience: float) -> Lane:
    """The original of our own service, and naive ports with the pieces that they are told. Raises ServerError."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="naive-")))
    servers: dict[str, Server] = {}
    target = stack.enter_context(Place(folder / "original").target(SERVERS["original"], servers, name="original"))
    original = Side(servers["original"].port, target)

    def run(probes: Sequence[Probe], pieces: str) -> list[Result]:
        name = f"naive port {len(servers)}"
        command = uvicorn(NAIVE) if PROTOCOL.name in pieces else uvicorn(NAIVE, protocol="httptools")
        in_app = ",".join(name for name in pieces.split(",") if name != PROTOCOL.name)
        place = Place(folder / name.replace(" ", "-"))
        with place.target(command, servers, name=name, env={"NAIVE_PIECES": in_app}) as target:
            port = Side(servers[name].port, target)
            return list(Prober(original, port, ledger, make_world, patience=patience).run(probes))

    return run


def quirks_lane(stack: ExitStack, ledger: Ledger, patience: float) -> Lane:
    """The specimen's original, and its ports by their commands. Raises ServerError."""
    folder = stack.enter_context(quirks_folder())
    original = stack.enter_context(specimen(QUIRKS["original"], folder, {}, name="original"))

    def run(probes: Sequence[Probe], command: str) -> list[Result]:
        with specimen(command, folder, {}, name="port") as port:
            return list(Prober(original, port, ledger, nothing, patience=patience).run(probes))

    return run


def outcome(conversation: Conversation) -> str:
    """A conversation in a few words."""
    answers = [str(each.response.status or each.response.failure or "100") for each in conversation.answers]
    return f"{', '.join(answers) or 'no answer'}; {conversation.ending}"


def measure_all(only: Collection[str] | None = None, *, patience: float = 0.0) -> list[Separation]:
    """Both pairs, or only these probes of them. Raises ServerError, ProbeError."""
    ledger = open_ledger()
    found: list[Separation] = []
    for probes, lane, steps in (
        (service_probes(), service_lane, SERVICE_STEPS),
        (quirks_probes(), quirks_lane, QUIRKS_STEPS),
    ):
        wanted = [probe for probe in probes if only is None or probe.id in only]
        if wanted:
            with ExitStack() as stack:
                lanes = [lane(stack, ledger, patience) for _ in range(LANES)]
                found += measure(wanted, lanes, steps)
    return sorted(found, key=lambda each: each.probe)


# The last piece is below the app: the server is told of it.
PROTOCOL = naive.Step(
    "GunicornHttp",
    "Trailers become fields, an upgrade loses its body, a half-close its answer, HTTP/1.0 gets chunks.",
    ("fastapi_app/wire/protocol.py",),
)
STEPS = (*naive.STEPS, PROTOCOL)
SERVICE_STEPS = {
    "nothing": "",
    **{each.name: ",".join(s.name for s in STEPS[: at + 1]) for at, each in enumerate(STEPS)},
}
QUIRKS_STEPS = {"nothing": uvicorn(NAIVE_QUIRKS, protocol="httptools"), "the kit": QUIRKS["port"]}


def write(separations: Sequence[Separation]) -> str:
    """What is kept: a line a probe that separates, its columns apart by tabs."""
    return "".join(f"{each.probe}\t{each.piece}\t{each.original}\t{each.naive}\n" for each in separations)


def read(text: str) -> list[Separation]:
    """What write() wrote."""
    return [Separation(*line.split("\t")) for line in text.splitlines()]


def changed(kept: Sequence[Separation], measured: Sequence[Separation]) -> dict[str, tuple[str, str]]:
    """The probes that another piece closes than is kept, with both; `control` where it is alike from the beginning."""
    before, after = ({each.probe: each.piece for each in found} for found in (kept, measured))
    both = {id: (before.get(id, CONTROL), after.get(id, CONTROL)) for id in sorted(before.keys() | after.keys())}
    return {id: pair for id, pair in both.items() if pair[0] != pair[1]}


def sample(kept: Sequence[Separation]) -> frozenset[str]:
    """Some probes of each piece, and some controls: enough to see that the figures are still true."""
    by_piece: dict[str, list[str]] = {}
    for each in kept:
        if is_steady(each):
            by_piece.setdefault(each.piece, []).append(each.probe)
    separating = {each.probe for each in kept}
    by_piece[CONTROL] = [each.id for each in (*service_probes(), *quirks_probes()) if each.id not in separating]
    # Spread over a piece's areas, since ids come in their order.
    return frozenset(id for ids in by_piece.values() for id in ids[:: max(1, len(ids) // SAMPLED)])


def is_steady(separation: Separation) -> bool:
    """Whether a naive port answers a probe alike each time: what a server makes of half a request is chance."""
    (ours, end), (theirs, other_end) = (each.split("; ") for each in (separation.original, separation.naive))
    return ours.count(",") == theirs.count(",") and {end, other_end} <= {"kept", "closed"}


@click.command(help=__doc__)
@click.option(
    "--write", "writes", is_flag=True, help="Measure all probes, and keep it; otherwise a sample is compared."
)
def main(writes: bool) -> None:
    began = time.monotonic()
    kept = read(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else []
    only = None if writes else sample(kept)
    compared = [each for each in kept if only is None or each.probe in only]
    measured = measure_all(only)
    differing = changed(compared, measured)
    # A silent server may only have been slow: it is asked again, with patience.
    if differing and kept:
        again = measure_all(differing.keys(), patience=PATIENT)
        measured = [each for each in measured if each.probe not in differing] + again
        differing = changed(compared, measured)
    if writes:
        MEASURED.write_text(write(sorted(measured, key=lambda each: each.probe)), encoding="utf-8")
    for id, (was, now) in differing.items():
        click.echo(f"{id}: closed by {was} as kept, by {now} as measured")
    click.echo(f"{len(measured)} probes separate, measured in {time.monotonic() - began:.0f} s")
    if differing and not writes:
        click.echo("Something changed: make wire measures all again, and writes docs/wire.md.")
        sys.exit(1)


if __name__ == "__main__":
    main()
