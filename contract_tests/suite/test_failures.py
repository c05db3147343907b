"""What a part that fails leads to: each mechanism proved once on each app, in process, by Services whose part fails"""

import logging
from dataclasses import replace

import pytest
import sqlalchemy as sa

from contract_tests.world import NOW
from shared_core.database import Database

pytestmark = pytest.mark.in_process

SECRET = "hunter2-in-an-error"


class Failing:
    """A part that raises whatever is asked of it, with a secret in its message."""

    def __init__(self, error):
        self.error = error

    def begin(self):
        raise self.error

    check = begin

    def hash(self, _):
        raise self.error

    async def hash_async(self, _):
        raise self.error

    def close(self):
        pass


@pytest.fixture
def unreachable(services):
    """Services whose database refuses every connection."""
    return replace(services, database=Database(sa.create_engine("postgresql+psycopg://127.0.0.1:1/nowhere")))


def failing(services, error=None):
    """Services whose database fails as no one foresaw."""
    return replace(services, database=Failing(error or RuntimeError(SECRET)))


INTERNAL = {
    "type": "about:blank",
    "title": "Internal Server Error",
    "status": 500,
    "detail": "The server failed to answer this request.",
}
UNAVAILABLE = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The database cannot answer just now; try again soon.",
}


def test_an_unforeseen_error_is_a_problem_without_its_message(start, services):
    api = start(failing(services))
    answer = api.get("/user/1")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == INTERNAL
    assert isinstance(answer.extensions["exception"], RuntimeError)


def test_an_unforeseen_error_is_logged_by_type_and_place_alone(start, services, caplog):
    start(failing(services)).get("/user/1")
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "RuntimeError" in record.getMessage()
    assert "users.py" in record.getMessage()
    assert record.exc_info is None
    assert SECRET not in caplog.text


def test_an_unforeseen_error_leaves_the_service_answering(start, services):
    api = start(failing(services))
    assert [api.get(path).status_code for path in ("/user/1", "/healthz", "/user/1")] == [500, 200, 500]


def test_a_hasher_that_fails_is_an_internal_error(start, services, ada):
    api = start(replace(services, passwords=Failing(ValueError(SECRET))))
    answer = api.post("/user", json=ada)
    assert answer.status_code == 500
    assert answer.json() == INTERNAL


def test_an_internal_error_of_head_has_no_body(start, services):
    answer = start(failing(services)).head("/user/1")
    assert answer.status_code == 500
    assert answer.content == b""


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/user/1", None),
        ("GET", "/users", None),
        ("GET", "/readyz", None),
        ("POST", "/user", {"name": "Ada", "email": "ada@example.com", "password": "test"}),
    ],
)
def test_a_database_that_cannot_be_reached_is_unavailable(start, unreachable, method, path, body):
    answer = start(unreachable).request(method, path, json=body)
    assert answer.status_code == 503
    assert answer.json() == UNAVAILABLE


def test_the_process_is_up_without_its_database(start, unreachable):
    assert start(unreachable).get("/healthz").status_code == 200


def test_a_connection_that_does_not_come_free_in_time_is_unavailable(start, services, ada):
    api = start(services)
    with services.database.begin():
        for answer in (api.get("/user/1"), api.get("/users"), api.get("/readyz"), api.post("/user", json=ada)):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "1"
            assert answer.json() == UNAVAILABLE
        assert api.get("/healthz").status_code == 200
    assert api.post("/user", json=ada).status_code == 201


def test_a_database_that_is_not_migrated_is_not_ready(start, services):
    api = start(services)
    with services.database.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    answer = api.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The database is not migrated to what this version needs."
    assert api.get("/healthz").status_code == 200


def test_a_database_without_tables_is_not_ready(start, services):
    api = start(services)
    with services.database.begin() as db:
        db.exec_driver_sql("DROP TABLE alembic_version")
    assert api.get("/readyz").status_code == 503


def test_the_password_is_stored_as_an_argon2id_hash(start, services, ada):
    api = start(services)
    api.post("/user", json=ada)
    with services.database.begin() as db:
        row = db.exec_driver_sql("SELECT password_hash, created_at FROM users").one()
    assert row.password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert str(row.created_at).startswith(NOW.strftime("%Y-%m-%d %H:%M:%S"))
