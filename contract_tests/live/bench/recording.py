"""What recording costs: each app with the recorder and without it, in interleaved rounds, as CPU an answer.

python -m contract_tests.live.bench.recording --rounds 7 --seconds 2
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from contract_tests.live.bench.contenders import AS_DEPLOYED
from contract_tests.live.bench.figures import Figure
from contract_tests.live.bench.load import load
from contract_tests.live.servers import command_of, gunicorn, serve, sqlite_database, uvicorn
from contract_tests.parity.servers import Server

HERE = "contract_tests.live.bench.specimens.recorded"
RECORDED = {"original": gunicorn(f"{HERE}:make_original()"), "port": uvicorn(f"{HERE}:make_port")}
ROUTE = "/healthz"
_numbers = itertools.count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--route", default=ROUTE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for role, plain, recorded, ratio in measure(Path(folder), asked.route, asked.rounds, asked.seconds):
            sys.stdout.write(
                f"{role} GET {asked.route}: {plain.told(0)} us CPU an answer, recorded {recorded.told(0)}, "
                f"ratio {ratio.told(3)}\n"
            )


def measure(folder: Path, route: str, rounds: int, seconds: float) -> Iterator[tuple[str, Figure, Figure, Figure]]:
    """For each app the CPU of an answer in microseconds, without and with the recorder, and their ratio by round."""
    for role in RECORDED:
        with ExitStack() as stack:
            servers = [stack.enter_context(each) for each in _servers(role, folder / role)]
            samples: list[tuple[float, float]] = []
            for number in range(rounds + 1):
                order = servers if number % 2 else servers[::-1]
                taken = {server.port: _cpu(server, route, seconds) for server in order}
                if number:  # the first one warms up
                    samples.append((taken[servers[0].port], taken[servers[1].port]))
        plain, recorded = zip(*samples, strict=True)
        yield role, Figure.of(plain), Figure.of(recorded), Figure.of(b / a for a, b in samples)


def _servers(role: str, folder: Path) -> Iterator[Server]:
    for name, command in (("plain", command_of(role)), ("recorded", RECORDED[role])):
        yield serve(command, folder / name, database_url=sqlite_database(folder / name), **AS_DEPLOYED)


def _cpu(server: Server, route: str, seconds: float) -> float:
    return load(server.port, lambda: _request(route), pid=server.pid, connections=10, seconds=seconds).server_cpu


def _request(route: str) -> bytes:
    """A request as it comes from a proxy: with an id of its own."""
    return (
        f"GET {route} HTTP/1.1\r\nHost: testserver\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"X-Request-ID: bench-{next(_numbers)}\r\n\r\n"
    ).encode()


if __name__ == "__main__":
    main()
