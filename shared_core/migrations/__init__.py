"""The one Alembic history of the schema, for SQLite and PostgreSQL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared_core import tables

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent


def alembic_config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file: the scripts beside this one, over the given connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


class MigrationError(RuntimeError):
    """The database cannot be migrated; the message is one line."""


def migrate(engine: sa.Engine) -> None:
    """Bring the database to the newest revision; does nothing, and imports no Alembic, where it is there already.

    Workers that start together on one SQLite file take turns by a lock file beside it. Raises MigrationError.
    """
    try:
        _migrate(engine)
    except (OSError, sa.exc.DBAPIError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise MigrationError(f"the database cannot be migrated: {str(reason).splitlines()[0]}") from error


def _migrate(engine: sa.Engine) -> None:
    if engine.url.get_backend_name() != "sqlite" or not engine.url.database:
        _upgrade(engine)
        return
    from filelock import FileLock

    Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{engine.url.database}.lock"):
        _upgrade(engine)


def current_revision(connection: sa.Connection) -> str | None:
    """The revision a database has; None where it has none."""
    if not sa.inspect(connection).has_table(tables.revisions.name):
        return None
    revision: str | None = connection.scalar(sa.select(tables.revisions.c.version_num))
    return revision


def _upgrade(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        if current_revision(connection) == tables.REVISION:
            return
        from alembic import command
        from alembic.util import CommandError

        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise MigrationError(f"the database is not of this version: {error}") from error


def main() -> None:
    """`make migrate`: migrate the configured database and say so in one line."""
    from shared_core.database import make_engine
    from shared_core.settings import SettingsError, load_settings

    try:
        engine = make_engine(load_settings())
        migrate(engine)
    except (SettingsError, MigrationError) as error:
        sys.exit(f"migrate: {error}")
    sys.stdout.write(f"The database is at revision {tables.REVISION}.\n")
    engine.dispose()
