"""What a part that fails leads to: each mechanism proved once on each app, in process, by Services whose part fails"""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import argon2
import pytest
import sqlalchemy as sa
from alembic import command

from contract_tests.suite.world import NOW, own_world
from shared_core import tables
from shared_core.database import Database
from shared_core.migrations import alembic_config, migrate

pytestmark = pytest.mark.in_process

SECRET = "hunter2-in-an-error"


class Failing:
    """A part that raises whatever is asked of it, with a secret in its message."""

    def __init__(self, error):
        self.error = error

    def begin(self):
        raise self.error

    check = begin_write = begin

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
NOT_MIGRATED = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The database is not migrated to what this version needs.",
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


def test_a_statement_that_fails_for_good_is_an_internal_error(start, services):
    """Not 503: the same request will not succeed later."""
    with services.database.begin() as db:
        db.exec_driver_sql("ALTER TABLE users RENAME TO people")
    answer = start(services).get("/users")
    assert answer.status_code == 500
    assert isinstance(answer.extensions["exception"], sa.exc.OperationalError)


def test_a_full_disk_is_unavailable_and_then_not(start, services, ada):
    api = start(services)
    with services.database.begin() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    long = [
        api.post("/user", json=ada | {"email": f"{n}@example.com", "name": "n" * 200}).status_code for n in range(40)
    ]
    assert set(long) == {201, 503}
    with services.database.begin() as db:
        db.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert api.post("/user", json=ada).status_code == 201


def test_an_outage_of_the_database_is_logged_in_one_line(start, unreachable, caplog):
    start(unreachable).get("/users")
    (record,) = [record for record in caplog.records if record.name == "service"]
    assert record.getMessage() == "the database cannot answer: OperationalError"


def unmigrate(services, revision=None):
    """Leave the database as it was at an older revision; without one, as it was before it had any."""
    with services.database.begin() as db:
        db.exec_driver_sql("DROP TABLE alembic_version")
        tables.metadata.drop_all(db)
        if revision:
            command.upgrade(alembic_config(db), revision)


NEEDS_DATABASE = [
    ("GET", "/user/1", None),
    ("GET", "/users", None),
    ("GET", "/readyz", None),
    ("POST", "/user", {"name": "Ada", "email": "ada@example.com", "password": "test"}),
    ("POST", "/session", {"email": "ada@example.com", "password": "test"}),
]


@pytest.mark.parametrize(("method", "path", "body"), NEEDS_DATABASE)
def test_a_database_that_is_not_migrated_is_a_problem_that_says_so(start, services, method, path, body):
    unmigrate(services)
    answer = start(services).request(method, path, json=body)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == NOT_MIGRATED


@pytest.mark.parametrize("path", ["/", "/healthz", "/docs", "/openapi.json", "/session/data/color"])
def test_what_needs_no_database_is_answered_without_a_migration(start, services, path):
    before = start(services).get(path)
    unmigrate(services)
    after = start(services).get(path)
    assert (after.status_code, after.content) == (before.status_code, before.content)


def test_a_database_that_is_migrated_later_is_used_without_a_restart(start, services, ada):
    unmigrate(services)
    api = start(services)
    assert api.post("/user", json=ada).status_code == 503
    migrate(services.database.engine)
    assert api.get("/readyz").status_code == 200
    assert api.post("/user", json=ada).status_code == 201


def test_an_older_schema_is_told_where_it_is_too_old(start, services, ada, sign_up):
    unmigrate(services, "0002")
    api = start(services)
    sign_up(api, ada)  # what it has, works
    answers = [api.get("/readyz"), api.get("/files/1")]
    assert [answer.json() for answer in answers] == [NOT_MIGRATED, NOT_MIGRATED]


def test_a_newer_schema_is_told_where_it_no_longer_fits(start, services, ada, sign_up):
    api = start(services)
    with services.database.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        db.exec_driver_sql("ALTER TABLE files RENAME COLUMN sha256 TO digest")
    sign_up(api, ada)
    answers = [api.get("/readyz"), api.get("/files/1")]
    assert [answer.json() for answer in answers] == [NOT_MIGRATED, NOT_MIGRATED]


def test_a_database_that_is_not_migrated_is_logged_without_its_statement(start, services, caplog):
    unmigrate(services)
    start(services).get("/users")
    (record,) = [record for record in caplog.records if record.name == "service"]
    assert record.getMessage() == "the database is not migrated: OperationalError"


@pytest.mark.parametrize("password", ["test", " test ", "Test", "t\u00e9st", "te\u0301st", "t\x00t", "0" * 1024, "🦊"])
def test_the_stored_hash_is_that_of_the_very_password(start, services, ada, password):
    start(services).post("/user", json=ada | {"password": password})
    with services.database.begin() as db:
        stored = db.exec_driver_sql("SELECT password_hash FROM users").scalar_one()
    assert argon2.PasswordHasher().verify(stored, password)


class Waiting:
    """Passwords whose few hashers are all at work until someone lets them go on."""

    def __init__(self, passwords):
        self.passwords = passwords
        self.released = threading.Event()
        self.asked = threading.Semaphore(0)
        self.executor = ThreadPoolExecutor(2)

    def _later(self, method, *arguments):
        assert self.released.wait(timeout=30)
        return method(*arguments)

    def _asked(self, *call):
        self.asked.release()
        return self.executor.submit(self._later, *call)

    def hash(self, password):
        return self._asked(self.passwords.hash, password).result()

    async def hash_async(self, password):
        return await asyncio.wrap_future(self._asked(self.passwords.hash, password))

    def verify(self, password_hash, password):
        return self._asked(self.passwords.verify, password_hash, password).result()

    async def verify_async(self, password_hash, password):
        return await asyncio.wrap_future(self._asked(self.passwords.verify, password_hash, password))

    def close(self):
        self.executor.shutdown()


@pytest.mark.parametrize(("path", "status"), [("/user", 201), ("/session", 401)])
def test_requests_that_wait_for_a_password_hold_up_no_others(start, person, path, status):
    """More of them than there are THREADS: on the port they hold neither the loop nor a shared thread."""
    with own_world(pool_timeout=10) as world:
        waiting = Waiting(world.services.passwords)
        requests = world.services.settings.threads + 2
        api = start(replace(world.services, passwords=waiting))
        with ThreadPoolExecutor(requests) as pool:
            try:
                sent = [pool.submit(api.post, path, json=person(f"N{n}")) for n in range(requests)]
                assert all(waiting.asked.acquire(timeout=10) for _ in sent)
                assert [api.get(path).status_code for path in ("/", "/user/1", "/users")] == [200, 404, 200]
            finally:
                waiting.released.set()
            assert {answered.result().status_code for answered in sent} == {status}
        waiting.close()


@pytest.mark.parametrize(("path", "status"), [("/user", 201), ("/session", 401)])
def test_no_connection_is_held_while_a_password_is_worked_on(start, services, person, path, status):
    waiting = Waiting(services.passwords)
    api = start(replace(services, passwords=waiting))
    with ThreadPoolExecutor(1) as pool:
        try:
            sent = pool.submit(api.post, path, json=person())
            assert waiting.asked.acquire(timeout=10)
            assert services.database.engine.pool.checkedout() == 0
        finally:
            waiting.released.set()
        assert sent.result().status_code == status
    waiting.close()


def test_the_body_limit_is_the_setting_s(start, ada):
    with own_world(max_body_bytes=1024) as world:
        api = start(world.services)
        statuses = [
            api.post(
                "/user", content=json.dumps(ada).encode().ljust(size), headers={"Content-Type": "application/json"}
            )
            for size in (1025, 1024)
        ]
    assert [answer.status_code for answer in statuses] == [413, 201]


def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes(start, services):
    headers = {"Content-Type": "application/json", "Content-Length": str(services.settings.max_body_bytes + 1)}
    assert start(services).post("/user", content=b"{}", headers=headers).status_code == 413


def test_the_password_is_stored_as_an_argon2id_hash(start, services, ada):
    api = start(services)
    api.post("/user", json=ada)
    with services.database.begin() as db:
        row = db.exec_driver_sql("SELECT password_hash, created_at FROM users").one()
    assert row.password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert row.created_at == NOW.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_one_password_of_two_people_has_two_hashes(start, services, person):
    api = start(services)
    for name in ("Ada", "Bea"):
        api.post("/user", json=person(name))
    with services.database.begin() as db:
        hashes = db.exec_driver_sql("SELECT password_hash FROM users").scalars().all()
    assert len(set(hashes)) == 2
