"""Of one set of tokens there is one renewal over all processes of one store, and one that fails is tried again"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from contract_tests.suite.provider import Provider
from shared_core.errors import Unavailable
from shared_core.sessions import Codec
from shared_core.sessions.stores import SqliteStore
from shared_core.signin import Renewals, SignIn, renewals

ROOT = Path(__file__).parents[3]
CALLBACK = "https://testserver/signin/callback"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    """Seconds since 1970, moved by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    store = SqliteStore(str(tmp_path / "sessions.sqlite3"), clock=clock)
    yield store
    store.close()


def newest(store: Any, tokens: str, renew: Any, *, fresh: bool = True) -> str:
    return Renewals(store, prefix="session:").newest(tokens, is_fresh=lambda _: fresh, renew=renew)


def keys(store: SqliteStore) -> list[str]:
    return [key for (key,) in store._file.execute("SELECT key FROM sessions")]


def never(_: str) -> str:
    raise AssertionError("renewed twice")


def test_what_is_added_is_there_until_it_expires(store, clock):
    assert store.add("a", b"1", seconds=60)
    assert not store.add("a", b"2", seconds=60)
    assert store.get("a") == b"1"
    clock.now += 60
    assert store.add("a", b"3", seconds=60)
    assert store.get("a") == b"3"
    store.delete("a")
    assert store.add("a", b"4", seconds=60)


def test_redis_adds_alike(redis_url):
    from shared_core.sessions.redis_stores import RedisStore

    store = RedisStore(redis_url)
    key = f"contract-{time.monotonic_ns()}"
    try:
        assert store.add(key, b"1", seconds=60)
        assert not store.add(key, b"2", seconds=60)
        assert store.get(key) == b"1"
        assert 0 < store.client.ttl(key) <= 60
    finally:
        store.delete(key)
        store.close()


def test_who_comes_later_with_the_old_tokens_gets_the_new_ones(store):
    assert newest(store, "old", lambda _: "new") == "new"
    assert newest(store, "old", never) == "new"


def test_what_was_renewed_and_ran_out_is_renewed_and_not_what_was_before_it(store):
    newest(store, "old", lambda _: "new")
    assert newest(store, "old", lambda tokens: f"{tokens}er", fresh=False) == "newer"
    assert newest(store, "old", never) == "new"


def test_what_needed_no_renewal_is_not_kept(store):
    assert newest(store, "good", lambda tokens: tokens) == "good"
    assert keys(store) == []


def test_who_waits_gets_what_the_first_one_got(store):
    begun, go = threading.Event(), threading.Event()

    def slow(_: str) -> str:
        begun.set()
        assert go.wait(10)
        return "new"

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(newest, store, "old", slow)
        assert begun.wait(10)
        others = [pool.submit(newest, store, "old", never) for _ in range(2)]
        go.set()
        assert [each.result() for each in (first, *others)] == ["new"] * 3


def test_a_renewal_that_fails_leaves_the_way_free(store):
    def fail(_: str) -> str:
        raise Unavailable("down")

    for _ in range(2):
        with pytest.raises(Unavailable, match="down"):
            newest(store, "old", fail)
    assert newest(store, "old", lambda _: "new") == "new"


def test_a_renewal_that_was_killed_holds_nobody_up_for_long(store, clock, monkeypatch):
    monkeypatch.setattr(renewals, "WAIT_SECONDS", 0.1)
    newest(store, "old", lambda _: "new")
    store.set(keys(store)[0], b"", seconds=renewals.LEASE_SECONDS)
    with pytest.raises(Unavailable):
        newest(store, "old", never)
    clock.now += renewals.LEASE_SECONDS
    assert newest(store, "old", lambda _: "other") == "other"


def test_a_store_that_fails_at_the_end_loses_no_tokens(store, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise Unavailable("down")

    monkeypatch.setattr(store, "set", fail)
    assert newest(store, "old", lambda _: "new") == "new"


def test_what_is_kept_is_no_session_and_is_forgotten_within_an_hour(store, clock):
    tokens = json.dumps({"tokens": "x", "login_id": "y"})
    store.add("session:under-way", renewals._UNDER_WAY, seconds=60)
    newest(store, "old", lambda _: tokens)
    for key in keys(store):
        assert key.startswith("session:")  # what is emptied by the prefix goes along
        assert "old" not in key
        assert Codec().decode(store.get(key)) is None
    clock.now += 3600
    assert [store.get(key) for key in keys(store)] == [None, None]


CHILD = """
import json, sys
from datetime import UTC, datetime
from shared_core.sessions.stores import SqliteStore
from shared_core.signin import Renewals, SignIn
import msal, requests, time
settings, path, session = json.loads(sys.stdin.readline())
store = SqliteStore(path, clock=time.time)
sign_in = SignIn(**settings, clock=lambda: datetime.now(UTC), renewals=Renewals(store, prefix="session:"))
sign_in.signed_out_url()
print("ready", flush=True)
sys.stdin.readline()
print(sign_in.access_token(session, now=datetime.now(UTC)))
print(json.dumps(session))
"""


def test_two_processes_over_one_store_renew_once(tmp_path):
    with Provider(CALLBACK, folder=tmp_path) as provider:
        settings = {
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "authority": provider.authority,
            "redirect_uri": CALLBACK,
            "signed_out_uri": "https://testserver/",
            "ca_file": str(provider.ca_file),
        }
        told = json.dumps([settings, str(tmp_path / "sessions.sqlite3"), expired_session(provider, settings)])
        provider.expires_in = 3600
        provider.requests.clear()
        children = [child(told) for _ in range(2)]
        with provider.slowly("/tenant/token", 0.5):
            for each in children:
                assert each.stdout.readline() == "ready\n"
            for each in children:
                each.stdin.write("go\n")
                each.stdin.flush()
            told = [each.communicate(timeout=60) for each in children]
    assert [each.returncode for each in children] == [0, 0], told
    assert told[0] == told[1]
    assert provider.requests.count("POST /tenant/token") == 1


def child(told: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        [sys.executable, "-c", CHILD], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    assert started.stdin is not None
    started.stdin.write(told + "\n")
    started.stdin.flush()
    return started


def expired_session(provider: Provider, settings: dict[str, Any]) -> dict[str, Any]:
    provider.expires_in = 10
    sign_in = SignIn(**settings, clock=lambda: datetime.now(UTC))
    session: dict[str, Any] = {}
    back = urlsplit(provider.answer(sign_in.begin(session, now=NOW)))
    sign_in.finish(session, parse_qsl(back.query), now=NOW)
    sign_in.close()
    return session
