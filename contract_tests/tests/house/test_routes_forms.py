"""Every rule that the source tells is one of the application's, in every form; what it does not tell is listed"""

import re

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.migration.routes.asked import ask
from contract_tests.migration.routes.board import Side
from contract_tests.tests.house.test_house import ROOT

FOLDER = ROOT / "contract_tests/tests/specimens/routes"
FILE = re.compile(r"^=== (?P<path>\S+)\n(?P<text>.*?)(?=^=== |\Z)", re.M | re.S)
# What the applications' url_maps said, with flask-restful 0.3.10, flask-restx 1.3.2, flask-smorest 0.47.0.
RESTFUL = """
    PUT /admin/v2/dec | GET /admin/v2/hello | GET /api/v1/hi | DELETE /api/v1/todo/<int:id>
    GET /api/v1/todo/<int:id> | GET /api/v1/todos | POST /api/v1/todos | DELETE /api/v1/todos/<int:id>
    GET /api/v1/todos/<int:id> | GET /api/v1/users | GET /late
"""
RESTX = """
    GET /api/cats/ | POST /api/cats/ | GET /api/cats/<id> | GET /api/cats/alias/<id> | DELETE /api/humans/<int:id>
    GET /api/humans/<int:id> | PATCH /api/plain | GET /api/stuff
"""
SMOREST = "GET /dogs/ | POST /dogs/ | GET /dogs/<id> | PUT /dogs/fn | DELETE /animals/<int:id>"
# By Flask-AppBuilder 5.3.0: a view's prefix is its class, an API's is /api/v1 and its resource.
BUILDER = """
    GET /hello/hello/ | PUT /hello/put/<name> | GET /hello/again/<name> | POST /api/v1/greet/ | GET /api/v1/other/
    GET /reports/list | GET /things/list | GET /models/own
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder with all specimens."""
    for bundle in ("forms.txt", "extensions.txt"):
        for found in FILE.finditer((FOLDER / bundle).read_text()):
            path = tmp_path / found["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found["text"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def told(where):
    side = Side(where, port=False)
    return {str(route) for route in side.routes if route.reached}, side.untold


def test_the_source_tells_the_rules_that_the_application_has(here):
    asked = {f"{route.method} {route.path}" for route in ask("forms.app:create_app()")}
    assert len(asked) >= 32
    assert told("forms") == (asked, [])


def test_a_view_that_a_decorator_registers_stands_where_it_is_written(here):
    places = {str(route): route.place for route in Side("forms", port=False).routes}
    assert places["POST /rest/albums.view"] == "forms/songs.py:10"
    assert places["GET /called-by/only"] == "forms/called.py:12"


@pytest.mark.parametrize(
    ("name", "routes", "untold"),
    [
        ("restful", RESTFUL, []),
        ("restx", RESTX, ["restx/app.py:7 (flask-restx's own pages)"]),
        ("smorest", SMOREST, []),
        (
            "builder",
            BUILDER,
            [
                "builder/app.py:55 (Models: what it has of flask_appbuilder.ModelView)",
                "builder/app.py:40 (GET /never)",
                "builder/views.py:10 (GET /show)",
            ],
        ),
    ],
)
def test_the_rules_of_extensions_are_told(here, name, routes, untold):
    assert told(name) == ({each.strip() for each in re.split(r"\||\n", routes) if each.strip()}, untold)


@pytest.mark.parametrize(
    "rule",
    [
        "app.add_url_rule(make(), view_func=view)",
        "app.add_url_rule('/a' + make(), view_func=view)",
        "app.add_url_rule(f'/{make()}', view_func=view)",
        "[a.add_url_rule('/x', view_func=view) for a in make()]",
        "app.route(make())(view)",
        "for rule in make(): app.add_url_rule(rule, view_func=view)",
        "make().add_url_rule('/x', view_func=view)",
        "Api(app).add_resource(make(), '/x')",
    ],
)
def test_a_rule_that_is_made_as_the_code_runs_is_listed(here, rule):
    (here / "made").mkdir()
    (here / "made/app.py").write_text(
        "from flask import Flask\nfrom flask_restful import Api\nfrom elsewhere import make\napp = Flask(__name__)\n"
        f"def view():\n    return ''\n@app.get('/known')\ndef known(): return ''\n{rule}\n"
    )
    assert told("made") == ({"GET /known"}, ["made/app.py:9"])


@pytest.mark.parametrize("owner", ["app", "make()", "made.app"])
def test_a_view_on_what_the_source_does_not_tell_is_listed(here, owner):
    """Its prefix is not known: it is neither told as a route nor passed over."""
    (here / "made").mkdir()
    (here / "made/app.py").write_text(
        "from flask import Flask\nfrom elsewhere import app, made, make\nknown = Flask(__name__)\n"
        f"@known.get('/known')\ndef one(): return ''\n@{owner}.get('/x')\ndef two(): return ''\n"
    )
    assert told("made") == ({"GET /known"}, ["made/app.py:7 (GET /x)"])


def test_each_view_is_listed_where_a_decorator_makes_its_rule_as_it_runs(here):
    (here / "made").mkdir()
    (here / "made/app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\ndef endpoint(func):\n"
        "    app.add_url_rule('/' + func.__name__, func.__name__, func)\n    return func\n"
        "@endpoint\ndef one(): return ''\n@endpoint\ndef two(): return ''\nendpoint(len)\n"
        "def three(): return ''\nendpoint(three)\n"
    )
    assert told("made") == (set(), ["made/app.py:7 (one)", "made/app.py:9 (two)", "made/app.py:11 (three)"])


AB, CD = "('a', 'b')", "('c', 'd')"
RULE = "app.add_url_rule(f'/{a}/{b}', view_func=view)"
LOOPS = {
    "of one length": (f"for a in {AB}:\n  for b in {CD}:\n    RULE", "/a/c /a/d /b/c /b/d"),
    "of two lengths": (f"for a in {AB}:\n  for b in ('c',):\n    RULE", "/a/c /b/c"),
    "one with two names": ("for a, b in (('a', 'c'), ('b', 'd')):\n  RULE", "/a/c /b/d"),
    "with two names in one with one": (
        "for c in ('x', 'y'):\n  for a, b in (('a', 'c'), ('b', 'd')):\n    RULE".replace(
            "RULE", RULE.replace("{b}", "{b}{c}")
        ),
        "/a/cx /a/cy /b/dx /b/dy",
    ),
    "one after the other": (
        f"for a in {AB}:\n  for b in ('c',):\n    RULE\nfor b in ('e', 'f'):\n  a = 1",
        "/a/c /b/c",
    ),
    "of one name": (f"b = 'c'\nfor a in ('x', 'y', 'z'):\n  for a in {AB}:\n    RULE", "/a/c /b/c"),
}


@pytest.mark.parametrize(("written", "paths"), LOOPS.values(), ids=LOOPS)
def test_loops_within_each_other_make_every_rule(here, written, paths):
    (here / "made").mkdir()
    code = written.replace("RULE", RULE)
    (here / "made/app.py").write_text(
        f"from flask import Flask\napp = Flask(__name__)\ndef view(): return ''\n{code}\n"
    )
    assert told("made") == ({f"GET {path}" for path in paths.split()}, [])


@pytest.mark.parametrize("length", [32, 31])
def test_rules_that_are_too_many_are_listed_and_not_cut_off(here, length):
    (here / "made").mkdir()
    names = [f"n{number}" for number in range(length)]
    (here / "made/app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\ndef view(): return ''\n"
        f"for a in {names}:\n  for b in {names}:\n    app.add_url_rule(f'/{{a}}/{{b}}', view_func=view)\n"
    )
    routes, untold = told("made")
    assert (len(routes), untold) == ((0, ["made/app.py:6"]) if length == 32 else (961, []))


@pytest.mark.parametrize("terms", [400, 1200, 5000])
def test_a_sum_of_many_texts_ends_nothing(here, terms):
    """As code that is made by a program has it: the call is listed, or its module as one that is not read."""
    (here / "made").mkdir()
    (here / "made/app.py").write_text(
        "from flask import Flask\nother = Flask(__name__)\n@other.get('/known')\ndef v(): ''\n"
    )
    (here / "made/big.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\ndef view(): return ''\nfor a in ('a', 'b'):\n"
        f"    app.add_url_rule('/' + a, a, view, doc={' + '.join(['str()'] * terms)})\n"
    )
    side = Side("made", port=False)
    assert {str(route) for route in side.routes} == {"GET /known"}
    assert "made/big.py" in str(side.untold + side.code.readings.unreadable)
    run = CliRunner().invoke(main, ["routes", "made/big.py", "made", "--no-cache"])
    assert (run.exit_code, run.output.count("\n")) == (2, 1), run.output
    assert re.search(r"no route of Flask there; .*made/big\.py", run.output), run.output


def test_a_loop_over_owners_and_rules_gives_each_rule_to_its_own(here):
    (here / "made").mkdir()
    (here / "made/app.py").write_text(
        "from flask import Blueprint, Flask\napp = Flask(__name__)\ndef view(): return ''\n"
        "x, y = Blueprint('x', '', url_prefix='/x'), Blueprint('y', '', url_prefix='/y')\n"
        "app.register_blueprint(x)\napp.register_blueprint(y)\n"
        "for bp, rule in ((x, '/1'), (y, '/2')):\n  bp.add_url_rule(rule, view_func=view)\n"
        "for bp in (x, y):\n  for rule in ('/3', '/4', '/5'):\n    bp.add_url_rule(rule, view_func=view)\n"
    )
    every = {f"GET /{name}/{number}" for name in "xy" for number in (3, 4, 5)}
    assert told("made") == ({"GET /x/1", "GET /y/2"} | every, [])
