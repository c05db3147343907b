"""Who is compared: both apps, the smallest in each framework, those with the usual packages, and both as they were."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.live.resilience.burst import send
from contract_tests.live.resilience.operations import OPERATIONS, Operation, Visitor, settle_people, sign_in
from contract_tests.live.resilience.wire import request
from contract_tests.live.servers import command_of, gunicorn, postgresql_database, serve, sqlite_database, uvicorn
from contract_tests.parity.servers import Server
from contract_tests.suite.world import FRIEND, NEVER_REACHED

SMALLEST = "contract_tests.live.bench.specimens.smallest"
USUAL = "contract_tests.live.bench.specimens.usual"
REDIS = "redis://127.0.0.1:6379/0"

# The suite's worlds count every request and answer pages of another origin; a service does neither unless told to.
AS_DEPLOYED: dict[str, Any] = {"rate_limit": "", "cors_origins": "", "trusted_proxies": ""}
# What the usual packages do is switched on in ours too, where the two are compared.
EVERYTHING_ON: dict[str, Any] = {"rate_limit": NEVER_REACHED, "cors_origins": FRIEND, "trusted_proxies": ""}


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender that is not started: its command, its settings, and where its code is if not here."""

    name: str
    command: str
    settings: dict[str, Any] = field(default_factory=lambda: AS_DEPLOYED)
    checkout: Path | None = None
    has_sessions: bool = True
    has_files: bool = True


OURS = ("original", "port")
BEFORE = {role: f"{role} before" for role in OURS}
FULL = {role: f"{role}, everything on" for role in OURS}
# What each app is held against.
SMALLEST_OF = {"original": "smallest Flask", "port": "smallest FastAPI"}
USUAL_OF = {FULL["original"]: "usual Flask", FULL["port"]: "usual FastAPI"}


def entries(sessions: str, before: Path | None) -> list[Entry]:
    """Who is compared where sessions are kept in "SQLite" or "Redis"; the usual packages keep none in SQLite."""
    found = [Entry(role, command_of(role)) for role in OURS]
    if sessions == "SQLite":
        found.append(Entry("smallest Flask", gunicorn(f"{SMALLEST}:make_flask()"), has_sessions=False))
        found.append(Entry("smallest FastAPI", uvicorn(f"{SMALLEST}:make_fastapi"), has_sessions=False))
        if before:
            found += [Entry(BEFORE[role], command_of(role), checkout=before) for role in OURS]
    else:
        found += [Entry(FULL[role], command_of(role), EVERYTHING_ON) for role in OURS]
        flask = gunicorn(f"{USUAL}:make_flask()") + " --access-logfile -"
        fastapi = f"uvicorn {USUAL}:make_fastapi --factory --host 127.0.0.1 --port {{port}}"
        found.append(Entry("usual Flask", flask, EVERYTHING_ON, has_files=False))
        found.append(Entry("usual FastAPI", fastapi, EVERYTHING_ON, has_files=False))
    return found


SHARED = ("GET /", "GET /user/{id}", "GET /users", "POST /user")
OWN = ("GET /whoami", "GET /session/data/{key}", "PUT /session/data/{key}", "POST /session")
ROUTES = {str(operation): operation for operation in OPERATIONS}


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under load, and someone who is signed in there."""

    name: str
    server: Server
    visitor: Visitor
    has_sessions: bool = True

    def has(self, route: str) -> bool:
        return route in SHARED or self.has_sessions

    def requests(self, operation: Operation, numbers: Iterator[int]) -> Callable[[], bytes]:
        """Makes the next request; the same bytes where no request differs from another."""
        if operation.body(0) == operation.body(1):
            same = operation.request(0, self.visitor)
            return lambda: same
        return lambda: operation.request(next(numbers), self.visitor)


@contextmanager
def contenders(database: str, sessions: str, folder: Path, listed: list[Entry]) -> Iterator[list[Contender]]:
    """All of them, on servers over databases of their own of one kind, with the same people in each."""
    with ExitStack() as stack:
        started = []
        for entry in listed:
            home = folder / database / sessions / entry.name.replace(" ", "-").replace(",", "")
            url = sqlite_database(home) if database == "SQLite" else stack.enter_context(postgresql_database())
            settle_people(url)
            stores = stack.enter_context(redis_stores()) if sessions == "Redis" else {}
            chosen = {"sign_in_attempts": 1000, **entry.settings, **stores}
            server = serve(entry.command, home, database_url=url, checkout=entry.checkout, **chosen)
            stack.enter_context(server)
            started.append(Contender(entry.name, server, _visitor(entry, server), entry.has_sessions))
        yield started


@contextmanager
def redis_stores() -> Iterator[dict[str, str]]:
    """Settings that keep sessions and counts in Redis, under names of their own, deleted at the end."""
    import redis

    name = f"bench-{secrets.token_hex(6)}:"
    try:
        yield {
            "session_store": REDIS,
            "session_key_prefix": name,
            "rate_limit_store": REDIS,
            "rate_limit_key_prefix": name,
        }
    finally:
        with contextlib.closing(redis.Redis.from_url(REDIS)) as client:
            for key in list(client.scan_iter(f"*{name}*", count=1000)):
                client.delete(key)


def has_redis() -> bool:
    """Whether a Redis answers."""
    import redis

    with contextlib.closing(redis.Redis.from_url(REDIS, socket_connect_timeout=2)) as client:
        try:
            client.ping()
        except redis.ConnectionError:
            return False
    return True


def _visitor(entry: Entry, server: Server) -> Visitor:
    if not entry.has_sessions:
        return Visitor(1, "", "")
    if entry.has_files:
        return sign_in(server)
    operation = ROUTES["POST /session"]
    cookie = send(server.port, operation.request(0, Visitor(1, "", ""))).cookie()
    kept = send(server.port, request("PUT", "/session/data/colour", body={"value": "red"}, cookie=cookie))
    assert kept.status == 200, kept.received
    return Visitor(1, cookie, "")
