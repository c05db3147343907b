"""Answers alike, writes otherwise: what a case left in the two databases is compared row by row, and only read"""

import hashlib

import pytest
import sqlalchemy
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from contract_tests.parity import Bindings, Pair, Request
from contract_tests.parity.databases import Database
from contract_tests.parity.effects import Effects

from .toys import Toy, json_answer
from .writers import Service, emptied, postgresql_databases, sqlite_urls


@pytest.fixture(scope="module")
def databases():
    with postgresql_databases() as urls:
        yield urls


@pytest.fixture
def postgresql(databases):
    return emptied(databases)


@pytest.fixture
def sqlite(tmp_path):
    return sqlite_urls(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def urls(request):
    return request.getfixturevalue(request.param)


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


@pytest.mark.services
@pytest.mark.parametrize("fault", ["email case", "wrong user", "lost update", "not active", "old time"])
def test_postgresql_tells_the_same(postgresql, fault):
    case, difference = FAULTS[fault]
    assert difference in wrote(postgresql, fault)[case]


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
