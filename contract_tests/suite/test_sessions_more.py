"""What a hand that ports sessions forgets easily: each found by a fault that no other test saw"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from contract_tests.suite.test_failures import Waiting
from contract_tests.suite.test_overlap import Clock, hash_of
from contract_tests.suite.test_session import session_of, varies_by, with_cookie
from contract_tests.suite.test_signin import begin, come_back, sign_in
from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import own_world, provider
from shared_core import logins
from shared_core.errors import Unavailable
from shared_core.sessions.stores import SqliteStore

CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
UNAVAILABLE = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The session store cannot answer just now; try again soon.",
}


class Breaking(SqliteStore):
    """A store that works until it is broken."""

    broken = False

    def _execute(self, statement, values):
        if self.broken:
            raise Unavailable(UNAVAILABLE["detail"])
        return super()._execute(statement, values)


class Slow(SqliteStore):
    """A store that does not answer until it is let go, once it is held."""

    def __init__(self, clock):
        super().__init__(":memory:", clock=clock)
        self.hold = False
        self.asked = threading.Event()
        self.released = threading.Event()

    def get(self, key):
        if self.hold:
            self.asked.set()
            self.released.wait(timeout=10)
        return super().get(key)


@pytest.fixture
def broken(start, services, ada, sign_up):
    """A client that is signed in, and whose session cannot be known any more."""
    store = Breaking(":memory:", clock=lambda: 0.0)
    api = start(replace(services, session_store=store))
    sign_up(api, ada)
    store.broken = True
    yield api
    store.close()


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/readyz"), ("GET", "/users"), ("GET", "/nowhere"), ("OPTIONS", "/users"), ("PUT", "/")],
)
def test_without_its_store_a_session_is_refused_wherever_it_goes(broken, method, path):
    refused = broken.request(method, path)
    assert refused.status_code == 503
    assert refused.json() == UNAVAILABLE
    assert refused.headers["retry-after"] == "1"


@pytest.mark.in_process
@pytest.mark.parametrize("path", ["/healthz", "//healthz"])
def test_the_process_is_up_without_its_session_store(broken, path):
    assert broken.get(f"https://testserver{path}").status_code == 200
    assert broken.post(f"https://testserver{path}").status_code == 405


@pytest.mark.in_process
def test_a_request_of_another_site_is_refused_as_such_without_the_store_too(broken):
    assert broken.delete("/session", headers=CROSS_SITE).status_code == 403
    assert broken.post("/nowhere", headers=CROSS_SITE).status_code == 403


@pytest.mark.in_process
def test_what_could_not_be_kept_is_not_told_to_have_been(start, services, request):
    """The store that fails at the end of a request: no half of the answer goes out."""
    store = Breaking(":memory:", clock=lambda: 0.0)
    request.addfinalizer(store.close)
    api = start(replace(services, session_store=store))
    store.broken = True
    refused = api.put("/session/data/colour", json={"value": 1})
    assert refused.json() == UNAVAILABLE
    assert "set-cookie" not in refused.headers
    assert "Cookie" not in varies_by(refused)
    store.broken = False
    assert api.put("/session/data/colour", json={"value": 1}).status_code == 200


@pytest.mark.in_process
def test_a_store_that_is_slow_holds_up_no_one_else(start, services, request):
    """On the port it is waited for beside the loop."""
    store = Slow(services.session_store._clock)
    request.addfinalizer(store.close)
    api = start(replace(services, session_store=store))
    store.hold = True
    with ThreadPoolExecutor(1) as pool:
        try:
            slow = pool.submit(api.get, "/whoami", headers={"Cookie": "__Host-session=x"})
            assert store.asked.wait(timeout=10)
            assert api.get("/").status_code == 200
            assert not slow.done()
        finally:
            store.released.set()
        assert slow.result().status_code == 401


def written_back(services, id):
    """Gives what writes a session back as it is now, as a slow request would."""
    store, key = services.session_store, services.session_policy.key_prefix + id
    value = store.get(key)
    return lambda: store.set(key, value, seconds=60)


@pytest.mark.in_process
@pytest.mark.parametrize("how", ["in again", "out", "everywhere"])
def test_a_session_that_is_written_back_is_nobody_s(start, ada, sign_up, how):
    """Its login is over in the database, whatever the store says."""
    with own_world(**provider().settings()) as world:
        api = start(world.services)
        sign_up(api, ada)
        old = session_of(api)
        write_back = written_back(world.services, old)
        if how == "in again":
            assert api.post("/session", json=credentials(ada)).status_code == 200
        elif how == "out":
            assert api.post("/signout").status_code == 303
        else:
            assert api.delete("/sessions").status_code == 204
        write_back()
        assert api.get("/whoami", headers=with_cookie(api, old)).status_code == 401


@pytest.mark.in_process
def test_a_sign_in_at_the_provider_ends_the_login_before(start, ada, sign_up):
    with own_world(**provider().settings()) as world:
        api = start(world.services)
        sign_up(api, ada)
        old = session_of(api)
        write_back = written_back(world.services, old)
        sign_in(api, provider())
        write_back()
        assert api.get("/whoami", headers=with_cookie(api, old)).status_code == 401


@pytest.mark.provider
def test_the_profile_ends_with_the_login(connect, provider):
    """The session still holds the provider's tokens."""
    here, there = connect(), connect()
    sign_in(here, provider)
    sign_in(there, provider)
    there.delete("/sessions")
    refused = here.get("/signin/profile")
    assert (refused.status_code, refused.json()["detail"]) == (401, "Sign in first.")


def test_a_body_is_looked_at_before_the_login_that_a_value_is_kept_under(connect, ada, sign_up):
    """Unlike an account's: nobody needs to be signed in to keep a value."""
    here, there = connect(), connect()
    sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    there.delete("/sessions")
    headers = {"Content-Type": "application/json"}
    statuses = [
        here.put("/session/data/colour", content=body, headers=headers).status_code
        for body in (b"{", b"{}", b'{"value": 1}')
    ]
    assert statuses == [400, 422, 401]


@pytest.mark.parametrize("value", [[1] * 2000, "\u00fc" * 2047], ids=["no spaces", "no escapes"])
def test_the_size_of_a_value_is_that_of_its_shortest_json(api, value):
    assert api.put("/session/data/colour", json={"value": value}).status_code == 200


def test_what_was_kept_just_now_needs_no_refreshing(api):
    assert "set-cookie" in api.put("/session/data/colour", json={"value": "blue"}).headers
    assert "set-cookie" not in api.get("/session/data/colour").headers


def test_a_sign_in_forgives_nobody_else_s_attempts(api, ada, person):
    api.post("/user", json=ada)
    nobody = credentials(person("Nobody"))
    assert [api.post("/session", json=nobody).status_code for _ in range(10)] == [401] * 10
    assert api.post("/session", json=credentials(ada)).status_code == 200
    assert api.post("/session", json=nobody).status_code == 429


@pytest.mark.in_process
def test_a_window_is_over_though_its_row_is_still_there(start, services, ada, monkeypatch):
    """A sign-in clears away a few rows only, and none that another transaction holds."""
    monkeypatch.setattr(logins, "EXPIRED_AT_ONCE", 0)
    clock = Clock()
    api = start(replace(services, clock=clock))
    wrong = credentials(ada)
    for _ in range(11):
        last = api.post("/session", json=wrong).status_code
    assert last == 429
    clock.now += timedelta(seconds=300)
    assert [api.post("/session", json=wrong).status_code for _ in range(11)] == [401] * 10 + [429]
    clock.now += timedelta(seconds=299)
    assert api.post("/session", json=wrong).headers["retry-after"] == "1"


@pytest.mark.in_process
def test_no_sign_in_clears_away_all_that_is_over(start, services, ada, person):
    clock = Clock()
    api = start(replace(services, clock=clock))
    for n in range(12):
        api.post("/session", json=credentials(person(f"N{n}")))
    clock.now += timedelta(days=1)
    api.post("/session", json=credentials(ada))
    with services.database.begin() as db:
        left = db.exec_driver_sql("SELECT count(*) FROM sign_in_attempts").scalar()
    assert left == 12 - logins.EXPIRED_AT_ONCE + 1


@pytest.mark.in_process
def test_a_password_hashed_at_this_cost_is_not_hashed_anew(start, services, ada):
    api = start(services)
    api.post("/user", json=ada)
    before = hash_of(services)
    assert api.post("/session", json=credentials(ada)).status_code == 200
    assert hash_of(services) == before


@pytest.mark.in_process
def test_the_end_of_a_login_is_when_it_first_ended(start, services, ada, sign_up):
    clock = Clock()
    here, there = (start(replace(services, clock=clock)) for _ in range(2))
    sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    here.delete("/session")
    clock.now += timedelta(hours=1)
    there.delete("/sessions")
    with services.database.begin() as db:
        ends = db.exec_driver_sql("SELECT revoked_at FROM logins ORDER BY created_at, id").scalars().all()
    assert len(set(ends)) == 2


class Given(Waiting):
    """The same for a password that changes."""

    def hash_given(self, password):
        return self.hash(password)

    async def hash_given_async(self, password):
        return await self.hash_async(password)


@pytest.mark.in_process
def test_who_waits_for_a_new_password_holds_up_no_others_and_no_connection(start, services, ada, sign_up):
    me = sign_up(start(services), ada)
    waiting = Given(services.passwords)
    api = start(replace(services, passwords=waiting))
    signed_in = start(services)
    signed_in.post("/session", json=credentials(ada))
    headers = {"Cookie": f"__Host-session={session_of(signed_in)}"}
    with ThreadPoolExecutor(1) as pool:
        try:
            sent = pool.submit(api.patch, f"/user/{me['id']}", json={"password": "new"}, headers=headers)
            assert waiting.asked.acquire(timeout=10)
            assert services.database.engine.pool.checkedout() == 0
            assert [api.get(path).status_code for path in ("/", f"/user/{me['id']}")] == [200, 200]
            assert not sent.done()
        finally:
            waiting.released.set()
        assert sent.result().status_code == 200
    waiting.close()


def test_tracing_changes_nothing_and_is_free_to_every_site(api):
    """RFC 9110 section 9.2.1: it is safe; that it is not offered is another answer."""
    assert api.request("TRACE", "/users", headers=CROSS_SITE).status_code == 405


@pytest.mark.provider
def test_a_sign_in_that_was_refused_leaves_no_tokens_to_the_next(connect, provider, person):
    """The provider knew them, this service did not: whoever signs in with a password then is someone else."""
    api, ada = connect(), person() | {"email": "ada@contoso.example"}
    api.post("/user", json=ada)
    assert come_back(api, provider.answer(begin(api))).status_code == 409
    assert api.post("/session", json=credentials(ada)).status_code == 200
    assert api.get("/signin/profile").status_code == 401


@pytest.mark.parametrize("value", ['"\\377"', '"\\303\\050"', '"\\"'])
def test_a_quoted_cookie_that_is_no_text_is_nobody(api, value):
    refused = api.get("/whoami", headers={"Cookie": f"__Host-session={value}"})
    assert refused.status_code == 401


def test_an_unforeseen_error_stays_one_where_the_session_cannot_be_saved_either(
    start, services, ada, sign_up, caplog, request
):
    store = Breaking(":memory:", clock=services.session_store._clock)
    request.addfinalizer(store.close)

    class Broken:
        def signed_out_url(self):
            store.broken = True
            raise RuntimeError

        def close(self):
            pass

    api = start(replace(services, session_store=store, signin=Broken()))
    sign_up(api, ada)
    answer = api.post("/signout")
    assert answer.status_code == 500
    assert "Cookie" in varies_by(answer)
    assert "set-cookie" not in answer.headers
    assert "Traceback" not in caplog.text
