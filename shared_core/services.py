"""The only wiring: settings in, everything a handler needs out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared_core import logs
from shared_core.database import Database, make_engine
from shared_core.migrations import MigrationError, migrate
from shared_core.passwords import Passwords
from shared_core.settings import Settings, SettingsError, load_settings

# Both servers take 3 for "do not start me again": gunicorn's WORKER_BOOT_ERROR, uvicorn's STARTUP_FAILURE.
START_REFUSED = 3


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers of both apps work with. Making one opens no connection and starts no thread."""

    settings: Settings
    database: Database
    passwords: Passwords
    clock: Callable[[], datetime]

    def close(self) -> None:
        """Give back the connections and threads; whoever built the Services calls it."""
        self.database.close()
        self.passwords.close()


def utc_now() -> datetime:
    return datetime.now(UTC)


def build_services(settings: Settings) -> Services:
    """Services over the configured database, and the system's clock."""
    return Services(
        settings=settings,
        database=Database(make_engine(settings)),
        passwords=Passwords(time_cost=settings.password_time_cost, memory_kib=settings.password_memory_kib),
        clock=utc_now,
    )


def services_from_environment() -> Services:
    """Services as the environment says; the embedded database is migrated on the way.

    A wrong setting ends the process with one line on stderr: it is an operator's mistake and no error of the code.
    """
    try:
        settings = load_settings()
        services = build_services(settings)
        if settings.embedded:
            migrate(services.database.engine)
            # A worker may fork after this: no connection is taken along.
            services.database.engine.dispose()
    except (SettingsError, MigrationError) as error:
        sys.stderr.write(f"The service cannot start: {error}\n")
        raise SystemExit(START_REFUSED) from None
    logs.configure(settings.log_level)
    return services
