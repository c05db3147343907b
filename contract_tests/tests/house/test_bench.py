"""The benchmark compares equal work, counts what it was told, and its page says what was measured."""

import json

import pytest

from contract_tests.live.bench.aims import AIMS, Verdict
from contract_tests.live.bench.contenders import EVERYTHING_ON, OURS, OWN, SHARED, redis_stores
from contract_tests.live.bench.figures import Figure, Load
from contract_tests.live.bench.page import PAGE, PLOT, RESULTS, filled
from contract_tests.live.bench.plan import Plan
from contract_tests.live.bench.plot import draw
from contract_tests.live.bench.results import dump, load_results
from contract_tests.live.bench.specimens import smallest, usual
from contract_tests.live.resilience.operations import settle_people as settle
from contract_tests.live.resilience.operations import someone
from contract_tests.live.servers import sqlite_database
from contract_tests.parity import Request, asgi, wsgi
from contract_tests.suite import targets
from contract_tests.suite.world import settings
from shared_core.services import build_services

JSON = (b"Content-Type", b"application/json")


def ask(target, method, path, body=None, cookie=b""):
    fields = ((b"Host", b"testserver"), *([(b"Cookie", cookie)] if cookie else []), *([JSON] if body else []))
    return target.send(Request(method, path, fields, json.dumps(body).encode() if body else b""))


def told(target, routes):
    """The status and the JSON of each route that the benchmark asks, in one person's visit."""
    credentials = {name: value for name, value in someone(0).items() if name != "name"}
    signed_in = ask(target, "POST", b"/session", credentials) if "POST /session" in routes else None
    cookies = [value for name, value in signed_in.headers if name.lower() == b"set-cookie"] if signed_in else [b""]
    cookie = cookies[-1].partition(b";")[0]
    answers = {
        "GET /": ask(target, "GET", b"/"),
        "GET /user/{id}": ask(target, "GET", b"/user/1"),
        "GET /users": ask(target, "GET", b"/users"),
        "POST /user": ask(target, "POST", b"/user", someone(1, house="burst.example")),
    }
    if signed_in:
        answers |= {
            "POST /session": signed_in,
            "PUT /session/data/{key}": ask(target, "PUT", b"/session/data/x", {"value": 1}, cookie),
            "GET /session/data/{key}": ask(target, "GET", b"/session/data/x", cookie=cookie),
            "GET /whoami": ask(target, "GET", b"/whoami", cookie=cookie),
        }
    assert set(answers) == set(routes)
    # As text: True is 1 in Python.
    return {
        route: (answer.status, json.dumps(json.loads(answer.body), sort_keys=True)) for route, answer in answers.items()
    }


@pytest.fixture
def configured(tmp_path):
    def make(name, **changes):
        url = sqlite_database(tmp_path / name)
        settle(url)
        sessions = f"sqlite:///{tmp_path / name / 'sessions.sqlite3'}"
        return settings(**{"database_url": url, "session_store": sessions, **EVERYTHING_ON, **changes})

    return make


@pytest.fixture
def ours(configured):
    services = {role: build_services(configured(role)) for role in OURS}
    yield {"original": targets.make_original(services["original"]), "port": targets.make_port(services["port"])}
    for each in services.values():
        each.close()


def test_ours_and_the_smallest_apps_answer_the_benchmarks_routes_alike(ours, configured):
    contenders = {
        "original": wsgi(ours["original"]),
        "port": asgi(ours["port"]),
        "smallest Flask": wsgi(smallest.make_flask(configured("flask"))),
        "smallest FastAPI": asgi(smallest.make_fastapi(configured("fastapi"))),
    }
    found = {}
    for name, opened in contenders.items():
        with opened as target:
            found[name] = told(target, SHARED)
    assert all(each == found["original"] for each in found.values()), found


def test_ours_and_the_usual_apps_answer_the_benchmarks_routes_alike(ours, configured, redis_url):
    with redis_stores() as stores:
        contenders = {
            "original": wsgi(ours["original"]),
            "port": asgi(ours["port"]),
            "usual Flask": wsgi(usual.make_flask(configured("flask", **stores))),
            "usual FastAPI": asgi(usual.make_fastapi(configured("fastapi", **stores))),
        }
        found = {}
        for name, opened in contenders.items():
            with opened as target:
                found[name] = told(target, SHARED + OWN)
    assert all(each == found["original"] for each in found.values()), found


def test_the_page_and_its_plot_are_what_was_measured():
    results = load_results(RESULTS.read_text())
    assert dump(results) == RESULTS.read_text()
    assert filled(PAGE.read_text(), results) == PAGE.read_text()
    assert draw(results) == PLOT.read_text()


def test_the_full_set_measures_port_and_original_everywhere():
    plan = Plan()
    assert set(plan.connections) == {1, 10, 40, 200}
    for role in OURS:
        assert all(plan.measures(role, store, number) for store in plan.stores for number in (10, 40, 200))


@pytest.mark.parametrize(
    ("aim", "route", "median", "word"),
    [
        (AIMS[0], "GET /", 1.0, "reached"),
        (AIMS[0], "GET /", 0.9, "not reached"),
        (AIMS[0], "GET /", 0.99, "not reached, within the spread"),
        (AIMS[2], "GET /", 1.6, "reached"),
        (AIMS[2], "GET /users", 1.6, "not reached"),
        (AIMS[3], "GET /users", 0.8, "reached"),
        (AIMS[3], "GET /users", 0.82, "not reached, within the spread"),
    ],
)
def test_an_aim_is_reached_by_the_median_and_missed_clearly_by_the_quartiles(aim, route, median, word):
    verdict = Verdict(aim, Load("SQLite", "Redis", route, 10), Figure(median, median - 0.03, median + 0.03))
    assert verdict.word == word
