"""The session bridge on apps that are not ours: a FastAPI app keeps the very sessions that Flask-Session keeps"""

import json
import pickle
import secrets
import sqlite3
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl

import flask
import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response
from flask_session import Session as FlaskSession
from starlette.exceptions import HTTPException

from contract_tests.parity import Bindings, PairTransport, asgi, wsgi
from contract_tests.parity.declared import Declared
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from shared_core.sessions import Codec, Session, SessionPolicy
from shared_core.sessions.redis_stores import RedisStore
from shared_core.sessions.stores import SqliteStore
from shared_core.sqlite_file import SqliteFile

POLICIES = {
    "as Flask-Session comes": SessionPolicy(),
    "hardened": SessionPolicy(
        cookie_name="__Host-session", secure=True, same_site="Lax", refresh_each_request=False, hardened_deletion=True
    ),
    "unlike either": SessionPolicy(
        cookie_name="sid", lifetime=timedelta(hours=2), permanent=False, domain="testserver.local", path="/app",
        http_only=False, same_site="Strict", key_prefix="app:", id_bytes=24, format="json",
    ),
}  # fmt: skip

# What a query can ask of the session, one after the other.
ACTIONS = {
    "put": lambda session, value: session.update(value=value),
    "add": lambda session, value: session.setdefault("list", []).append(value),
    "get": lambda session, _: session.get("value"),
    "in": lambda session, value: value in session,
    "pop": lambda session, value: session.pop(value, None),
    "del": lambda session, value: session.__delitem__(value),
    "default": lambda session, value: session.setdefault("value", value),
    "clear": lambda session, _: session.clear(),
    "empty": lambda session, _: session.update({}),
    "truth": lambda session, _: bool(session),
    "length": lambda session, _: len(session),
    "modified": lambda session, _: setattr(session, "modified", True),
    "permanent": lambda session, value: setattr(session, "permanent", value == "yes"),
    "all": lambda session, _: dict(session),
}
# One request after the other, with the cookie that the one before left.
SCRIPT = [
    "/", "/?get", "/?truth", "/?length", "/?clear", "/?put=1", "/?get", "/", "/?all", "/?put=1&put=2", "/?in=value",
    "/?in=other", "/?regenerate", "/?get", "/?add=x", "/?add=y", "/?all", "/?modified", "/?default=z", "/?pop=nothing",
    "/?pop=list", "/?put=3&regenerate&put=4", "/?regenerate&regenerate", "/?permanent=no", "/?get", "/?put=5", "/?all",
    "/?permanent=yes", "/?empty", "/nowhere?get", "/fails?put=6", "/?get", "/refuses?put=7", "/?get", "/?clear",
    "/?get", "/?put=8&clear", "/?regenerate", "/?get", "/?put=9", "/?del=value", "/?get", "/?clear&put=10&regenerate",
    "/?get", "/?pop=value", "/", "/?default=new", "/?permanent=no&put=11", "/?all", "/?clear", "/?all",
]  # fmt: skip


def act(query, session, regenerate):
    """Do what a query asks; tells what each action gave."""
    asked = parse_qsl(query, keep_blank_values=True)
    return json.dumps(
        [regenerate() if name == "regenerate" else ACTIONS[name](session, value) for name, value in asked]
    )


def original(policy, store):
    """A Flask app of anyone's, on Flask-Session."""
    app = flask.Flask("bridged")
    app.config |= policy.flask_config() | targets.plugins.store_config(store, Codec(policy.format))
    if policy.hardened_deletion:
        app.response_class = targets.plugins.response_class(policy)
    FlaskSession(app)
    app.session_interface.serializer = Codec(policy.format)
    app.log_exception = lambda _: None

    @app.get("/")
    def show():
        query, interface = flask.request.query_string.decode(), app.session_interface
        told = act(query, flask.session, lambda: interface.regenerate(flask.session))
        return app.response_class(told, content_type="application/json")

    @app.get("/fails")
    def fails():
        show()
        raise RuntimeError

    @app.get("/refuses")
    def refuses():
        show()
        flask.abort(403)

    for status in (403, 404, 500):
        app.register_error_handler(status, lambda error: app.response_class(b"", error.code, content_type="text/plain"))
    return app


Kept = Annotated[Session, Depends(targets.sessions.get_session)]


class Bridged(FastAPI):
    """A FastAPI app of anyone's, with the bridge around it."""

    def build_middleware_stack(self):
        app = targets.sessions.Sessions(
            super().build_middleware_stack(),
            policy=self.policy,
            store=self.store,
            clock=lambda: datetime.now(UTC),
            failed=lambda _: Response(b"", 500, headers={"content-type": "text/plain"}),
        )
        return targets.wire.QuietErrors(app, lambda _: None)


def port(policy, store):
    """The same app on FastAPI."""
    kept = store.awaitable()

    @asynccontextmanager
    async def lifespan(_):
        yield
        await kept.aclose()

    app = Bridged(openapi_url=None, lifespan=lifespan)
    app.policy, app.store = policy, kept

    @app.get("/")
    def show(request: Request, session: Kept):
        return Response(
            act(request.url.query, session, session.regenerate), headers={"content-type": "application/json"}
        )

    @app.get("/fails")
    def fails(request: Request, session: Kept):
        show(request, session)
        raise RuntimeError

    @app.get("/refuses")
    def refuses(request: Request, session: Kept):
        show(request, session)
        raise HTTPException(403)

    async def failed(_, error):
        return Response(b"", getattr(error, "status_code", 500), headers={"content-type": "text/plain"})

    app.add_exception_handler(HTTPException, failed)
    app.add_exception_handler(Exception, failed)
    return app


def stored(policy, store):
    """What lies in a store: each session's bytes and how long its id is; and how many seconds they have to live."""
    if isinstance(store, SqliteStore):
        rows = store._execute("SELECT key, value, expires FROM sessions", ())
        rows = [(key, value, expires - time.time()) for key, value, expires in rows]
    else:
        # A scan may give a key twice.
        keys = {key.decode() for key in store.client.scan_iter(f"{policy.key_prefix}*")}
        rows = [(key, store.get(key), store.client.ttl(key)) for key in keys]
    kept = sorted((bytes(value), len(key), life) for key, value, life in rows)
    return [(value, length) for value, length, _ in kept], [life for _, _, life in kept]


def alike(ours, theirs):
    """Whether two stores hold the same, for as long but for what passes between two requests on a busy machine."""
    return ours[0] == theirs[0] and all(abs(one - other) < 60 for one, other in zip(ours[1], theirs[1], strict=True))


@pytest.fixture(params=list(POLICIES))
def policy(request):
    return POLICIES[request.param]


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.services)])
def stores(request, policy):
    """Makes stores that are empty at first and at last, each with the policy that keeps it apart from others."""
    made = []
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None

    def make():
        own = replace(policy, key_prefix=f"{policy.key_prefix}{secrets.token_hex(6)}:") if url else policy
        made.append((own, RedisStore(url) if url else SqliteStore(":memory:", clock=time.time)))
        return made[-1]

    yield make
    for own, store in made:
        store.clear(own.key_prefix)
        store.close()


def cookie_of(answer, policy, before):
    """The Cookie field that a client sends after an answer."""
    for value in answer.headers.get_list("set-cookie"):
        name, _, rest = value.partition("=")
        assert name == policy.cookie_name
        id = rest.partition(";")[0]
        return {"Cookie": f"{name}={id}"} if id else {}
    return before


def client(app, policy, store):
    driver = wsgi if app is original else asgi
    target = driver(app(policy, store))
    return httpx.Client(transport=TargetTransport(target), base_url="https://testserver"), target


def test_both_answer_alike_and_store_the_same_bytes_at_every_step(policy, stores):
    (own, ours), (other, theirs) = stores(), stores()
    with wsgi(original(own, ours)) as one, asgi(port(other, theirs)) as two:
        pair = PairTransport(one, two, bindings=Bindings.opaque(Declared()))
        api, cookie, written = httpx.Client(transport=pair, base_url="https://testserver"), {}, 0
        for step in SCRIPT:
            answer = api.get(step, headers=cookie)
            cookie = cookie_of(answer, policy, cookie)
            assert alike(stored(own, ours), stored(other, theirs)), step
            written += bool(stored(own, ours)[0])
    assert written > 10


@pytest.mark.parametrize("pairing", [(original, port), (port, original), (original, original), (port, port)])
def test_what_one_app_puts_the_other_gets(policy, stores, pairing):
    own, store = stores()
    (one, first), (two, second) = (client(app, own, store) for app in pairing)
    with first, second:
        cookie = cookie_of(one.get("/?put=blue"), policy, {})
        assert two.get("/?get", headers=cookie).json() == ["blue"]
        renewed = cookie_of(two.get("/?put=green&regenerate", headers=cookie), policy, cookie)
        assert renewed != cookie
        assert [api.get("/?get", headers=renewed).json() for api in (one, two)] == [["green"], ["green"]]
        assert [api.get("/?get", headers=cookie).json() for api in (one, two)] == [[None], [None]]
        one.get("/?clear", headers=renewed)
        assert two.get("/?get", headers=renewed).json() == [None]
        assert stored(own, store) == ([], [])


class Armed:
    """Told to the world by whoever unpickles it."""

    fired: ClassVar[list[str]] = []

    def __reduce__(self):
        return (Armed.fired.append, ("unpickled",))


RUBBISH = [
    pickle.dumps({"value": "blue"}), pickle.dumps(Armed()), b"", b"\x00", b"\xc1", b"garbage", b"null", b"5",
    b"[1, 2]", b'"text"', b"{", b"\xff" * 100, b"\x91" * 5000, b"[" * 5000, b'{"a": ' * 5000, b"\xde\xff\xff",
    b"\x81\x01\x02", b'{"value": "\xff"}', b"\x81\xa1\xff\x01",
]  # fmt: skip


@pytest.mark.parametrize("app", [original, port])
def test_rubbish_in_the_store_is_no_session_and_runs_nothing(policy, stores, app):
    own, store = stores()
    api, target = client(app, own, store)
    with target:
        for rubbish in RUBBISH:
            cookie = cookie_of(api.get("/?put=blue"), policy, {})
            key = own.key_prefix + cookie["Cookie"].partition("=")[2]
            store.set(key, rubbish, seconds=60)
            answer = api.get("/?get", headers=cookie)
            assert (answer.status_code, answer.text) == (200, "[null]"), rubbish
            # Nor is its id taken up again.
            assert cookie_of(api.get("/?put=green", headers=cookie), policy, cookie) != cookie
    assert Armed.fired == []


@pytest.mark.parametrize("app", [original, port])
def test_no_session_is_evicted_for_another(stores, app):
    """cachelib's own stores forget the oldest of 500."""
    own, store = stores()
    api, target = client(app, own, store)
    with target:
        first = cookie_of(api.get("/?put=blue"), own, {})
        for _ in range(600):
            store.set(own.key_prefix + secrets.token_urlsafe(), Codec().encode({"value": 1}), seconds=60)
        assert api.get("/?get", headers=first).json() == ["blue"]


@pytest.mark.parametrize("app", [original, port])
def test_a_session_ends_with_its_lifetime(app):
    clock = [1_000_000.0]
    policy, store = (
        replace(POLICIES["hardened"], lifetime=timedelta(seconds=60)),
        SqliteStore(":memory:", clock=lambda: clock[0]),
    )
    api, target = client(app, policy, store)
    with target:
        cookie = cookie_of(api.get("/?put=blue"), policy, {})
        clock[0] += 59
        assert api.get("/?get", headers=cookie).json() == ["blue"]
        clock[0] += 1
        assert api.get("/?get", headers=cookie).json() == [None]


@pytest.mark.parametrize("app", [original, port])
def test_what_the_codec_cannot_hold_is_an_error_and_leaves_the_session_as_it_was(stores, app):
    own, store = stores()
    ACTIONS["object"] = lambda session, _: session.update(value=10**30) or session.update(other=object())
    api, target = client(app, own, store)
    try:
        with target:
            cookie = cookie_of(api.get("/?put=blue"), own, {})
            failed = api.get("/?object", headers=cookie)
            assert failed.status_code == 500
            assert "set-cookie" not in failed.headers
            assert api.get("/?get", headers=cookie).json() == ["blue"]
    finally:
        del ACTIONS["object"]


def test_the_policy_of_a_flask_app_is_read_from_its_configuration(policy):
    app = flask.Flask("configured")
    app.config |= policy.flask_config()
    assert SessionPolicy.of_flask(app.config, hardened_deletion=policy.hardened_deletion) == policy


def test_a_flask_app_without_any_setting_has_the_default_policy():
    assert SessionPolicy.of_flask(flask.Flask("plain").config) == SessionPolicy()


def test_a_lifetime_may_be_given_in_seconds():
    assert SessionPolicy.of_flask({"PERMANENT_SESSION_LIFETIME": 60}).lifetime == timedelta(seconds=60)


def test_ids_that_are_signed_are_refused_by_name():
    with pytest.raises(ValueError, match="SESSION_USE_SIGNER"):
        SessionPolicy.of_flask({"SESSION_USE_SIGNER": True})


def test_expired_sessions_leave_the_file_by_and_by(tmp_path):
    clock = [0.0]
    store = SqliteStore(str(tmp_path / "sub" / "sessions.sqlite3"), clock=lambda: clock[0])
    for n in range(150):
        store.set(f"old{n}", b"x", seconds=10)
    clock[0] = 100
    for n in range(150):
        store.set(f"new{n}", b"x", seconds=10)
    (count,) = store._execute("SELECT count(*) FROM sessions", ())[0]
    store.close()
    assert 150 <= count < 250


def test_nobody_else_on_the_machine_reads_the_file(tmp_path):
    path = tmp_path / "sessions.sqlite3"
    store = SqliteStore(str(path), clock=time.time)
    store.set("a", b"x", seconds=10)
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()] == [0o600] * 3
    store.close()


class Contended:
    """A new file while another process switches it to WAL, too: SQLite says so at once, whatever the timeout."""

    def __init__(self, times):
        self.left = times

    def execute(self, _):
        self.left -= 1
        if self.left >= 0:
            raise sqlite3.OperationalError("database is locked")


def test_two_processes_that_open_a_new_file_at_once_both_open_it():
    file = SqliteFile(":memory:", schema=(), timeout=5)
    file._switch_to_wal(Contended(times=3))
    with pytest.raises(sqlite3.OperationalError):
        SqliteFile(":memory:", schema=(), timeout=0.02)._switch_to_wal(Contended(times=10**9))


def test_a_closed_store_opens_again(tmp_path):
    store = SqliteStore(str(tmp_path / "sessions.sqlite3"), clock=time.time)
    store.set("a", b"x", seconds=10)
    store.close()
    assert store.get("a") == b"x"
    store.close()
