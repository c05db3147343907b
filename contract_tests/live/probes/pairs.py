"""The pairs of apps that are probed, each app on the server that it is deployed on."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_tests.live.places import Place
from contract_tests.live.probes.prober import Prober, Side
from contract_tests.live.probes.specimens.quirks.folder import fill
from contract_tests.live.probes.worlds import Made, make_world
from contract_tests.live.servers import SERVERS, gunicorn, uvicorn
from contract_tests.parity import Ledger, Target, http
from contract_tests.parity.probes import Probe, load_probes
from contract_tests.parity.servers import Server

HERE = Path(__file__).parent
ROLES = ("original", "port")
# The specimen's apps: everything that Flask may do on the wire and our own service does not.
QUIRKS = {
    "original": gunicorn("contract_tests.live.probes.specimens.quirks.served:original()"),
    "port": uvicorn("contract_tests.live.probes.specimens.quirks.served:ported"),
}


@dataclass(frozen=True, slots=True)
class ProbedPair:
    """Two running apps, and the probes that are theirs."""

    name: str
    probes: tuple[Probe, ...]
    prober: Prober
    servers: Mapping[str, Server]


def service_probes() -> tuple[Probe, ...]:
    """The probes of this project's own service. Raises ProbeError."""
    return load_probes(HERE / "service")


def quirks_probes() -> tuple[Probe, ...]:
    """The probes of the specimen. Raises ProbeError."""
    return load_probes(HERE / "quirks")


@contextmanager
def service_pair(ledger: Ledger) -> Iterator[ProbedPair]:
    """The pair of our own apps, on servers of their own. Raises ProbeError and ServerError."""
    probes = service_probes()
    servers: dict[str, Server] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="probes-")))
        targets = [
            stack.enter_context(Place(folder / role).target(SERVERS[role], servers, name=role, say=lambda _: None))
            for role in ROLES
        ]
        original, port = (Side(servers[role].port, target) for role, target in zip(ROLES, targets, strict=True))
        yield ProbedPair("service", probes, Prober(original, port, ledger, make_world), servers)


@contextmanager
def quirks_pair(ledger: Ledger) -> Iterator[ProbedPair]:
    """The specimen's pair, on servers of its own. Raises ProbeError and ServerError."""
    probes = quirks_probes()
    servers: dict[str, Server] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(quirks_folder())
        original, port = (stack.enter_context(specimen(QUIRKS[role], folder, servers, name=role)) for role in ROLES)
        yield ProbedPair("quirks", probes, Prober(original, port, ledger, nothing), servers)


@contextmanager
def quirks_folder() -> Iterator[Path]:
    """The specimen's files: one folder for all its apps, since an entity tag of Flask's tells the path."""
    with tempfile.TemporaryDirectory(prefix="quirks-") as folder:
        yield fill(Path(folder))


@contextmanager
def specimen(command: str, folder: Path, started: dict[str, Server], *, name: str) -> Iterator[Side]:
    """One of the specimen's apps by its command, which is noted by its name. Raises ServerError."""
    with (
        Server([sys.executable, "-m", *command.split()], cwd=folder, env={"QUIRKS_FOLDER": str(folder)}) as server,
        http(server.url) as target,
    ):
        started[name] = server
        yield Side(server.port, target)


def nothing(name: str, _: Target) -> Made:
    """The specimen keeps nothing: each of its worlds is empty."""
    if name != "-":
        raise ValueError(f"the specimen has no world {name!r}")
    return Made({}, ())
