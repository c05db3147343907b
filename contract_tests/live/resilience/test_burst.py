"""200 connections at once: each is answered, and whoever comes afterwards is answered too"""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_tests.live.resilience.burst import send, send_at_once
from contract_tests.live.resilience.operations import OPERATIONS, PEOPLE, settle_people, sign_in
from contract_tests.live.resilience.wire import request
from contract_tests.live.servers import command_of, serve, sqlite_database, uvicorn
from contract_tests.suite.world import provider

ROOT = Path(__file__).parents[3]
# More threads than connections in the pool: as in the slides' form, where 40 wait for 15.
THREADS = 40
# A form that stalls gives no sign of life in this time, its cure gives hundreds.
STALL = 3.0
TRIES = 10
STANDS = [(role, pool) for role in ("original", "port") for pool in (15, 5)]


@contextmanager
def standing(role, folder, pool):
    """One of our apps with 200 people in it, and one of them signed in."""
    url = sqlite_database(folder)
    settle_people(url)
    told = {"threads": THREADS, "pool_size": pool, "sign_in_attempts": 1000, **provider().settings()}
    with serve(command_of(role, threads=THREADS), folder, database_url=url, **told) as server:
        yield server, sign_in(server)


@pytest.fixture(scope="module", params=STANDS, ids=lambda stand: f"{stand[0]}, pool {stand[1]}")
def stand(request, tmp_path_factory):
    role, pool = request.param
    with standing(role, tmp_path_factory.mktemp(role), pool) as stood:
        yield stood


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_burst_is_answered_whole_and_the_next_request_too(stand, operation):
    server, visitor = stand
    burst = send_at_once(server.port, [operation.request(number, visitor) for number in range(PEOPLE)])
    assert burst.faults(operation.status) == []
    assert send(server.port, request("GET", "/user/1")).status == 200


@pytest.mark.parametrize("role", ["original", "port"])
def test_whoever_reads_before_writing_waits_for_the_turn_to_write(role, tmp_path):
    """SQLite refuses at once to make a writer of a reader whose snapshot is old; nobody waits for the pool here."""
    with standing(role, tmp_path, pool=THREADS) as (server, visitor):
        for operation in OPERATIONS:
            if str(operation) in {"POST /session", "PATCH /user/{id}", "POST /files"}:
                burst = send_at_once(server.port, [operation.request(number, visitor) for number in range(PEOPLE)])
                assert burst.statuses == {operation.status: PEOPLE}, operation


def test_every_get_of_the_document_is_under_load():
    document = json.loads((ROOT / "shared_core/openapi.json").read_bytes())
    documented = {path for path, methods in document["paths"].items() if "get" in methods}
    assert documented == {each.template for each in OPERATIONS if each.method == "GET"}


@pytest.fixture(scope="module")
def usual_form(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usual")
    url = sqlite_database(folder)
    settle_people(url)
    # Of a server that does not answer any more nobody expects that it ends by itself.
    app = "contract_tests.live.resilience.usual_form:create_app"
    with serve(uvicorn(app), folder, database_url=url, grace=0.0) as server:
        yield server


def test_the_check_passes_the_usual_form_once_its_session_stays_in_one_call(usual_form):
    burst = send_at_once(usual_form.port, [request("GET", "/cured/1")] * PEOPLE)
    assert burst.faults(200) == []
    assert send(usual_form.port, request("GET", "/cured/1")).status == 200


def test_the_check_catches_that_the_usual_form_stops_answering(usual_form):
    """Its threads must all be waiting at one moment: on a machine that is busy elsewhere a burst may get through."""
    bursts = (send_at_once(usual_form.port, [request("GET", "/user/1")] * PEOPLE, silence=STALL) for _ in range(TRIES))
    assert any("not answered" in fault for burst in bursts for fault in burst.faults(200))
    assert not send(usual_form.port, request("GET", "/user/1"), silence=STALL).whole
