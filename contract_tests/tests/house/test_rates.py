"""Where requests are counted: SQLite as `limits` wants it, and Redis; what happens while it is gone"""

import asyncio
import secrets
import socket
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.world import World, own_world, settings
from contract_tests.tests import children
from contract_tests.tests.house.test_redis import Proxy
from shared_core.rates import Count, RateLimits, SqliteRateStore
from shared_core.rates import stores as rate_stores
from shared_core.rates.stores import SqliteStorage
from shared_core.services import make_rate_store


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    store = SqliteRateStore(str(tmp_path / "var/limits.sqlite3"), clock=clock)
    yield store
    store.close()


@pytest.fixture
def storage(store):
    return SqliteStorage(**store.options)


def test_it_is_a_storage_that_limits_makes_by_its_scheme(store):
    made = storage_from_string(store.uri, **store.options)
    assert isinstance(made, SqliteStorage)
    assert made.check()
    limiter = FixedWindowRateLimiter(made)
    assert [limiter.hit(parse("2/minute"), "a") for _ in range(3)] == [True, True, False]


def test_a_window_begins_with_its_first_request_and_ends_for_good(storage, clock):
    assert [storage.incr("a", 60), storage.incr("a", 60, amount=3)] == [1, 4]
    assert (storage.get("a"), storage.get_expiry("a")) == (4, 1060.0)
    clock.now = 1059.9
    assert storage.incr("a", 60) == 5
    assert storage.get_expiry("a") == 1060.0
    clock.now = 1060.0
    assert (storage.get("a"), storage.get_expiry("a")) == (0, 1060.0)
    assert storage.incr("a", 60) == 1
    assert storage.get_expiry("a") == 1120.0


def test_one_key_is_forgotten_or_all(storage):
    for key in ("a", "b", "c"):
        storage.incr(key, 60)
    storage.clear("a")
    assert [storage.get(key) for key in ("a", "b", "c")] == [0, 1, 1]
    assert storage.reset() == 2
    assert [storage.get(key) for key in ("b", "c")] == [0, 0]


def test_what_has_expired_is_cleared_away(store, storage, clock, monkeypatch):
    monkeypatch.setattr(rate_stores, "COUNTS_BETWEEN_CLEANUPS", 10)
    for n in range(9):
        storage.incr(f"a{n}", 60)
    clock.now += 61
    storage.incr("b", 60)
    assert store.options["file"].execute("SELECT key FROM counts") == [("b",)]


def test_nobody_else_may_read_who_was_here(storage, tmp_path):
    storage.incr("a", 60)
    assert stat.S_IMODE((tmp_path / "var/limits.sqlite3").stat().st_mode) == 0o600


def test_threads_lose_no_count(storage):
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: storage.incr("a", 60), range(400)))
    assert sorted(seen) == list(range(1, 401))


def count_to(path, times, begin, seen):
    store = SqliteRateStore(path, clock=time.time)
    storage = SqliteStorage(**store.options)
    begin.wait(timeout=30)
    seen.put([storage.incr("a", 3600) for _ in range(times)])
    store.close()


def test_processes_lose_no_count(tmp_path):
    forks = children.parent()
    begin, seen = forks.Barrier(2), forks.Queue()
    path = str(tmp_path / "limits.sqlite3")
    processes = [forks.Process(target=count_to, args=(path, 300, begin, seen)) for _ in range(2)]
    for process in processes:
        process.start()
    counted = [seen.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=30)
    assert sorted(counted[0] + counted[1]) == list(range(1, 601))


def test_a_file_that_another_process_holds_is_given_up_after_a_second(store, storage, tmp_path):
    storage.incr("a", 60)
    holder = sqlite3.connect(tmp_path / "var/limits.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError):
        storage.incr("a", 60)
    assert 0.5 < time.monotonic() - began < 4
    assert storage.get("a") == 1
    holder.execute("ROLLBACK")
    holder.close()
    assert storage.incr("a", 60) == 2


def test_making_a_store_opens_nothing(tmp_path, clock):
    SqliteRateStore(str(tmp_path / "var/limits.sqlite3"), clock=clock)
    assert not (tmp_path / "var").exists()


def test_the_loop_goes_on_while_a_count_waits_for_the_file(store, storage, tmp_path):
    storage.incr("other", 60)
    holder = sqlite3.connect(tmp_path / "var/limits.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def ticks_while_counting():
        counter, ticks = store.counter(parse("5/minute")), 0
        counting = asyncio.ensure_future(counter.count(None))
        while not counting.done() and ticks < 20:
            await asyncio.sleep(0.005)
            ticks += 1
        holder.execute("ROLLBACK")
        count = await counting
        await counter.aclose()
        return ticks, count

    ticks, count = asyncio.run(ticks_while_counting())
    holder.close()
    assert ticks == 20
    assert count == Count(limit=5, remaining=4, reset_at=1061, exceeded=False)


@pytest.mark.parametrize(
    ("now", "wait"), [(1000.0, 61), (1000.9, 61), (1060.0, 1), (1060.9, 1), (1061.0, 1), (1070.0, 1)]
)
def test_whoever_waits_is_in_the_next_window(now, wait):
    assert Count(limit=5, remaining=0, reset_at=1061, exceeded=True).refusal(now=now).retry_after == wait


@contextmanager
def clients(world):
    """A client of each app over one world."""
    with targets.open_target("original", world) as original, targets.open_target("port", world) as port:
        yield [
            httpx.Client(transport=TargetTransport(each), base_url="https://testserver") for each in (original, port)
        ]


def on_redis(url, **changes):
    return own_world(rate_limit_store=url, rate_limit_key_prefix=f"contract-{secrets.token_hex(6)}", **changes)


def test_both_apps_count_together_in_redis(redis_url):
    with on_redis(redis_url, rate_limit="5/minute") as world, clients(world) as (original, port):
        answers = [each.get("/") for each in (original, port, port, original, port, original, port)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == list("4321000")
        assert all(1 <= int(answer.headers["retry-after"]) <= 61 for answer in answers[-2:])
        world.reset()
        assert port.get("/").headers["x-ratelimit-remaining"] == "4"


def test_rewinding_leaves_the_counts_of_others_in_redis(redis_url):
    with on_redis(redis_url) as world, on_redis(redis_url) as other, clients(other) as (original, _):
        original.get("/")
        world.reset()
        assert original.get("/").headers["x-ratelimit-remaining"] == "999998"


def test_while_redis_is_down_requests_pass(redis_url, caplog):
    proxy = Proxy()
    with on_redis(proxy.url, rate_limit="5/minute") as world, clients(world) as both:
        assert [each.get("/").headers["x-ratelimit-remaining"] for each in both] == ["4", "3"]
        proxy.close()
        for each in both:
            caplog.clear()
            answer = each.get("/")
            assert answer.status_code == 200
            assert "x-ratelimit-limit" not in answer.headers
            lines = [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
            assert lines == ["the limit store cannot answer: ConnectionError"]
        proxy.open()
        assert [each.get("/").headers["x-ratelimit-remaining"] for each in both] == ["2", "1"]
    proxy.close()


def test_a_redis_that_never_answers_holds_up_no_request_for_long():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with own_world() as world:
            limits = RateLimits("5/minute", make_rate_store(settings(rate_limit_store=url)))
            with clients(World(replace(world.services, rate_limits=limits))) as both:
                for each in both:
                    began = time.monotonic()
                    assert each.get("/").status_code == 200
                    assert time.monotonic() - began < 2
            limits.store.close()
