"""`pytest --original SPEC --port SPEC`: suites as teams write them compare two apps, and no line of them changes"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.tests import children

ROOT = Path(__file__).parents[3]
# By its module: the environment of development may have been made before there was an entry point.
PLUGIN = ("-p", "no:parity", "-p", "contract_tests.pytest_plugin", "-p", "no:cacheprovider")

SHOP = """
from flask import Flask, g, jsonify, redirect, request, session

def create_app(config=None, *, gone=404):
    app = Flask("shop")
    app.config.update(SECRET_KEY="k", **(config or {}))
    items = {}

    @app.post("/items")
    def add():
        number = len(items) + 1
        items[number] = request.get_json()
        return jsonify(id=number, **items[number]), 201, {"Location": f"/items/{number}"}

    @app.get("/items/<int:id>")
    def show(id):
        return jsonify(id=id, **items[id]) if id in items else (jsonify(error="gone"), gone)

    @app.post("/login")
    def login():
        session["user"] = request.form["name"]
        return redirect("/me")

    @app.get("/me")
    def me():
        g.who = session.get("user")
        return jsonify(user=g.who, url=request.url)

    return app
"""

PORT = """
import shop

def create_app():
    return shop.create_app()

def broken():
    return shop.create_app(gone=410)

unwound = create_app()
"""

FLASK_SUITE = """
import pytest
from flask import g, session
from shop import create_app

@pytest.fixture
def app():
    return create_app({"TESTING": True})

@pytest.fixture
def client(app):
    return app.test_client()

def login(client):
    return client.post("/login", data={"name": "ada"}, follow_redirects=True)

def test_add(client):
    made = client.post("/items", json={"name": "tea"})
    assert (made.status_code, made.json["id"]) == (201, 1)
    assert client.get(made.headers["Location"]).get_json() == {"id": 1, "name": "tea"}

def test_gone(client):
    assert client.get("/items/1").status_code == 404

def test_gone_and_nobody_minds(client):
    try:
        client.get("/items/2")
    except AssertionError:
        pass

def test_login(client):
    with client:
        assert login(client).json == {"user": "ada", "url": "http://localhost/me"}
        assert (session["user"], g.who) == ("ada", "ada")

def test_session(client):
    with client.session_transaction() as kept:
        kept["user"] = "bob"
    assert client.get("/me").json["user"] == "bob"
"""

LATE_SUITE = """
import pytest
import shop

@pytest.fixture
def client():
    import httpx
    return httpx.Client(transport=httpx.WSGITransport(shop.create_app()), base_url="http://x")

def test_gone(client):
    assert client.get("/items/1").status_code == 404
"""

HTTPX_SUITE = """
import asyncio
import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
import shop

app = FastAPI()
items = {}

@app.post("/items", status_code=201)
def add(item: dict):
    items[len(items) + 1] = item
    return {"id": len(items), **item}

@app.get("/things/{id}")
def show(id: int):
    return {"thing": id}

client = TestClient(app)

def test_a_test_client_made_at_import():
    assert client.get("/things/1").status_code == 404

def test_httpx_over_asgi():
    async def asked():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.get("/things/2")
    assert asyncio.run(asked()).status_code == 404

def test_httpx_over_wsgi():
    with httpx.Client(transport=httpx.WSGITransport(shop.create_app()), base_url="http://x") as client:
        assert client.get("/items/1").status_code == 404
"""


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """Runs pytest on files in a folder of their own, and gives its exit code and its output.

    In a child that has imported the apps' frameworks before; `alone` in an interpreter of its own, with nothing
    imported and all plugins that are installed.
    """
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(files, *options, alone=False):
        (tmp_path / "shop.py").write_text(SHOP)
        (tmp_path / "port.py").write_text(PORT)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        env = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        given = [*PLUGIN, *options]
        if alone:
            command = [sys.executable, "-m", "pytest", "-q", *given]
            ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        else:
            ran = children.run(run_tests_within, str(tmp_path), *given, cwd=tmp_path, env=env)
        return ran.returncode, ran.stdout + ran.stderr

    return run


def run_tests_within(folder, *arguments):
    """As `python -m pytest` in this folder: what lies there can be imported."""
    sys.path.insert(0, folder)
    return children.run_tests(*arguments)


FLASK = {"test_shop.py": FLASK_SUITE}
BOTH = ("--original", "shop:create_app()", "--port")


def test_a_flask_suite_passes_on_two_apps_that_are_alike(suite):
    """One of its clients is imported by a fixture, long after the plugin has begun."""
    code, told = suite(FLASK | {"test_late.py": LATE_SUITE}, *BOTH, "port:create_app()", alone=True)
    assert code == 0, told
    assert "ALIKE (8 requests went to both; original shop:create_app(), port port:create_app())" in told


def test_a_difference_fails_its_test_with_the_engines_text_and_none_is_swallowed(suite):
    code, told = suite(FLASK, *BOTH, "port:broken()")
    assert code == 1
    assert "2 failed, 3 passed" in told
    assert "GET /items/{id}: the port differs from the original in 1 place" in told
    assert "curl -i --path-as-is" in told
    assert "FAILED test_shop.py::test_gone_and_nobody_minds" in told
    assert "2 times: GET /items/{id} status status value" in told
    assert "DIFFERENT: 1 new difference (7 requests" in told


def test_a_difference_that_the_ledger_accepts_is_shown_and_passes(suite, tmp_path):
    (tmp_path / "ledger.toml").write_text(
        '[[accepted]]\noperations = ["GET /items/{id}"]\nlevel = "status"\npath = "status"\nkind = "value"\n'
        'reason = "gone for good"\ndecision = "0001"\nowner = "shop"\n'
    )
    code, told = suite(FLASK, *BOTH, "port:broken()", "--parity-ledger", "ledger.toml")
    assert code == 0, told
    assert "accepted 2 times: GET /items/{id} status status value (decision 0001, shop)" in told


def test_collecting_lets_a_test_go_on_and_fails_it_at_its_end(suite):
    two = "from shop import create_app\ndef test_two():\n    c = create_app().test_client()\n"
    two += '    assert [c.get(f"/items/{id}").status_code for id in (1, 2)] == [404, 404]\n'
    code, told = suite({"test_two.py": two}, *BOTH, "port:broken()", "--parity-collect")
    assert code == 1
    assert "1 differences in 2 exchanges" in told


def test_an_app_that_the_suite_does_not_make_is_rewound_as_told(suite):
    shared = "import shop\napp = shop.create_app()\n"
    shared += "def test_one():\n    assert app.test_client().post('/items', json={}).json['id'] == 1\n"
    shared += "def test_two():\n    assert app.test_client().get('/items/1').status_code == 200\n"
    code, told = suite({"test_shared.py": shared}, *BOTH, "port:create_app()")
    assert (code, "status status value" in told) == (1, True)
    code, told = suite({"test_shared.py": shared}, *BOTH, "port:create_app()", "--parity-reset", "never")
    assert code == 0, told


def test_suites_of_httpx_and_of_starlettes_client_are_paired_whenever_the_client_was_made(suite):
    """The suite's own FastAPI app is the port here: an answer that it gives alone would be 200."""
    code, told = suite({"test_port.py": HTTPX_SUITE}, *BOTH, "test_port:app", "--parity-collect", "-p", "no:warnings")
    assert code == 1
    # Each test passes by itself, since it is given the original's answer; what the pair saw fails it.
    assert told.count("Different\n") == 3, told
    assert "2 times: GET /things/{id} status status value" in told
    assert "1 times: GET /items/{id} json $.detail extra" in told
    assert "DIFFERENT: 7 new differences (3 requests went to both" in told


def test_a_suite_is_tried_with_a_fault_that_it_should_notice(suite):
    code, told = suite(FLASK, *BOTH, "port:create_app()", "--parity-break", "json-another-id", "-k", "add")
    assert (code, "POST /items header Location binding" in told) == (1, True), told
    code, told = suite(FLASK, *BOTH, "port:create_app()", "--parity-break", "cookie-missing", "-k", "add")
    assert code == 0, told


def test_workers_of_xdist_are_counted_together(suite):
    code, told = suite(FLASK, *BOTH, "port:broken()", "-p", "xdist.plugin", "-n", "2")
    assert code == 1
    assert "DIFFERENT: 1 new difference (7 requests" in told


def test_a_run_that_compared_nothing_is_not_green(suite):
    code, told = suite({"test_nothing.py": "def test_nothing():\n    pass\n"}, *BOTH, "port:create_app()")
    assert code == 1
    assert "INCONCLUSIVE: no request of this suite went to both apps" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--original", "shop:create_app()"), "give both --original SPEC and --port SPEC"),
        ((*BOTH, "port:nothing()"), "has no attribute 'nothing'"),
        ((*BOTH, "shop:create_app()"), "are the same target"),
        ((*BOTH, "port:create_app()", "--parity-ledger", "none.toml"), "none.toml"),
        ((*BOTH, "port:create_app()", "--parity-break", "nothing"), "'nothing' is no known fault: status-200-for-201"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(suite, options, said):
    code, told = suite(FLASK, *options)
    assert code == 4
    assert said in told
    assert "Traceback" not in told


def test_without_the_options_nothing_is_imported_and_nothing_changed(suite):
    probe = "import sys\ndef test_modules():\n"
    probe += "    assert not [m for m in sys.modules if m.startswith(('contract_tests.parity', 'httpx', 'flask'))]\n"
    code, told = suite({"test_modules.py": probe}, alone=True)
    assert code == 0, told
    assert "parity" not in told


def test_a_client_is_given_back_as_it_was():
    code = (
        "import werkzeug.test, json; before = werkzeug.test.Client.run_wsgi_app;"
        "from contract_tests.parity.clients.suite import Suite;"
        "suite = Suite('flask:Flask', 'flask:Request', resets={'original': None, 'port': None});"
        "suite.patch(); during = werkzeug.test.Client.run_wsgi_app; suite.close();"
        "print(json.dumps([during is not before, werkzeug.test.Client.run_wsgi_app is before]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [True, True]
