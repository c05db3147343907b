"""Requests of one session that renew its tokens at once: the provider is asked once, and nobody is signed out

Each renewal here ends the refresh token before it, and a second use of that one ends the whole sign-in.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contract_tests.parity.transport import TargetTransport
from contract_tests.suite.targets import open_target
from contract_tests.suite.test_overlap import Clock, Held, kept
from contract_tests.suite.test_session import session_of, with_cookie
from contract_tests.suite.test_signin import sign_in
from contract_tests.suite.world import BASE_URL, World, own_world, provider

pytestmark = pytest.mark.in_process

TOKEN = "/tenant/token"


@pytest.fixture
def ours():
    """The provider in Python, whose access tokens run out at once until it is told otherwise."""
    ours = provider()
    ours.expires_in = 10
    yield ours
    ours.expires_in = 3600


@pytest.fixture
def world(ours):
    with own_world(pool_timeout=10, **ours.settings()) as world:
        yield world


def signed_in(api, ours):
    """The cookie of who is signed in, with an access token that ran out; from now on they last."""
    sign_in(api, ours)
    ours.expires_in = 3600
    ours.requests.clear()
    return session_of(api)


def profiles(clients, cookie):
    """What each client is answered at once with one cookie, as its status and subject."""

    def ask(api):
        answer = api.get("/signin/profile", headers=with_cookie(api, cookie))
        return answer.status_code, answer.json().get("subject")

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(ask, clients))


def test_requests_at_once_renew_one_session_once(start, world, ours):
    api = start(world.services)
    cookie = signed_in(api, ours)
    with ours.slowly(TOKEN, 0.3):
        assert profiles([api] * 4, cookie) == [(200, "sub-ada")] * 4
    assert ours.requests.count(f"POST {TOKEN}") == 1
    # What is kept in the end is what was renewed, whoever saved last.
    assert profiles([api], cookie) == [(200, "sub-ada")]
    assert ours.requests.count(f"POST {TOKEN}") == 1


def test_two_apps_at_once_renew_one_session_once(world, ours, contract):
    with ExitStack() as stack:
        clients = []
        for role in ("original", "port"):
            transport = TargetTransport(stack.enter_context(open_target(role, World(world.services))))
            clients.append(stack.enter_context(httpx.Client(transport=transport, base_url=BASE_URL, trust_env=False)))
        cookie = signed_in(clients[0], ours)
        with ours.slowly(TOKEN, 0.3):
            assert profiles(clients * 2, cookie) == [(200, "sub-ada")] * 4
        assert profiles(clients, cookie) == [(200, "sub-ada")] * 2
    assert ours.requests.count(f"POST {TOKEN}") == 1


def test_two_sessions_of_one_person_are_renewed_apart(start, world, ours):
    api = start(world.services)
    cookies = []
    for _ in range(2):
        ours.expires_in = 10
        cookies.append(signed_in(api, ours))
        api.cookies.clear()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda cookie: profiles([api], cookie), cookies))
    assert both == [[(200, "sub-ada")]] * 2
    assert ours.requests.count(f"POST {TOKEN}") == 2


def test_a_slow_request_that_writes_the_session_back_undoes_no_renewal(start, world, ours):
    clock, database = Clock(), Held(world.services.database)
    api = start(replace(world.services, clock=clock, database=database))
    cookie = signed_in(api, ours)
    before = kept(world.services, cookie)["tokens"]
    # After five minutes a read refreshes the session, and so writes it.
    clock.now += timedelta(seconds=301)
    database.hold = True
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(api.get, "/whoami", headers=with_cookie(api, cookie))
        assert database.held.wait(timeout=10)
        try:
            assert profiles([api], cookie) == [(200, "sub-ada")]
            assert kept(world.services, cookie)["tokens"] != before
        finally:
            database.released.set()
        assert slow.result().status_code == 200
    # The hazard came about, and is harmless.
    assert kept(world.services, cookie)["tokens"] == before
    assert profiles([api], cookie) == [(200, "sub-ada")]
    assert ours.requests.count(f"POST {TOKEN}") == 1


def test_a_sign_in_that_the_provider_ended_is_over_for_all_who_ask_at_once(start, world, ours):
    api = start(world.services)
    cookie = signed_in(api, ours)
    ours.revoke("ada")
    assert profiles([api] * 3, cookie) == [(401, None)] * 3
    assert api.get("/whoami", headers=with_cookie(api, cookie)).status_code == 200


def test_a_renewal_that_failed_is_tried_again(start, world, ours):
    api = start(world.services)
    cookie = signed_in(api, ours)
    with ours.answering(TOKEN, 500):
        assert profiles([api] * 2, cookie) == [(503, None)] * 2
    assert profiles([api], cookie) == [(200, "sub-ada")]
