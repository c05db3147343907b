"""Who is compared: both apps, and the smallest app in each one's own framework, each on its own server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.parity.servers import Server
from contract_tests.resilience.operations import OPERATIONS, Operation, Visitor, settle_people, sign_in
from contract_tests.served import command_of, gunicorn, postgresql_database, serve, sqlite_database, uvicorn

SMALLEST = "contract_tests.specimens.smallest"
COMMANDS = {
    "original": command_of("original"),
    "port": command_of("port"),
    "smallest Flask": gunicorn(f"{SMALLEST}:make_flask()"),
    "smallest FastAPI": uvicorn(f"{SMALLEST}:make_fastapi"),
}
# What each app is held against.
SMALLEST_OF = {"original": "smallest Flask", "port": "smallest FastAPI"}

SHARED = ("GET /", "GET /user/{id}", "GET /users", "POST /user")
OWN = ("GET /whoami", "GET /session/data/{key}", "PUT /session/data/{key}", "POST /session")
ROUTES = {str(operation): operation for operation in OPERATIONS}


# The suite's worlds count every request and answer pages of another origin; a service does neither unless told to.
AS_DEPLOYED: dict[str, Any] = {"rate_limit": "", "cors_origins": "", "trusted_proxies": ""}


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under load, and someone who is signed in there."""

    name: str
    server: Server
    visitor: Visitor

    def has(self, route: str) -> bool:
        return route in SHARED or self.name in SMALLEST_OF

    def requests(self, operation: Operation, numbers: Iterator[int]) -> Callable[[], bytes]:
        """Makes the next request; the same bytes where no request differs from another."""
        if operation.body(0) == operation.body(1):
            same = operation.request(0, self.visitor)
            return lambda: same
        return lambda: operation.request(next(numbers), self.visitor)


@contextmanager
def contenders(database: str, folder: Path, commands: dict[str, str]) -> Iterator[list[Contender]]:
    """All of them, on servers over databases of their own of one kind, with the same people in each."""
    with ExitStack() as stack:
        started = []
        for name, command in commands.items():
            home = folder / database / name.replace(" ", "-")
            url = sqlite_database(home) if database == "SQLite" else stack.enter_context(postgresql_database())
            settle_people(url)
            server = stack.enter_context(serve(command, home, database_url=url, sign_in_attempts=1000, **AS_DEPLOYED))
            visitor = sign_in(server) if name in SMALLEST_OF else Visitor(1, "", "")
            started.append(Contender(name, server, visitor))
        yield started
