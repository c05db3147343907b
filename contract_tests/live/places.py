"""Where a server of the live run works: a folder with a database, a session store and uploads of its own."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from contract_tests.live.servers import SERVERS, THREADS
from contract_tests.parity import Target, http
from contract_tests.parity.servers import Server
from contract_tests.suite.contract import Contract, open_ledger
from contract_tests.suite.world import empty, environment, provider, settings
from shared_core.database import make_engine
from shared_core.migrations import migrate
from shared_core.services import make_rate_store, make_session_store

# Takes a line for the person who waits.
Say = Callable[[str], object]
# Alembic has one context a process.
MIGRATING = threading.Lock()


@contextmanager
def own_servers(started: dict[str, Server], say: Say = click.echo) -> Iterator[Contract]:
    """Both apps of this project on servers of their own: apart, and again over one database and one session store.

    Raises ServerError.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-")))
        both = Place(folder / "shared")
        apart, shared = {}, {}
        for role in SERVERS:
            command, own = SERVERS[role], Place(folder / role)
            apart[role] = stack.enter_context(own.target(command, started, name=role, say=say))
            name = f"{role} that shares its database"
            shared[role] = stack.enter_context(both.target(command, started, name=name, say=say))
        yield Contract(
            apart["original"],
            apart["port"],
            ledger=open_ledger(),
            bound=True,
            rewinds=True,
            provider=provider(),
            shared=shared,
        )


class Place:
    """A folder with an embedded database and a session store, where a server runs with the cheapest hashes."""

    def __init__(self, home: Path) -> None:
        # No .env file is there: the suite's own settings are all that counts.
        home.mkdir()
        self.home = home
        self.settings = settings(
            database_url=f"sqlite:///{home / 'service.sqlite3'}",
            session_store=f"sqlite:///{home / 'sessions.sqlite3'}",
            upload_dir=str(home / "uploads"),
            rate_limit_store=f"sqlite:///{home / 'limits.sqlite3'}",
            threads=THREADS,
            pool_size=THREADS,
            **provider().settings(),
        )

    @contextmanager
    def target(
        self,
        command: str,
        started: dict[str, Server],
        *,
        name: str,
        env: Mapping[str, str] | None = None,
        say: Say = click.echo,
    ) -> Iterator[Target]:
        """A server by its command, which is noted by its name; `env` is added to the settings. Raises ServerError."""
        engine, sessions = make_engine(self.settings), make_session_store(self.settings)
        counts = make_rate_store(self.settings)
        with MIGRATING:
            migrate(engine)

        def reset() -> None:
            empty(engine)
            sessions.clear(self.settings.session_key_prefix)
            shutil.rmtree(self.settings.upload_dir, ignore_errors=True)
            counts.clear()

        environ = {**environment(self.settings), **(env or {})}
        with Server([sys.executable, "-m", *command.split()], env=environ, cwd=self.home, ready="/readyz") as server:
            started[name] = server
            say(f"started the {name} on {server.url}")
            with http(server.url, reset=reset) as target:
                yield target
        engine.dispose()
        sessions.close()
        counts.close()
