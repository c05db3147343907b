"""The pairs of apps that are probed, each app on the server that it is deployed on."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_tests.parity import Ledger, Target, http
from contract_tests.parity.probes import Probe, load_probes
from contract_tests.parity.servers import Server
from contract_tests.probes.prober import Prober, Side
from contract_tests.probes.worlds import Made, make_world
from contract_tests.served import gunicorn, uvicorn
from contract_tests.specimens.quirks.folder import fill

HERE = Path(__file__).parent
ROLES = ("original", "port")
# The specimen's apps: everything that Flask may do on the wire and our own service does not.
QUIRKS = {
    "original": gunicorn("contract_tests.specimens.quirks.served:original()"),
    "port": uvicorn("contract_tests.specimens.quirks.served:ported"),
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


def service_pair(targets: Mapping[str, Target], servers: Mapping[str, Server], ledger: Ledger) -> ProbedPair:
    """The pair of our own apps, on servers that run already. Raises ProbeError."""
    original, port = (Side(servers[role].port, targets[role]) for role in ROLES)
    running = {role: servers[role] for role in ROLES}
    return ProbedPair("service", service_probes(), Prober(original, port, ledger, make_world), running)


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
