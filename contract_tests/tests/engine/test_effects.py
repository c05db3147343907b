"""Answers alike, writes otherwise: what a case left in the two databases is compared row by row, and only read"""

import hashlib
import json
import os
import sys
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy
from argon2 import PasswordHasher
from click.testing import CliRunner
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from contract_tests.__main__ import main
from contract_tests.live.servers import POSTGRESQL, START_POSTGRESQL, has_postgresql
from contract_tests.parity import Bindings, Pair, Request
from contract_tests.parity.applications import SpecError
from contract_tests.parity.databases import Database, DatabaseError
from contract_tests.parity.effects import Effects

from .toys import Toy, json_answer

SCHEMA = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80), password_hash VARCHAR(200), token VARCHAR(80),"
    " created_at TIMESTAMP, expires VARCHAR(40), prefs VARCHAR(200), active BOOLEAN)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), total FLOAT,"
    " state VARCHAR(20))",
    "CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), sku VARCHAR(20), n INTEGER,"
    " PRIMARY KEY (order_id, sku))",
    "CREATE TABLE files (id VARCHAR(40) PRIMARY KEY, user_id INTEGER, size INTEGER)",
    "CREATE TABLE audit (what VARCHAR(40), at FLOAT)",
)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Service:
    """A small service that writes as told: each fault is something the port may do otherwise."""

    def __init__(self, url, *, first=1, fault="", hasher=CHEAP.hash):
        self.engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
        self.first, self.fault, self.hasher = first, fault, hasher
        self.draw = lambda _email: uuid.uuid4().hex
        with self.engine.begin() as db:
            for statement in SCHEMA:
                db.execute(text(statement))

    def next(self, db, table):
        return max(self.first, (db.scalar(text(f"SELECT max(id) FROM {table}")) or 0) + 1)

    def insert(self, db, table, **values):
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        db.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)

    def sign_up(self, *emails):
        with self.engine.begin() as db:
            for email in emails:
                now = datetime.now(UTC).replace(tzinfo=None)
                values = {
                    "id": self.next(db, "users"),
                    "email": email,
                    "password_hash": self.hasher("hunter2"),
                    "token": self.draw(email),
                    "created_at": now,
                    "expires": (now + timedelta(days=30)).isoformat(),
                    "prefs": '{"theme": "dark", "at": "' + now.isoformat() + '"}',
                    "active": True,
                }
                changed = {
                    "email case": {"email": email.upper()},
                    "no hash": {"password_hash": "hunter2"},
                    "another cost": {
                        "password_hash": PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash("x")
                    },
                    "short token": {"token": uuid.uuid4().hex[:16]},
                    "token of uuid": {"token": str(uuid.uuid4())},
                    "expires later": {"expires": (now + timedelta(days=31)).isoformat()},
                    "time with zone": {"expires": (now + timedelta(days=30)).isoformat() + "+00:00"},
                    "old time": {"created_at": now - timedelta(hours=1)},
                    "other prefs": {"prefs": values["prefs"].replace("dark", "light")},
                    "null": {"active": None},
                    "not active": {"active": False},
                }.get(self.fault, {})
                self.insert(db, "users", **values | changed)
                at = datetime.now(UTC).timestamp() + (3600 if self.fault == "audit clock" else 0)
                self.insert(db, "audit", what="signed up", at=at)
                if self.fault == "audit twice":
                    self.insert(db, "audit", what="signed up", at=at)
            if self.fault == "row twice":
                self.insert(db, "users", id=self.next(db, "users"), email=emails[-1])

    def order(self, user_offset=0):
        with self.engine.begin() as db:
            id, user = self.next(db, "orders"), self.first + user_offset
            user += self.fault == "wrong user"
            total = {"rounded": 5.0, "float": 5.25}.get(self.fault, 5.5)
            if self.fault != "lost order":
                self.insert(db, "orders", id=id, user_id=user, total=total, state="new")
                self.insert(db, "lines", order_id=id, sku="tea", n=2 + (self.fault == "lines"))
            if self.fault != "no file":
                owner = user + (self.fault == "file of another")
                self.insert(db, "files", id=str(uuid.uuid4()), user_id=owner, size=7)

    def pay(self):
        with self.engine.begin() as db:
            if self.fault != "lost update":
                state = "payed" if self.fault == "state" else "paid"
                db.execute(text("UPDATE orders SET state = :state WHERE id = :id"), {"state": state, "id": self.first})

    def cancel(self):
        with self.engine.begin() as db:
            db.execute(text("DELETE FROM lines WHERE order_id = :id"), {"id": self.first})
            if self.fault != "kept":
                db.execute(text("DELETE FROM orders WHERE id = :id"), {"id": self.first})


def sqlite_urls(stack, folder):
    return [f"sqlite:///{folder}/{side}.sqlite3" for side in ("original", "port")]


def postgresql_urls(stack, folder):
    """Databases of this test's own, which are dropped. Required in CI, skipped elsewhere where no server answers."""
    if not has_postgresql(POSTGRESQL):
        pytest.fail(START_POSTGRESQL) if os.environ.get("CI") == "true" else pytest.skip(START_POSTGRESQL)
    return [stack.enter_context(postgresql_database()) for _ in range(2)]


@contextmanager
def postgresql_database():
    name = f"effects_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:5432/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=[sqlite_urls, postgresql_urls], ids=["sqlite", "postgresql"])
def urls(request, tmp_path):
    with ExitStack() as stack:
        yield request.param(stack, tmp_path)


@pytest.fixture
def sqlite(tmp_path):
    return sqlite_urls(None, tmp_path)


def wrote(urls, fault="", first=1, **options):
    """What each of the story's cases wrote otherwise."""
    services = Service(urls[0]), Service(urls[1], first=first, fault=fault, **options)
    found = {}
    with Effects(*urls) as effects:
        for name, act in STORY.items():
            effects.begin()
            for service in services:
                act(service)
            found[name] = [f"{each.path} {each.kind}" for each in effects.differences(name)]
    return {name: each for name, each in found.items() if each}


STORY = {
    "sign up": lambda service: service.sign_up("ada@example.com", "bob@example.com", "cyd@example.com"),
    "order": lambda service: service.order(),
    "order of another": lambda service: service.order(1),
    "pay": lambda service: service.pay(),
    "cancel": lambda service: service.cancel(),
}


@pytest.mark.parametrize("first", [1, 9000])
def test_two_databases_with_ids_clocks_hashes_and_tokens_of_their_own_are_alike(urls, first):
    assert wrote(urls, first=first) == {}


FAULTS = {
    "email case": ("sign up", "users.email value"),
    "no hash": ("sign up", "users.password_hash value"),
    "another cost": ("sign up", "users.password_hash value"),
    "short token": ("sign up", "users.token value"),
    "token of uuid": ("sign up", "users.token value"),
    "expires later": ("sign up", "users.expires value"),
    "time with zone": ("sign up", "users.expires value"),
    "old time": ("sign up", "users.created_at value"),
    "other prefs": ("sign up", "users.prefs value"),
    "null": ("sign up", "users.active missing"),
    "not active": ("sign up", "users.active value"),
    "audit clock": ("sign up", "audit.at value"),
    "audit twice": ("sign up", "audit extra"),
    "row twice": ("sign up", "users extra"),
    "wrong user": ("order", "orders.user_id binding"),
    "rounded": ("order", "orders.total value"),
    "float": ("order", "orders.total value"),
    "lost order": ("order", "orders missing"),
    "lines": ("order", "lines.n value"),
    "no file": ("order", "files missing"),
    "file of another": ("order", "files.user_id binding"),
    "lost update": ("pay", "orders missing"),
    "state": ("pay", "orders.state value"),
    "kept": ("cancel", "orders missing"),
}


@pytest.mark.parametrize(("fault", "found"), FAULTS.items(), ids=FAULTS)
@pytest.mark.parametrize("first", [1, 9000])
def test_what_the_port_writes_otherwise_is_told_in_its_own_case(sqlite, fault, found, first):
    case, difference = found
    told = wrote(sqlite, fault, first)
    assert next(iter(told)) == case
    assert difference in told[case]
    # What a missing row takes with it is told, too, and nothing else of the case.
    assert len(set(told[case])) <= 2


@pytest.mark.parametrize("fault", ["email case", "wrong user", "lost update", "not active", "old time"])
def test_postgresql_tells_the_same(tmp_path, fault):
    with ExitStack() as stack:
        case, difference = FAULTS[fault]
        assert difference in wrote(postgresql_urls(stack, tmp_path), fault)[case]


def test_another_scheme_of_hashes_is_told_without_the_hash(sqlite):
    services = Service(sqlite[0]), Service(sqlite[1], hasher=lambda _: generate_password_hash("hunter2"))
    with Effects(*sqlite) as effects:
        effects.begin()
        for service in services:
            service.sign_up("ada@example.com")
        (found,) = effects.differences("sign up")
    assert (found.level, found.path, found.kind) == ("effect", "users.password_hash", "value")
    assert found.original == "$argon2id$v=19$m=8,t=1,p=1 (salt 22, hash 43 characters)"
    assert found.port.startswith("scrypt:32768:8:1 (salt 16, hash 128")


def test_no_stored_secret_is_shown(sqlite):
    services = Service(sqlite[0]), Service(sqlite[1], fault="no hash")
    with Effects(*sqlite) as effects:
        effects.begin()
        for service in services:
            service.sign_up("ada@example.com")
        (found,) = effects.differences("sign up")
    assert found.port == "(7 characters in no known scheme of hashes)"


def test_the_order_of_insertion_decides_only_between_rows_that_are_equal(sqlite):
    services = Service(sqlite[0]), Service(sqlite[1])
    with Effects(*sqlite) as effects:
        effects.begin()
        services[0].sign_up("ada@example.com", "bob@example.com")
        services[1].sign_up("bob@example.com", "ada@example.com")
        assert effects.differences("a bulk of rows") == ()
        effects.begin()
        services[0].order()
        services[1].order(1)
        assert effects.differences("ada orders in both") == ()


def test_what_an_exchange_taught_is_held_against_the_rows(sqlite):
    """The port answers with the id of another row: the answer's partners decide."""
    services = Service(sqlite[0]), Service(sqlite[1], first=9000)
    bindings = Bindings()
    pair = Pair(*(Toy(lambda _, n=n: json_answer({"id": n}, status=201)) for n in (1, 9001)), bindings=bindings)
    pair.exchange(Request("POST", b"/users"))
    with Effects(*sqlite, partner=bindings.partner) as effects:
        effects.begin()
        for service in services:
            service.sign_up("ada@example.com", "bob@example.com")
        assert {each.path for each in effects.differences("sign up")} == {"users.email"}


def test_a_world_that_was_rewound_is_met_anew(sqlite):
    services = Service(sqlite[0]), Service(sqlite[1])
    # The original draws the same each time that its world begins.
    services[0].draw = lambda email: hashlib.sha256(email.encode()).hexdigest()[:32]
    with Effects(*sqlite) as effects:
        for emails in (("a@x", "b@x"), ("b@x", "a@x")):
            effects.begin()
            for service, order in zip(services, (emails, emails[::-1]), strict=True):
                service.sign_up(*order)
            assert effects.differences("sign up") == ()
            for service in services:
                with service.engine.begin() as db:
                    db.execute(text("DELETE FROM users"))
                    db.execute(text("DELETE FROM audit"))


def test_what_only_one_side_has_is_told_once_and_is_no_difference(sqlite):
    services = Service(sqlite[0]), Service(sqlite[1])
    with services[0].engine.begin() as db:
        db.execute(text("CREATE TABLE bloom (id INTEGER PRIMARY KEY, bits BLOB)"))
        db.execute(text("ALTER TABLE users ADD COLUMN legacy INTEGER"))
    with Effects(*sqlite) as effects:
        assert effects.notes == ["only the original's database has bloom, users.legacy: not compared"]
        effects.begin()
        for service in services:
            service.sign_up("ada@example.com")
        with services[0].engine.begin() as db:
            db.execute(text("INSERT INTO bloom (bits) VALUES ('x')"))
        assert effects.differences("sign up") == ()


def test_what_did_not_change_is_not_read_again(sqlite, monkeypatch):
    services = Service(sqlite[0]), Service(sqlite[1])
    with Effects(*sqlite) as effects:
        effects.begin()
        read = []
        monkeypatch.setattr(Database, "_content", lambda *_: read.append(1))
        effects.begin()
        assert effects.differences("a case that only reads") == ()
        assert read == []
    assert services


def test_the_databases_are_only_read(urls):
    Service(urls[0])
    database = Database(urls[0])
    with pytest.raises(sqlalchemy.exc.DBAPIError, match=r"read-?\s?only"):
        database._connection.exec_driver_sql("INSERT INTO audit (what) VALUES ('x')")
    database.close()


def test_what_cannot_be_compared_is_a_usage_error_in_one_line(sqlite, tmp_path):
    Service(sqlite[0])
    for given, said in (
        ((sqlite[0], sqlite[0]), "name one database"),
        ((sqlite[0], "sqlite://"), "in memory"),
        ((sqlite[0], f"sqlite:///{tmp_path}/none.sqlite3"), "cannot be read"),
        ((sqlite[0], "mysql://root:hunter2@127.0.0.1/x"), "it is SQLite or PostgreSQL"),
        ((sqlite[0], "no url"), "cannot be read"),
        ((sqlite[0], "postgresql://ada:hunter2@127.0.0.1:1/x"), "cannot be read"),
    ):
        with pytest.raises(DatabaseError, match=said) as raised:
            Effects(*given)
        assert isinstance(raised.value, SpecError)
        assert "hunter2" not in str(raised.value)
        assert "\n" not in str(raised.value)


APP = """
import os, sqlite3, json
from pathlib import Path

def make(file, rate):
    # As many do: the database is thrown away and made anew.
    Path(file).unlink(missing_ok=True)
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)")
    def app(environ, start_response):
        with sqlite3.connect(file) as db:
            if environ["REQUEST_METHOD"] == "POST":
                db.execute("INSERT INTO orders (total) VALUES (?)", (5 * rate,))
        body = json.dumps({"done": True}).encode()
        start_response("201 Created", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    return app

def original():
    return make("original.sqlite3", 1.2)

def alike():
    return make("port.sqlite3", 1.2)

def rounded():
    return make("port.sqlite3", 1.25)
"""


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """`parity check` on two small apps with databases of their own, each made anew for each case."""
    (tmp_path / "bills.py").write_text(APP)
    lines = [{"case": name, "steps": [{"method": method, "target": "/orders"}]} for name, method in CASES]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "bills", raising=False)

    def run(port, *options):
        specs = ["check", "bills:original()", f"bills:{port}()", "--cases", "cases.jsonl"]
        return CliRunner().invoke(main, [*specs, *options])

    return run


CASES = (("order", "POST"), ("look", "GET"), ("order again", "POST"))
DATABASES = ("--database-original", "sqlite:///original.sqlite3", "--database-port", "sqlite:///port.sqlite3")


def test_the_check_tells_answers_alike_and_writes_otherwise(checked):
    assert checked("rounded").exit_code == 0
    ran = checked("rounded", *DATABASES)
    assert ran.exit_code == 1, ran.output
    first, fingerprint, *_ = ran.output.splitlines()
    assert first == "1. POST /orders: answers alike, and writes orders.total otherwise"
    assert fingerprint.strip() == "POST /orders effect orders.total value"
    assert "original  6.0" in ran.output
    assert "in        order, order again" in ran.output
    assert "DIFFERENT: 1 cause of 1 new difference (3 cases" in ran.output


def test_the_check_passes_where_both_write_the_same(checked):
    ran = checked("alike", *DATABASES)
    assert ran.exit_code == 0, ran.output


def test_an_effect_is_accepted_as_any_other_difference(checked, tmp_path):
    (tmp_path / "ledger.toml").write_text(
        '[[accepted]]\noperations = ["POST /orders"]\nlevel = "effect"\npath = "orders.total"\nkind = "value"\n'
        'reason = "another rate"\ndecision = "0001"\nowner = "shop"\n'
    )
    ran = checked("rounded", *DATABASES, "--ledger", "ledger.toml")
    assert ran.exit_code == 0, ran.output
    assert "accepted 2 times: POST /orders effect orders.total value" in ran.output


def test_one_database_alone_or_one_that_is_not_there_is_a_usage_error(checked):
    for options in (DATABASES[:2], (*DATABASES[:3], "sqlite:///none.sqlite3")):
        ran = checked("alike", *options)
        assert ran.exit_code == 2
        assert ran.stderr.startswith("parity: ")
