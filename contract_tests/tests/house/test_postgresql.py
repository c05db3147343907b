"""The same contract on PostgreSQL: one schema, one history, the same answers"""

import os

import httpx
import psycopg
import pytest

from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.targets import open_target
from contract_tests.suite.world import BASE_URL, on_postgresql
from contract_tests.tests.house.conftest import suite_passes
from shared_core import tables
from shared_core.migrations import migrate

URL = "postgresql://postgres@127.0.0.1:5432/test"
START = (
    "no PostgreSQL with a user postgres and no password on 127.0.0.1:5432; to start one:"
    " docker run --rm -p 127.0.0.1:5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust -e POSTGRES_DB=test postgres"
)

pytestmark = pytest.mark.services


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

    with on_postgresql(URL) as world, world.services.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


@pytest.mark.parametrize("role", ["original", "port"])
def test_a_database_that_is_not_migrated_is_told_until_it_is(role):
    with on_postgresql(URL) as world, open_target(role, world) as target:
        engine = world.services.database.engine
        with engine.begin() as db:
            db.exec_driver_sql("DROP TABLE alembic_version")
            tables.metadata.drop_all(db)
        with httpx.Client(transport=TargetTransport(target), base_url=BASE_URL) as api:
            refused = [api.get(path) for path in ("/users", "/readyz", "/")]
            migrate(engine)
            answered = [api.get(path) for path in ("/users", "/readyz", "/")]
    told = "The database is not migrated to what this version needs."
    assert [answer.status_code for answer in refused] == [503, 503, 200]
    assert [answer.json()["detail"] for answer in refused[:2]] == [told, told]
    assert [answer.status_code for answer in answered] == [200, 200, 200]
