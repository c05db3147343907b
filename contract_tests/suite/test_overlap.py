"""What overlaps, fails or was planted in the store does a session no harm: each hazard with its cure, in process"""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import argon2
import pytest

from contract_tests.suite.test_session import session_of, varies_by, with_cookie
from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import NOW, own_world, provider
from shared_core.sessions import Codec

pytestmark = pytest.mark.in_process


class Held:
    """A database of which one transaction waits until it is let go."""

    def __init__(self, database):
        self.database = database
        self.hold = False
        self.held = threading.Event()
        self.released = threading.Event()

    def __getattr__(self, name):
        return getattr(self.database, name)

    def begin(self):
        if self.hold:
            self.hold = False
            self.held.set()
            assert self.released.wait(timeout=30)
        return self.database.begin()


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def kept(services, id):
    """What the store holds under a session's id."""
    stored = services.session_store.get(services.session_policy.key_prefix + id)
    return stored and Codec().decode(stored)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/whoami"), ("GET", "/session/data/colour"), ("PUT", "/session/data/x")]
)
def test_a_slow_request_that_writes_the_session_back_undoes_no_sign_out(start, services, ada, sign_up, method, path):
    clock, database = Clock(), Held(services.database)
    api = start(replace(services, clock=clock, database=database))
    sign_up(api, ada)
    api.put("/session/data/colour", json={"value": "blue"})
    old = session_of(api)
    # After five minutes a read refreshes the session, and so writes it.
    clock.now += timedelta(seconds=301)
    database.hold = True
    body = {"json": {"value": 1}} if method == "PUT" else {}
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(api.request, method, path, headers={"Cookie": f"__Host-session={old}"}, **body)
        assert database.held.wait(timeout=10)
        try:
            assert api.delete("/session").status_code == 204
            assert kept(services, old) is None
        finally:
            database.released.set()
        assert slow.result().status_code == 401
    # The hazard came about, and is harmless.
    assert kept(services, old)["values"] == {"colour": "blue"}
    headers = with_cookie(api, old)
    assert api.get("/whoami", headers=headers).status_code == 401
    assert api.get("/session/data/colour", headers=headers).status_code == 401
    assert api.patch("/user/1", json={"name": "Eve"}, headers=headers).status_code == 401


def test_attempts_that_race_are_all_counted(start, ada):
    """A session loses what is written to it at once, so nothing is counted there."""
    with own_world(pool_timeout=10) as world, ThreadPoolExecutor(8) as pool:
        api = start(world.services)
        api.post("/user", json=ada)
        wrong = credentials(ada) | {"password": "wrong"}
        statuses = list(pool.map(lambda _: api.post("/session", json=wrong).status_code, range(24)))
    assert sorted(statuses) == [401] * 10 + [429] * 14


def test_the_limit_ends_with_its_window(start, services, ada):
    clock = Clock()
    api = start(replace(services, clock=clock))
    api.post("/user", json=ada)
    wrong = credentials(ada) | {"password": "wrong"}
    for _ in range(10):
        api.post("/session", json=wrong)
    clock.now += timedelta(seconds=299)
    refused = api.post("/session", json=credentials(ada))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.now += timedelta(seconds=1)
    assert api.post("/session", json=credentials(ada)).status_code == 200


def test_the_limit_is_the_setting_s(start, ada):
    with own_world(sign_in_attempts=2, sign_in_window_seconds=60) as world:
        api = start(world.services)
        wrong = credentials(ada) | {"password": "wrong"}
        answers = [api.post("/session", json=wrong) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_what_was_tried_is_not_stored_in_plain(start, services, ada):
    """People type passwords into the field for the email."""
    api = start(services)
    api.post("/session", json={"email": "hunter2@s3cret", "password": "hunter2-s3cret"})
    with services.database.begin() as db:
        rows = db.exec_driver_sql("SELECT * FROM sign_in_attempts").all()
    assert len(rows) == 1
    assert "hunter2" not in repr(rows)


def test_attempts_and_logins_that_are_over_leave_the_database(start, services, ada, person):
    clock = Clock()
    api = start(replace(services, clock=clock))
    api.post("/user", json=ada)
    for n in range(12):
        api.post("/session", json=credentials(person(f"N{n}")))
        api.post("/session", json=credentials(ada))
        api.cookies.clear()
    clock.now += timedelta(days=31)
    for n in range(12, 18):
        api.post("/session", json=credentials(person(f"N{n}")))
        api.post("/session", json=credentials(ada))
        api.cookies.clear()
    with services.database.begin() as db:
        left = [
            db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in ("logins", "sign_in_attempts")
        ]
    assert left == [6, 6]


@pytest.mark.parametrize("idle", [False, True])
def test_a_sign_in_ends_after_its_lifetime_however_much_it_is_used(start, services, ada, sign_up, idle):
    clock = Clock()
    api = start(replace(services, clock=clock))
    me = sign_up(api, ada)
    for _ in range(1 if idle else 29):
        clock.now += timedelta(days=29 if idle else 1)
        assert api.get("/whoami").json() == me
    clock.now += timedelta(days=1)
    assert api.get("/whoami").status_code == 401


def test_a_session_in_use_is_refreshed_every_five_minutes_and_no_more_often(start, services, ada, sign_up):
    clock = Clock()
    api = start(replace(services, clock=clock))
    sign_up(api, ada)
    refreshed = []
    for seconds in (0, 299, 1, 1, 299):
        clock.now += timedelta(seconds=seconds)
        refreshed.append("set-cookie" in api.get("/whoami").headers)
    assert refreshed == [False, False, True, False, True]


ENCODE: Any = Codec().encode
RUBBISH = [
    b"", b"\x00", b"garbage", pickle.dumps({"login_id": "token-1"}), b"\xff" * 50, b"[1]",
    *map(ENCODE, [
        {"login_id": 5}, {"login_id": None}, {"login_id": ["token-1"]}, {"values": 5}, {"values": {}, "touched": "x"},
        {"touched": 1e300}, {"signin": "x"}, {"signin": {}}, {"signin": {"at": "x"}}, {"signin": {"at": 1, "flow": 1}},
        {"signin": {"at": int(NOW.timestamp()), "next": "/", "flow": {}}}, {"tokens": 5, "login_id": "no"},
    ]),
]  # fmt: skip
ASKED = [
    ("GET", "/whoami"), ("GET", "/session/data/size"), ("PUT", "/session/data/size"), ("DELETE", "/session/data/size"),
    ("GET", "/signin/callback?code=x&state=y"), ("GET", "/signin/profile"), ("DELETE", "/sessions"),
    ("DELETE", "/session"),
]  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda rubbish: repr(rubbish[:20]))
def test_rubbish_in_the_store_is_nobody_s_session(start, rubbish):
    with own_world(**provider().settings()) as world:
        api, store = start(world.services), world.services.session_store
        api.put("/session/data/colour", json={"value": "blue"})
        id = session_of(api)
        for method, path in ASKED:
            store.set(world.services.session_policy.key_prefix + id, rubbish, seconds=60)
            body = {"value": 1} if method == "PUT" else None
            answer = api.request(method, path, headers=with_cookie(api, id), json=body)
            assert "exception" not in answer.extensions, (method, path)
            assert answer.status_code in {200, 204, 400, 401, 404}, (method, path)


def test_tokens_in_the_store_that_are_rubbish_are_no_sign_in_at_the_provider(start, ada, sign_up):
    with own_world(**provider().settings()) as world:
        api, store = start(world.services), world.services.session_store
        sign_up(api, ada)
        key = world.services.session_policy.key_prefix + session_of(api)
        for tokens in ("", "x", "{}", "[]", "null", '{"AccessToken": 5}', '{"Account": {"a": 5}}', 5, {}):
            store.set(key, Codec().encode(Codec().decode(store.get(key)) | {"tokens": tokens}), seconds=60)
            answer = api.get("/signin/profile")
            assert answer.status_code == 401, tokens
            assert "exception" not in answer.extensions


def test_a_session_changed_before_an_unforeseen_error_is_saved(start, services, ada, sign_up):
    """Or a sign-out that ends in an error would leave the browser signed in."""

    class Broken:
        def signed_out_url(self):
            raise RuntimeError

        def close(self):
            pass

    api = start(replace(services, signin=Broken()))
    sign_up(api, ada)
    old = session_of(api)
    answer = api.post("/signout")
    assert answer.status_code == 500
    assert answer.headers["set-cookie"].startswith("__Host-session=; Expires=Thu, 01 Jan 1970")
    assert varies_by(answer) == {"Cookie", "Origin"}
    assert kept(services, old) is None


def test_the_session_is_kept_apart_from_the_app_s_own_transaction(start, services, ada, sign_up):
    """Flask-Session's SQL store commits whatever the app had pending."""
    api = start(services)
    sign_up(api, ada)
    with services.database.engine.connect() as connection:
        tables = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "sessions" not in tables
    assert kept(services, session_of(api))["login_id"] == "token-1"


def test_an_unknown_email_costs_the_work_of_a_known_one(start, services, ada, monkeypatch):
    api = start(services)
    api.post("/user", json=ada)
    verified = []
    verify = argon2.PasswordHasher.verify

    def counted(self, hash, password):
        verified.append(hash.rpartition("$")[0].rpartition("$")[0])
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    api.post("/session", json=credentials(ada) | {"password": "wrong"})
    api.post("/session", json=credentials(ada) | {"email": "nobody@example.com"})
    assert verified == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


def test_a_password_hashed_at_another_cost_is_hashed_anew(start, services, ada):
    api = start(services)
    api.post("/user", json=ada)
    stale = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(ada["password"])
    with services.database.begin() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = ?", (stale,))
    assert api.post("/session", json=credentials(ada) | {"password": "wrong"}).status_code == 401
    assert hash_of(services) == stale
    for _ in range(2):
        assert api.post("/session", json=credentials(ada)).status_code == 200
    assert hash_of(services).startswith("$argon2id$v=19$m=8,t=1,p=1$")


def hash_of(services):
    with services.database.begin() as db:
        return db.exec_driver_sql("SELECT password_hash FROM users").scalar_one()


@pytest.mark.parametrize("stored", ["", "!", "$argon2id$", "plain:test", "test"])
def test_a_stored_hash_that_is_none_signs_nobody_in(start, services, ada, stored):
    api = start(services)
    api.post("/user", json=ada)
    with services.database.begin() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = ?", (stored,))
    for password in ("test", stored or "x"):
        assert api.post("/session", json=credentials(ada) | {"password": password}).status_code == 401


def test_a_password_that_changes_while_the_old_one_is_verified_counts(start, services, ada):
    """Between the two transactions of a sign-in anything may happen."""
    api = start(replace(services, passwords=Changing(services)))
    api.post("/user", json=ada)
    assert api.post("/session", json=credentials(ada)).status_code == 401
    assert api.get("/whoami").status_code == 401


class Changing:
    """Passwords of which the stored one changes as soon as the old one was found right."""

    def __init__(self, services):
        self.services = services

    def __getattr__(self, name):
        return getattr(self.services.passwords, name)

    def _change(self):
        with self.services.database.begin() as db:
            db.exec_driver_sql("UPDATE users SET password_hash = 'another'")

    def verify(self, password_hash, password):
        verdict = self.services.passwords.verify(password_hash, password)
        assert verdict.matches
        self._change()
        return verdict

    async def verify_async(self, password_hash, password):
        verdict = await self.services.passwords.verify_async(password_hash, password)
        assert verdict.matches
        self._change()
        return verdict
