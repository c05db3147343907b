"""Parts of the sessions that no request shows: each found by a fault that no other test saw"""

import asyncio
import pickle
import threading
from dataclasses import replace
from typing import Annotated, Any

import argon2
import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI

from contract_tests.parity import asgi
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.world import NOW, World, on_store, own_world, settings
from shared_core import users
from shared_core.errors import SignInFailed, Unavailable
from shared_core.passwords import Passwords
from shared_core.services import build_services, make_session_store, session_policy
from shared_core.sessions import Codec
from shared_core.sessions.stores import SqliteStore, unavailable
from shared_core.signin import Identity
from shared_core.visits import Visit

VALUES = {"_permanent": True, "values": {"colour": "blue"}}


def store_at(path):
    return SqliteStore(str(path), clock=lambda: 0.0)


@pytest.mark.parametrize(("written", "read"), [("msgpack", "json"), ("json", "msgpack")])
def test_another_format_signs_nobody_out(written, read):
    assert Codec(read).decode(Codec(written).encode(VALUES)) == VALUES


def test_what_one_process_stores_another_reads(tmp_path):
    one, other = (store_at(tmp_path / "sessions.sqlite3") for _ in range(2))
    one.set("a", b"x", seconds=10)
    assert other.get("a") == b"x"
    other.delete("a")
    assert one.get("a") is None
    one.close()
    other.close()


def test_who_writes_waits_for_others_and_holds_up_no_reader(tmp_path):
    store = store_at(tmp_path / "sessions.sqlite3")
    assert store._execute("PRAGMA journal_mode", ()) == [("wal",)]
    assert store._execute("PRAGMA busy_timeout", ()) == [(5000,)]
    store.close()


@pytest.mark.parametrize("place", ["", "file/sessions.sqlite3"], ids=["a folder", "below a file"])
def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path, place):
    (tmp_path / "file").touch()
    store = store_at(tmp_path / place)
    for ask in (lambda: store.get("a"), lambda: store.set("a", b"x", seconds=1), lambda: store.delete("a")):
        with pytest.raises(Unavailable):
            ask()


def test_a_store_is_emptied_of_its_own_prefix_alone(tmp_path):
    store = store_at(tmp_path / "sessions.sqlite3")
    for key in ("a:1", "ab:1", "a_:1"):
        store.set(key, b"x", seconds=10)
    store.clear("a:")
    assert [store.get(key) for key in ("a:1", "ab:1", "a_:1")] == [None, b"x", b"x"]
    store.close()


def test_the_log_does_not_quote_what_a_store_says(caplog):
    unavailable(ValueError("session:hunter2"))
    assert caplog.messages == ["the session store cannot answer: ValueError"]


def test_the_setting_names_a_file_from_where_the_process_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("here/a.sqlite3", f"{tmp_path}/there/b.sqlite3"):
        store = make_session_store(settings(session_store=f"sqlite:///{name}"))
        store.set("a", b"x", seconds=10)
        assert store.get("a") == b"x"
        store.close()
        assert (tmp_path / name).exists()


def test_an_embedded_store_keeps_time_as_every_process_does(tmp_path):
    """A clock that begins with the machine would keep a session of before for years, or for no time."""
    one = make_session_store(settings(session_store=f"sqlite:///{tmp_path}/sessions.sqlite3"))
    one.set("a", b"x", seconds=10)
    (expires,) = one._execute("SELECT expires FROM sessions", ())[0]
    one.close()
    assert expires > NOW.timestamp() - 10**9


def of_stores():
    return {thread for thread in threading.enumerate() if thread.name.startswith("sessions")}


def test_the_port_leaves_no_thread_of_its_store_behind():
    before = of_stores()
    with own_world() as world:
        with targets.open_target("port", World(world.services)) as target:
            api = httpx.Client(transport=TargetTransport(target), base_url="https://testserver")
            assert api.put("/session/data/colour", json={"value": 1}).status_code == 200
            started = of_stores() - before
            assert len(started) == 1
        for thread in started:
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_services_close_their_session_store_and_their_sign_in(tmp_path):
    closed = []

    class Part:
        def __init__(self, name):
            self.name = name

        def close(self):
            closed.append(self.name)

    services = build_services(settings(database_url=f"sqlite:///{tmp_path}/service.sqlite3"))
    replace(services, session_store=Part("store"), signin=Part("signin")).close()
    assert sorted(closed) == ["signin", "store"]


@pytest.mark.parametrize("role", ["original", "port"])
def test_what_others_put_into_redis_is_never_unpickled(redis_url, role):
    """Flask-Session's own decoder ends in pickle; the whole app is asked here, as it is put together."""
    with own_world(**on_store(redis_url)) as world, targets.open_target(role, World(world.services)) as target:
        api = httpx.Client(transport=TargetTransport(target), base_url="https://testserver")
        api.put("/session/data/colour", json={"value": "blue"})
        key = world.services.session_policy.key_prefix + api.cookies["__Host-session"]
        for rubbish in (pickle.dumps(VALUES), b"garbage", b"\xff"):
            world.services.session_store.set(key, rubbish, seconds=60)
            assert api.get("/session/data/colour").status_code == 404


@pytest.mark.parametrize("call", ["hash_async", "hash_given_async", "verify_async"])
def test_waiting_for_a_password_leaves_the_loop_free(call):
    passwords, released = Passwords(time_cost=1, memory_kib=8), threading.Event()
    busy = [passwords._executor.submit(released.wait, 10) for _ in range(2)]

    async def wait():
        given = ("", "test") if call == "verify_async" else ("test",)
        task = asyncio.ensure_future(getattr(passwords, call)(*given))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not any(each.done() for each in busy)
        released.set()
        return await task

    assert asyncio.run(wait())
    passwords.close()


def test_a_few_passwords_are_worked_on_at_once():
    """Each takes its memory; a third waits."""
    passwords, released = Passwords(time_cost=1, memory_kib=8), threading.Event()
    begun = [threading.Event() for _ in range(3)]
    waiting = [passwords._executor.submit(lambda each=each: each.set() or released.wait(10)) for each in begun]
    assert all(each.wait(timeout=10) for each in begun[:2])
    assert not begun[2].is_set()
    assert not waiting[2].running()
    released.set()
    passwords.close()


def test_the_first_unknown_user_costs_no_more_than_the_next(monkeypatch):
    """What an unknown user is verified against is made before, with whoever comes first."""
    passwords = Passwords(time_cost=1, memory_kib=8)
    stored = passwords.hash("test")
    assert passwords.verify(stored, "test").matches
    hashed = []
    monkeypatch.setattr(argon2.PasswordHasher, "hash", lambda *_: hashed.append(1))
    assert not passwords.verify(None, "test").matches
    assert hashed == []
    passwords.close()


def test_the_password_of_nobody_signs_nobody_in(monkeypatch):
    monkeypatch.setattr("shared_core.passwords.secrets.token_urlsafe", lambda: "test")
    passwords = Passwords(time_cost=1, memory_kib=8)
    assert [passwords.verify(stored, "test").matches for stored in (None, "")] == [False, False]
    passwords.close()


def test_a_session_that_keeps_its_id_signs_nobody_in():
    class Kept(dict):
        sid = "a"

    with pytest.raises(RuntimeError, match="kept its id"):
        Visit(Kept(), regenerate=lambda: None, now=NOW).sign_in("login")


def test_an_identity_is_its_issuer_and_its_subject_together():
    ada = Identity(issuer="https://a.example/t", subject="1", name="Ada", email="ada@example.com")
    others = [
        replace(ada, issuer="https://b.example/t", email="bea@example.com"),
        replace(ada, subject="2", email="eve@example.com"),
    ]
    with own_world() as world, world.services.database.begin() as db:
        ids = [users.user_of_identity(db, each, now=NOW) for each in (ada, *others, ada)]
    assert len(set(ids)) == 3
    assert ids[0] == ids[3]


def test_an_identity_without_a_name_is_called_by_its_email_and_one_without_an_email_is_refused():
    nameless = Identity(issuer="https://a.example/t", subject="1", name=None, email="ada@example.com")
    with own_world() as world, world.services.database.begin() as db:
        assert users.get_user(db, users.user_of_identity(db, nameless, now=NOW)).name == "ada@example.com"
        with pytest.raises(SignInFailed, match="no email"):
            users.user_of_identity(db, replace(nameless, subject="2", email=None), now=NOW)


def test_the_bridge_adds_to_the_headers_that_an_answer_has():
    message = {"headers": [(b"set-cookie", b"a=1"), (b"vary", b"Accept")]}
    targets.sessions.add_headers(message, [("Set-Cookie", "b=2"), ("Vary", "Cookie")])
    assert [value for name, value in message["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert [value for name, value in message["headers"] if name == b"vary"] == [b"Accept, Cookie"]


@pytest.mark.parametrize("kind", [Any, str, bytes, complex], ids=str)
def test_what_stands_in_for_a_refused_body_reaches_no_handler(kind):
    """A type that takes a stand-in for a value has its refusal at once."""
    handled, router = [], APIRouter(route_class=targets.wire.Route)

    @router.post("/")
    def take(body: Annotated[kind, Body()]) -> None:
        handled.append(body)

    app = FastAPI()
    app.include_router(router)
    with asgi(app) as target:
        api = httpx.Client(transport=TargetTransport(target), base_url="https://testserver")
        refused = [
            api.post("/", content=content, headers={"Content-Type": type}).status_code
            for content, type in ((b"{", "application/json"), (b"text", "text/plain"))
        ]
    assert refused == [400, 415]
    assert handled == []


def test_the_prefix_of_a_session_s_key_is_the_setting_s():
    assert session_policy(settings(session_key_prefix="mine:")).key_prefix == "mine:"


def test_a_redis_store_closes_its_client_and_makes_none_for_that(monkeypatch):
    closed = []
    store = make_session_store(settings(session_store="redis://127.0.0.1:1/0"))
    store.close()
    assert "client" not in vars(store)
    monkeypatch.setattr(store.client, "close", lambda: closed.append("client"))
    store.close()
    assert closed == ["client"]
