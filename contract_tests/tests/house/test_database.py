"""The engine that both apps are deployed with; the suite's own worlds are made by another function"""

import pytest
import sqlalchemy as sa

from contract_tests.suite.world import settings
from shared_core.database import Database, make_engine
from shared_core.errors import NotMigrated, Unavailable
from shared_core.migrations import migrate
from shared_core.schemas import Shape


@pytest.fixture
def database(tmp_path):
    """The deployed kind of database: a file, migrated, two connections, and nobody waits long for one."""
    url = f"sqlite:///{tmp_path / 'service.sqlite3'}"
    database = Database(make_engine(settings(database_url=url, pool_size=2, pool_timeout=0.05)))
    migrate(database.engine)
    yield database
    database.close()


@pytest.mark.parametrize("kind", [sa.exc.InterfaceError, sa.exc.OperationalError])
def test_a_lost_connection_is_unavailable(database, kind):
    with pytest.raises(Unavailable), database.begin():
        raise kind("SELECT 1", None, OSError("gone"), connection_invalidated=True)


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53100", "53300", "57P01", "58030"])
def test_what_passes_on_postgresql_is_unavailable(database, sqlstate):
    error = OSError("told by the server")
    error.sqlstate = sqlstate
    with pytest.raises(Unavailable), database.begin():
        raise sa.exc.OperationalError("INSERT", None, error)


@pytest.mark.parametrize("sqlstate", ["42P01", "42703", "22001", None])
def test_what_does_not_pass_is_raised_as_it_is(database, sqlstate):
    error = OSError("told by the server")
    error.sqlstate = sqlstate
    with pytest.raises(sa.exc.OperationalError), database.begin():
        raise sa.exc.OperationalError("INSERT", None, error)


@pytest.mark.parametrize("kind", [sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.IntegrityError])
def test_a_statement_that_another_schema_fails_is_told_as_that(database, kind):
    with database.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(NotMigrated), database.begin():
        raise kind("INSERT", None, OSError("told by the server"))


def test_an_error_is_told_as_it_is_where_nobody_can_ask_for_the_schema(database, monkeypatch):
    def check():
        raise Unavailable("all connections are in use")

    monkeypatch.setattr(database, "check", check)
    with pytest.raises(sa.exc.OperationalError), database.begin():
        raise sa.exc.OperationalError("INSERT", None, OSError("told by the server"))


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 1), ("busy_timeout", 5000), ("foreign_keys", 1)]
)
def test_each_connection_has_its_pragmas(database, pragma, value):
    with database.begin() as first, database.begin() as second:
        assert [db.exec_driver_sql(f"PRAGMA {pragma}").scalar() for db in (first, second)] == [value, value]


def test_there_are_as_many_connections_as_the_setting_says(database):
    with database.begin(), database.begin(), pytest.raises(Unavailable), database.begin():
        pass


def test_nobody_waits_longer_for_a_connection_than_the_setting_says(database):
    assert database.engine.pool.timeout() == 0.05


def test_an_error_of_the_database_shows_no_values(database):
    with pytest.raises(sa.exc.DBAPIError) as refused, database.engine.begin() as db:
        db.execute(sa.text("SELECT :value FROM nowhere"), {"value": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_a_transaction_sees_one_state_from_its_first_read_on(database):
    with database.begin() as db:
        db.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    with database.begin() as reader:
        before = reader.exec_driver_sql("SELECT count(*) FROM t").scalar()
        with database.begin() as writer:
            writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == before == 0


def test_a_transaction_that_reads_before_it_writes_is_a_writer_at_once(database):
    with database.begin() as db:
        db.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    with database.begin_write() as writer:
        writer.exec_driver_sql("SELECT count(*) FROM t")
        with pytest.raises(Unavailable), database.begin() as other:  # noqa: PT012 - what waits is the second
            other.exec_driver_sql("PRAGMA busy_timeout = 0")
            other.exec_driver_sql("INSERT INTO t VALUES (1)")
        writer.exec_driver_sql("INSERT INTO t VALUES (2)")


def fail():
    raise ZeroDivisionError


def test_an_error_undoes_the_whole_transaction(database):
    with database.begin() as db:
        db.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    with pytest.raises(ZeroDivisionError), database.begin() as db:  # noqa: PT012 - the insert is to be undone
        db.exec_driver_sql("INSERT INTO t VALUES (1)")
        fail()
    with database.begin() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


def test_every_shape_is_strict_and_ignores_the_unknown():
    for shape in Shape.__subclasses__():
        assert (shape.model_config["strict"], shape.model_config["extra"]) == (True, "ignore"), shape
