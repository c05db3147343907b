"""Sessions in Redis: the same contract, and what happens while it is gone"""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import httpx
import pytest
import redis

from contract_tests.parity import PairTransport
from contract_tests.parity.transport import TargetTransport
from contract_tests.suite import targets
from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import World, on_store, own_world, settings
from contract_tests.tests.house.conftest import suite_passes
from contract_tests.tests.house.test_bridge import alike
from shared_core.services import make_session_store
from shared_core.sessions import Codec

ADA = {"name": "Ada", "email": "ada@example.com", "password": "test"}
UNAVAILABLE = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The session store cannot answer just now; try again soon.",
}


class Proxy:
    """A port that leads to Redis, until it is closed; it can be opened again at the same place."""

    def __init__(self, host="127.0.0.1", port=6379):
        self.behind = (host, port)
        self.address = ("127.0.0.1", 0)
        self.pairs = []
        self.open()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.address[1]}/0"

    def open(self):
        self.listener = socket.create_server(self.address, reuse_port=False)
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """Refuse new connections and cut those that there are."""
        # shutdown wakes the thread that waits in accept; close alone would leave it the port.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.pairs:
            each.close()
        self.pairs.clear()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.behind)
            self.pairs += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one, other):
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(redis_url):
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def world(proxy):
    """A world whose sessions are in Redis, behind the proxy."""
    with own_world(**on_store(proxy.url)) as world:
        yield world
        if proxy.listener.fileno() == -1:
            proxy.open()


@pytest.fixture(params=["original", "port"])
def api(request, world):
    with targets.open_target(request.param, world) as target:
        yield httpx.Client(transport=TargetTransport(target), base_url="https://testserver")


def test_the_suite_holds_on_redis(redis_url):
    # The [both] variants ask both apps and compare.
    options = ["--session-store", redis_url, "-k", "both or test_signin"]
    assert suite_passes(("session", "session_data", "account", "signin"), *options) > 200


def test_both_apps_leave_the_same_bytes_with_the_same_lifetime(redis_url):
    with ExitStack() as stack:
        one, other = (stack.enter_context(own_world(**on_store(redis_url))) for _ in range(2))
        original = stack.enter_context(targets.open_target("original", one))
        port = stack.enter_context(targets.open_target("port", other))
        api = stack.enter_context(httpx.Client(transport=PairTransport(original, port), base_url="https://testserver"))
        api.put("/session/data/colour", json={"value": [1, "\u00fc", None, {"a": 0.5}]})
        assert alike(stored(one), stored(other))
        assert len(stored(one)[0]) == 1
        api.post("/user", json=ADA)
        api.post("/session", json=credentials(ADA))
        assert alike(stored(one), stored(other))
        (value,), (seconds,) = stored(one)
        assert Codec().decode(value)["login_id"] == "token-1"
        assert 0 <= one.services.session_policy.lifetime_seconds - seconds < 60


def stored(world):
    """What lies in a world's store: bytes, and seconds to live."""
    client, prefix = world.services.session_store.client, world.services.session_policy.key_prefix
    keys = sorted(set(client.scan_iter(f"{prefix}*")), key=client.get)
    return [client.get(key) for key in keys], [client.ttl(key) for key in keys]


def test_while_redis_is_down_only_requests_with_a_session_are_refused(api, proxy, caplog):
    api.post("/user", json=ADA)
    api.post("/session", json=credentials(ADA))
    assert api.get("/whoami").status_code == 200
    proxy.close()
    for path in ("/whoami", "/", "/users", "/nowhere"):
        refused = api.get(path)
        assert refused.status_code == 503, path
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "1"
        assert refused.json() == UNAVAILABLE
    assert api.delete("/session").status_code == 503
    # Where it comes from is asked first, for that needs no session.
    assert api.delete("/session", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert api.request("OPTIONS", "/users").status_code == 503
    assert [api.get(path).status_code for path in ("/healthz", "https://testserver//healthz")] == [200, 200]
    # Whoever has no cookie is served, but for what needs a session.
    cookie = dict(api.cookies)
    api.cookies.clear()
    assert [api.get(path).status_code for path in ("/", "/users", "/healthz", "/whoami")] == [200, 200, 200, 401]
    assert api.post("/user", json=ADA | {"email": "bea@example.com"}).status_code == 201
    assert api.post("/session", json=credentials(ADA)).json() == UNAVAILABLE
    refused = api.put("/session/data/colour", json={"value": 1})
    assert refused.json() == UNAVAILABLE
    assert "set-cookie" not in refused.headers
    lines = {record.getMessage() for record in caplog.records if record.name == "service"}
    assert lines == {"the session store cannot answer: ConnectionError"}
    # And it works again without a restart.
    proxy.open()
    api.cookies.update(cookie)
    assert api.get("/whoami").json() == {"id": 1, "name": "Ada", "email": "ada@example.com"}
    assert api.put("/session/data/colour", json={"value": 1}).status_code == 200


def test_a_redis_that_never_answers_holds_up_no_one_else():
    """The client gives up after two seconds; on the port's one loop nobody else waits for that."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        chosen = settings(session_store=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with own_world() as world:
            services = replace(world.services, session_store=make_session_store(chosen))
            with targets.open_target("port", World(services)) as target:
                api = httpx.Client(transport=TargetTransport(target), base_url="https://testserver")
                waiting = pool.submit(api.get, "/whoami", headers={"Cookie": "__Host-session=x"})
                answered = 0
                while not waiting.done():
                    answered += api.get("/").status_code == 200
                    time.sleep(0.01)
                assert waiting.result().json() == UNAVAILABLE
                assert answered > 10
            services.session_store.close()


def test_a_redis_that_is_full_is_unavailable(api, monkeypatch):
    """It still reads: what cannot be written is refused, and nothing is told to have been kept."""
    api.put("/session/data/colour", json={"value": "blue"})

    def full(original):
        def execute(self, *arguments, **options):
            if arguments[0] == "SET":
                raise redis.ResponseError("OOM command not allowed when used memory > 'maxmemory'")
            return original(self, *arguments, **options)

        return execute

    monkeypatch.setattr(redis.Redis, "execute_command", full(redis.Redis.execute_command))
    monkeypatch.setattr(redis.asyncio.Redis, "execute_command", full(redis.asyncio.Redis.execute_command))
    refused = api.put("/session/data/colour", json={"value": "green"})
    assert refused.json() == UNAVAILABLE
    assert api.get("/session/data/colour").json() == {"value": "blue"}
