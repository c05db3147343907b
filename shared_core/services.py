"""The only wiring: settings in, everything a handler needs out."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from shared_core import logs
from shared_core.database import Database, make_engine
from shared_core.errors import NotMigrated, Unavailable
from shared_core.metrics import Folder, Metrics
from shared_core.migrations import MigrationError, migrate
from shared_core.passwords import Passwords
from shared_core.rates import RateLimits, RateStore, SqliteRateStore
from shared_core.sessions import SessionPolicy, Store
from shared_core.sessions.stores import SqliteStore
from shared_core.settings import Settings, SettingsError, load_settings
from shared_core.signin import NoSignIn, Renewals, SignIn
from shared_core.uploads import Uploads

if TYPE_CHECKING:
    from shared_core.sessions.redis_stores import RedisStore

# Both servers take 3 for "do not start me again": gunicorn's WORKER_BOOT_ERROR, uvicorn's STARTUP_FAILURE.
START_REFUSED = 3
# What an operator runs where DATABASE_URL names a database that is not migrated.
MIGRATE = "python -m shared_core.migrations"
# Enough that no two requests share one; nobody has to be unable to guess it.
REQUEST_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers of both apps work with. Making one opens no connection and starts no thread."""

    settings: Settings
    database: Database
    passwords: Passwords
    session_policy: SessionPolicy
    session_store: SqliteStore | RedisStore
    signin: SignIn | NoSignIn
    uploads: Uploads
    rate_limits: RateLimits
    clock: Callable[[], datetime]
    new_token: Callable[[], str]
    new_request_id: Callable[[], str]
    metrics: Metrics

    def close(self) -> None:
        """Give back the connections and threads; whoever built the Services calls it."""
        self.database.close()
        self.passwords.close()
        self.session_store.close()
        self.rate_limits.store.close()
        self.signin.close()


def utc_now() -> datetime:
    return datetime.now(UTC)


def build_services(settings: Settings) -> Services:
    """Services over the configured database, and the system's clock."""
    session_store = make_session_store(settings)
    return Services(
        settings=settings,
        database=Database(make_engine(settings)),
        passwords=Passwords(time_cost=settings.password_time_cost, memory_kib=settings.password_memory_kib),
        session_policy=session_policy(settings),
        session_store=session_store,
        signin=make_signin(settings, session_store),
        uploads=Uploads(Path(settings.upload_dir), settings.max_upload_bytes, new_key=secrets.token_urlsafe),
        rate_limits=RateLimits(settings.rate_limit, make_rate_store(settings)),
        clock=utc_now,
        new_token=secrets.token_urlsafe,
        new_request_id=partial(secrets.token_urlsafe, REQUEST_ID_BYTES),
        metrics=make_metrics(settings),
    )


def session_policy(settings: Settings) -> SessionPolicy:
    """Over https the cookie is one that no other host and no plain http can set (`__Host-`, RFC 6265bis)."""
    return SessionPolicy(
        cookie_name="__Host-session" if settings.https else "session",
        lifetime=timedelta(seconds=settings.session_seconds),
        # Written when changed, and by Visit every few minutes: a request that only reads can then undo nothing.
        refresh_each_request=False,
        secure=settings.https,
        # Lax and not Strict: the way back from a sign-in provider begins at another site.
        same_site="Lax",
        hardened_deletion=True,
        key_prefix=settings.session_key_prefix,
    )


def make_session_store(settings: Settings) -> SqliteStore | RedisStore:
    """The store that SESSION_STORE names; it opens no connection yet. Raises SettingsError without a driver."""
    url = settings.session_store.get_secret_value()
    if url.startswith("sqlite"):
        return SqliteStore(url.removeprefix("sqlite:///"), clock=time.time)
    if find_spec("redis") is None:
        raise SettingsError("SESSION_STORE: Redis needs a driver: pip install redis")
    from shared_core.sessions.redis_stores import RedisStore

    return RedisStore(url)


def make_rate_store(settings: Settings) -> RateStore:
    """The store that RATE_LIMIT_STORE names; it opens no connection yet. Raises SettingsError without a driver."""
    url = settings.rate_limit_store.get_secret_value()
    if url.startswith("sqlite"):
        return SqliteRateStore(url.removeprefix("sqlite:///"), clock=time.time)
    if find_spec("redis") is None:
        raise SettingsError("RATE_LIMIT_STORE: Redis needs a driver: pip install redis")
    from shared_core.rates.redis_store import RedisRateStore

    return RedisRateStore(url, prefix=settings.rate_limit_key_prefix)


def make_metrics(settings: Settings) -> Metrics:
    """Counts in memory, or in the folder that METRICS_DIR names, together with other workers. Raises SettingsError."""
    if not settings.metrics_dir:
        return Metrics()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.metrics_dir  # what prometheus_client names its files by
    try:
        return Metrics(Folder(Path(settings.metrics_dir)))
    except OSError as error:
        raise SettingsError(f"METRICS_DIR: the folder cannot be written: {type(error).__qualname__}") from None


def make_signin(settings: Settings, store: Store) -> SignIn | NoSignIn:
    """Sign-in at the provider that MSAL_AUTHORITY names; it asks nothing of it yet. Raises SettingsError.

    `store` is where the sessions are.
    """
    if not settings.msal_authority:
        return NoSignIn()
    if find_spec("msal") is None or find_spec("jwt") is None:
        raise SettingsError('MSAL_AUTHORITY: sign-in needs two packages: pip install msal "pyjwt[crypto]"')
    try:
        return SignIn(
            client_id=settings.msal_client_id,
            client_secret=settings.msal_client_secret.get_secret_value(),
            authority=settings.msal_authority,
            redirect_uri=f"{settings.public_base_url}/signin/callback",
            signed_out_uri=f"{settings.public_base_url}/",
            ca_file=settings.msal_ca_file or None,
            clock=utc_now,
            renewals=Renewals(store, prefix=settings.session_key_prefix),
        )
    except ValueError as error:
        raise SettingsError(f"MSAL_AUTHORITY: {error}") from None


def services_from_environment() -> Services:
    """Services as the environment says; the embedded database is migrated on the way.

    Another database is an operator's to migrate: one line says so where it is not, and the service starts all the same.
    A wrong setting ends the process with one line on stderr: it is an operator's mistake and no error of the code.
    """
    try:
        settings = load_settings()
        services = build_services(settings)
        if settings.embedded:
            migrate(services.database.engine)
    except (SettingsError, MigrationError) as error:
        sys.stderr.write(f"The service cannot start: {error}\n")
        raise SystemExit(START_REFUSED) from None
    logs.configure(settings.log_level, access=settings.access_log)
    note_schema(services.database)
    # A worker may fork after this: no connection is taken along.
    services.database.engine.dispose()
    return services


def note_schema(database: Database) -> None:
    """Log one line where the database is not migrated, with the command that migrates it.

    One that does not answer yet is no reason not to start, nor is anything else that it says: each request tells it.
    """
    try:
        database.check()
    except NotMigrated:
        logs.logger.error(
            "the database is not migrated; requests that need it are answered 503 until you run: %s", MIGRATE
        )
    except (Unavailable, SQLAlchemyError):
        return
