"""The same contract on PostgreSQL: one schema, one history, the same answers"""

import os

import psycopg
import pytest

from contract_tests.house.conftest import suite_passes

URL = "postgresql://postgres@127.0.0.1:5432/test"
START = (
    "no PostgreSQL with a user postgres and no password on 127.0.0.1:5432; to start one:"
    " docker run --rm -p 127.0.0.1:5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust -e POSTGRES_DB=test postgres"
)


@pytest.fixture(scope="module", autouse=True)
def _server():
    """Required in CI, skipped elsewhere where no server answers."""
    try:
        psycopg.connect(URL, connect_timeout=2).close()
    except psycopg.OperationalError:
        if os.environ.get("CI") != "true":
            pytest.skip(START)
        pytest.fail(START)


NAMES = ("register", "show", "list", "health", "session", "account", "shared")


def test_the_suite_holds_on_postgresql():
    # The [both] variants ask both apps and compare; races have none.
    options = ["--database-url", URL, "-k", "both or race or test_shared"]
    assert suite_passes(NAMES, *options) > 300


def test_the_migrations_build_what_the_tables_say_there_too():
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from contract_tests.world import on_postgresql
    from shared_core import tables

    with on_postgresql(URL) as world, world.services.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
