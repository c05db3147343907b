"""One client may ask so often and no more: counted by both apps in one store, told alike, and never in the way"""

import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from contract_tests.parity import PairTransport
from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Request
from contract_tests.suite import targets
from contract_tests.suite.test_cors import GRANTED, preflight, told
from contract_tests.suite.test_failures import failing
from contract_tests.suite.world import BASE_URL, FRIEND, own_world
from shared_core.errors import Unavailable
from shared_core.rates import RateLimits, SqliteRateStore

REFUSED = {
    "type": "about:blank",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "Asked too often; try again later.",
}
LIMIT = "5/minute"


@pytest.fixture
def world():
    with own_world(rate_limit=LIMIT, pool_timeout=0.05) as world:
        yield world


@pytest.fixture
def limited(start, world):
    """A client that may ask five times in a minute."""
    return start(world.services)


@pytest.fixture
def pair():
    """A client of both, each with a world of its own where one may ask five times in a minute."""
    with ExitStack() as stack:
        worlds = [stack.enter_context(own_world(rate_limit=LIMIT)) for _ in range(2)]
        original, port = (
            stack.enter_context(targets.open_target(role, world))
            for role, world in zip(("original", "port"), worlds, strict=True)
        )
        transport = PairTransport(original, port)
        yield stack.enter_context(httpx.Client(transport=transport, base_url=BASE_URL, trust_env=False))


def standing(answer):
    """What an answer tells of the limit: how many requests, and how many of them remain."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining")
    return tuple(answer.headers.get(name) and int(answer.headers[name]) for name in names)


@pytest.mark.in_process
def test_one_request_too_many_is_refused(limited):
    assert [standing(limited.get("/")) for _ in range(5)] == [(5, n) for n in (4, 3, 2, 1, 0)]
    for _ in range(2):
        refused = limited.get("/")
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json() == REFUSED
        assert standing(refused) == (5, 0)


@pytest.mark.in_process
def test_who_is_refused_is_told_when_to_ask_again(limited):
    told = [limited.get("/") for _ in range(6)]
    reset_at = {int(answer.headers["x-ratelimit-reset"]) for answer in told}
    assert len(reset_at) == 1
    assert 58 <= max(reset_at) - time.time() <= 61
    assert 58 <= int(told[-1].headers["retry-after"]) <= 61
    # Nobody else is told to wait.
    assert [answer for answer in told[:-1] if "retry-after" in answer.headers] == []


@pytest.mark.in_process
def test_whoever_waits_as_long_as_told_is_let_in(start):
    with own_world(rate_limit="2/second") as world:
        api = start(world.services)
        answers = [api.get("/")]
        while answers[-1].status_code == 200:
            answers.append(api.get("/"))
        time.sleep(int(answers[-1].headers["retry-after"]))
        assert standing(api.get("/")) == (2, 1)


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users", 200),
        ("HEAD", "/users", 200),
        ("OPTIONS", "/users", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/users", 405),
        ("GET", "/users?limit=x", 422),
        ("GET", "/user//1", 308),
        ("GET", "/whoami", 401),
        ("GET", "/docs/start.js", 200),
        ("DELETE", "/session", 204),
        ("DELETE", "/sessions", 401),
    ],
)
def test_every_request_counts_whatever_it_asks(pair, method, path, status):
    """Flask-Limiter alone counts what is routed: whoever tries paths that are not there is never refused."""
    for remaining in (4, 3, 2, 1, 0):
        answer = pair.request(method, path)
        assert (answer.status_code, standing(answer)) == (status, (5, remaining))
    assert pair.request(method, path).status_code == 429
    assert pair.get("/").json() == REFUSED


@pytest.mark.in_process
def test_an_unforeseen_error_counts_and_says_so(start, world):
    api = start(failing(world.services))
    answers = [api.get("/user/1") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [500] * 5 + [429]
    assert [standing(answer)[1] for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert "retry-after" not in answers[0].headers


@pytest.mark.in_process
def test_a_session_that_cannot_be_saved_counts_and_says_so(limited, world, monkeypatch):
    """Its answer is made outside the app; the count stands on it, once."""

    def fail(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(type(world.services.session_store), "set", fail)
    answer = limited.put("/session/data/colour", json={"value": "blue"})
    assert answer.status_code == 500
    assert answer.headers.get_list("x-ratelimit-remaining") == ["4"]


@pytest.mark.in_process
def test_how_long_to_wait_for_the_database_stays_the_problem_s_own(limited, world):
    """Flask-Limiter's own headers would tell whoever meets a busy database to wait for the next window."""
    with world.services.database.begin():
        answer = limited.get("/users")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert standing(answer) == (5, 4)


@pytest.mark.in_process
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "https://testserver//healthz", "/%68ealthz"])
def test_whoever_watches_the_service_is_never_refused(pair, path):
    for _ in range(6):
        pair.get("/")
    for _ in range(7):
        answer = pair.get(path)
        assert answer.status_code in {200, 404}
        assert standing(answer) == (None, None)


@pytest.mark.in_process
def test_whoever_reads_the_metrics_is_never_refused(limited):
    """No pair: what they tell of seconds is each app's own."""
    for _ in range(6):
        limited.get("/")
    for _ in range(7):
        answer = limited.get("/metrics")
        assert answer.status_code == 200
        assert standing(answer) == (None, None)


@pytest.mark.in_process
@pytest.mark.parametrize("path", ["/healthz/", "/healthz/x", "/HEALTHZ", "/x/healthz"])
def test_what_only_looks_like_a_watcher_counts(pair, path):
    assert [standing(pair.get(path))[1] for _ in range(5)] == [4, 3, 2, 1, 0]


@pytest.mark.in_process
def test_the_limit_comes_before_every_other_check(limited, world, monkeypatch):
    """429, then 403, then 503 where the session cannot be known, then what is routed (decision 0020)."""
    other_site = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert [limited.delete("/session", headers=other_site).status_code for _ in range(6)] == [403] * 5 + [429]
    assert limited.get("/nowhere").status_code == 429

    def fail(*_):
        raise Unavailable("gone")

    monkeypatch.setattr(type(world.services.session_store), "get", fail)
    assert limited.get("/", headers={"Cookie": "__Host-session=x"}).status_code == 429
    world.services.rate_limits.store.clear()
    assert limited.get("/", headers={"Cookie": "__Host-session=x"}).status_code == 503


@pytest.mark.in_process
def test_a_friend_s_page_learns_that_it_asked_too_often(pair):
    answers = [pair.get("/", headers={"Origin": FRIEND}) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert [told(answer) for answer in answers] == [GRANTED] * 6
    assert preflight(pair, "/user").status_code == 429


@pytest.mark.in_process
def test_each_address_is_counted_for_itself(limited, monkeypatch):
    for address in ("203.0.113.7", "2001:db8::7"):
        monkeypatch.setattr(framing, "CLIENT", (address, 50000))
        assert [limited.get("/").status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.in_process
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_an_address_that_a_client_makes_up_is_not_taken(start, header):
    """Nobody is a trusted proxy here."""
    with own_world(rate_limit="5/hour", trusted_proxies="") as world:
        api = start(world.services)
        answers = [api.get("/", headers={header: f"203.0.113.{n}"}) for n in range(6)]
    assert answers[-1].status_code == 429


@pytest.mark.in_process
def test_requests_that_race_are_all_counted(limited):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: limited.get("/").status_code, range(40)))
    assert sorted(answers) == [200] * 5 + [429] * 35


@pytest.mark.in_process
def test_without_a_limit_nothing_is_counted(start):
    with own_world(rate_limit="") as world:
        api = start(world.services)
        answers = [api.get("/") for _ in range(20)]
    assert {(answer.status_code, standing(answer)) for answer in answers} == {(200, (None, None))}
    assert "x-ratelimit-reset" not in answers[0].headers


@pytest.mark.in_process
def test_both_apps_count_under_one_key(world):
    """The key is Flask-Limiter's: the limit's namespace, who, of what, and the limit itself."""
    with ExitStack() as stack:
        for role in ("original", "port"):
            target = stack.enter_context(targets.open_target(role, world))
            send(target)
        counts = world.services.rate_limits.store.options["file"].execute("SELECT key, amount FROM counts")
    assert counts == [("LIMITER/127.0.0.1/global/5/1/minute", 2)]


def send(target):
    return target.send(Request("GET", b"/", ((b"Host", b"testserver"),), b""))


@pytest.mark.in_process
@pytest.mark.parametrize(("first", "then"), [("original", "port"), ("port", "original")])
def test_who_is_refused_by_one_app_is_refused_by_the_other(world, first, then):
    with targets.open_target(first, world) as here, targets.open_target(then, world) as there:
        assert [send(here).status for _ in range(4)] == [200] * 4
        assert [send(each).status for each in (there, here, there)] == [200, 429, 429]


@pytest.mark.shared
def test_requests_are_counted_together(visitor):
    """On servers, too: two processes, one file."""
    anyone = visitor()
    asked = [anyone.here.get("/"), anyone.there.get("/"), anyone.there.get("/nowhere"), anyone.here.get("/users")]
    remaining = [standing(answer)[1] for answer in asked]
    assert remaining == list(range(remaining[0], remaining[0] - 4, -1))
    assert len({answer.headers["x-ratelimit-reset"] for answer in asked}) == 1


@pytest.fixture
def broken(world, tmp_path):
    """Services whose counts lie in a folder that is none, and what mends it."""
    (tmp_path / "folder").touch()
    store = SqliteRateStore(str(tmp_path / "folder/limits.sqlite3"), clock=time.time)
    yield replace(world.services, rate_limits=RateLimits(LIMIT, store)), (tmp_path / "folder").unlink
    store.close()


@pytest.mark.in_process
def test_while_the_counts_are_out_of_reach_requests_pass(start, broken, caplog):
    services, mend = broken
    api = start(services)
    for answer in [api.get("/") for _ in range(7)]:
        assert (answer.status_code, standing(answer)) == (200, (None, None))
        assert "x-ratelimit-reset" not in answer.headers
    assert api.delete("/session", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    # And they count again without a restart.
    mend()
    assert [api.get("/").status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.in_process
def test_a_request_that_passed_uncounted_is_one_line_in_the_log(start, broken, caplog):
    # The access log, which names the client, is another log; a test before may have let it speak.
    caplog.set_level(logging.WARNING, "access")
    start(broken[0]).get("/")
    assert [(record.name, record.getMessage()) for record in caplog.records if record.levelname != "INFO"] == [
        ("service", "the limit store cannot answer: FileExistsError")
    ]
    assert "Traceback" not in caplog.text
    assert not re.search(r"127\.0\.0\.1|LIMITER", caplog.text)
