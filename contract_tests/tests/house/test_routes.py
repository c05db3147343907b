"""Every route of an original stands beside its port, with its guards on both sides; what has neither port nor decision
shuts the gate, and so does a guard that the port lacks"""

import pytest

from contract_tests.migration.routes.board import Side
from contract_tests.tests.house.desk import FLASK_LOGIN, GUARDED, NEW, OLD, labels, routes_of, rows, told, write_desk


@pytest.fixture
def desk(here):
    write_desk(here)
    (here / "flask_login.py").write_text(FLASK_LOGIN)
    return here


def as_labelled(row):
    """A row in the labels' words."""
    guards = [f"{each['kind']} {each['name']}" for each in row["original"]["guards"]]
    in_port = [f"{each['kind']} {each['name']}" for each in row["port"]["guards"]] if row["port"] else ["no route"]
    return {
        "method": row["method"],
        "path": row["path"],
        "original": ",".join(guards) or "-",
        "port": "missing" if row["unguarded"] else ",".join(in_port) or "-",
        "state": row["state"] or "-",
        "models": ",".join(row["models"]) or "-",
        "deep": str(row["globals"]),
    }


def test_every_labelled_route_is_told_as_its_label_says(desk):
    found = {route: as_labelled(row) for route, row in rows(told("desk", "desk_port")).items()}
    assert len(found) >= 26
    assert found == labels()


def test_what_the_source_says_is_what_the_applications_say(desk):
    """The url_map and the routes of the running applications are the authority: same routes, same guards."""
    read = rows(told("desk", "desk_port"))
    asked = rows(told("desk:create_app()", "desk_port:create_app()"))
    assert asked.keys() == read.keys()
    for route, row in asked.items():
        assert (row["port"] or {}).get("route") == (read[route]["port"] or {}).get("route"), route
        assert row["unguarded"] == read[route]["unguarded"], route
        assert row["original"]["guards"] == read[route]["original"]["guards"], route
        assert row["original"]["automatic"] == read[route]["original"]["automatic"], route


def test_what_nothing_guards_in_the_port_comes_first_and_shuts_the_gate(desk):
    result = routes_of("desk", "desk_port")
    first, *lines = result.stdout.splitlines()
    assert first == "guarded in the original, and by nothing in the port:"
    assert [line.split(":")[0].strip() for line in lines[:2]] == ["POST /admin/users", "POST /tickets"]
    assert result.exit_code == 1
    assert "2 routes are guarded in the original, and by nothing in the port" in result.stderr
    assert "7 routes are without a port and without a decision" in result.stderr


def test_a_pair_without_a_finding_opens_the_gate(pair, here):
    assert pair(OLD, NEW)["fails"] == []
    assert routes_of("old.py", "new.py").exit_code == 0


HOOK = "@app.before_request\ndef check():\n    {}\n"


@pytest.mark.parametrize(
    ("body", "guards"),
    [
        ("if not session.get('user'): abort(401)", 1),
        ("if not session.get('user'): return redirect('/login')", 1),
        ("if 'X-Key' not in request.headers: return 'no', 403", 1),
        ("g.begun = 1", 0),
        ("if request.mimetype != 'application/json': abort(415)", 0),
        ("if request.path == '/a': return None\n    if not session.get('user'): abort(401)", 0),
        ("if request.path != '/a' and not session.get('user'): abort(401)", 0),
        ("if request.path.startswith('/admin') and not session.get('user'): abort(401)", 0),
        ("if request.path.startswith('/a') and not session.get('user'): abort(401)", 1),
        ("if request.endpoint in ('a', 'b'): return\n    if not session.get('user'): abort(401)", 0),
    ],
)
def test_a_hook_guards_if_it_refuses_by_who_asks_and_spares_whom_it_names(pair, body, guards):
    (row,) = pair(OLD + HOOK.format(body), NEW)["routes"]
    assert len(row["original"]["guards"]) == guards
    assert row["unguarded"] is bool(guards)


DENY = "def who():\n    raise HTTPException(401)\n"


@pytest.mark.parametrize(
    "port",
    [
        DENY + NEW.replace("'/a')", "'/a', dependencies=[Depends(who)])"),
        DENY + NEW.replace("a():", "a(user=Depends(who)):"),
        DENY + NEW.replace("FastAPI()", "FastAPI(dependencies=[Depends(who)])"),
        "from typing import Annotated\n" + DENY + "User = Annotated[str, Depends(who)]\n"
        + NEW.replace("a():", "a(u: User):"),
        DENY + "def below(user=Depends(who)):\n    return user\n" + NEW.replace("a():", "a(user=Depends(below)):"),
        "from fastapi.security import HTTPBearer\nbearer = HTTPBearer()\n"
        + NEW.replace("a():", "a(t=Depends(bearer)):"),
        "from starlette.responses import Response\n" + NEW
        + "@app.middleware('http')\nasync def m(request, call_next):\n    return Response(status_code=401)\n",
        NEW.replace("return ''", "raise HTTPException(403)"),
        "from auth import current_user\n" + NEW.replace("a():", "a(user=Depends(current_user)):"),
        DENY + "r = APIRouter()\n@r.get('/a')\ndef a():\n    return ''\n"
        "app = FastAPI()\napp.include_router(r, dependencies=[Depends(who)])\n",
    ],
)  # fmt: skip
def test_each_form_of_a_guard_in_the_port_is_known(pair, port):
    (row,) = pair(GUARDED, port)["routes"]
    assert row["original"]["guards"] == [
        {"kind": "decorator", "name": "login_required", "place": "old.py:6", "by_name": True}
    ]
    assert row["unguarded"] is False


@pytest.mark.parametrize(
    "port",
    [
        NEW,
        "def get_db():\n    yield 1\n" + NEW.replace("a():", "a(db=Depends(get_db)):"),
        "def get_db(session):\n    raise LookupError\n" + NEW.replace("a():", "a(db=Depends(get_db)):"),
        "from fastapi.security import HTTPBearer\nbearer = HTTPBearer(auto_error=False)\n"
        + NEW.replace("a():", "a(t=Depends(bearer)):"),
        NEW + "@app.middleware('http')\nasync def m(request, call_next):\n    return await call_next(request)\n",
        DENY + "r = APIRouter()\napp = FastAPI()\n@app.get('/a')\ndef a():\n    return ''\n"
        "app.include_router(r, dependencies=[Depends(who)])\n",
    ],
)
def test_what_refuses_nobody_is_no_guard(pair, port):
    (row,) = pair(GUARDED, port)["routes"]
    assert row["unguarded"] is True


def test_a_decorator_above_the_route_guards_nothing(pair):
    """Flask registers what stands below `@app.get`."""
    old = "from flask_login import login_required\n" + OLD.replace("@app.get", "@login_required\n@app.get")
    (row,) = pair(old, NEW)["routes"]
    assert row["original"]["guards"] == []


def test_a_decorator_that_refuses_nobody_to_be_seen_counts_by_its_name_in_the_original_alone(pair):
    deny = "def require_role(view):\n    return elsewhere(view)\n"
    (row,) = pair(
        deny + OLD.replace("def a", "@require_role\ndef a"), deny + NEW.replace("def a", "@require_role\ndef a")
    )["routes"]
    assert [each["by_name"] for each in row["original"]["guards"]] == [True]
    assert row["unguarded"] is True


def test_the_whole_apps_guard_does_not_stand_for_a_routes_own(pair):
    """A check of other sites' pages before every request is in both; the sign-in of one route is not."""
    old = GUARDED + HOOK.format("if request.headers.get('Origin'): abort(403)")
    new = NEW + (
        "@app.middleware('http')\nasync def m(request, call_next):\n"
        "    if request.headers.get('origin'):\n        raise HTTPException(403)\n    return await call_next(request)\n"
    )
    (row,) = pair(old, new)["routes"]
    assert [each["kind"] for each in row["port"]["guards"]] == ["middleware"]
    assert row["unguarded"] is True


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("/a/<int:id>", "/a/{id}", ""),
        ("/a/<id>", "/a/{id:int}", ""),
        ("/a/<any(x, y):id>", "/a/{kind}", ""),
        ("/a/", "/a", "the slash at the end differs"),
        ("/a/<path:name>", "/a/{name:path}", ""),
        ("/a/<path:name>", "/a/{name}", "takes slashes"),
        ("/a.<ext>/x-<id>", "/a.{e}/x-{i}", ""),
    ],
)
def test_paths_of_both_frameworks_are_matched(pair, old, new, note):
    (row,) = pair(OLD.replace("/a", old), NEW.replace("/a", new))["routes"]
    assert row["port"]["route"] == f"GET {new}"
    assert note in " ".join(row["notes"])


def test_a_router_that_no_app_includes_is_no_port(pair):
    new = "app = FastAPI()\nr = APIRouter()\n\n@r.get('/a')\ndef a():\n    return ''\n"
    data = pair(OLD, new)
    assert data["missing"] == ["GET /a"]
    assert data["routes"][0]["notes"] == ["written in new.py:6, in a router that no app includes"]


@pytest.mark.parametrize(
    "new",
    [
        "r = APIRouter(prefix='/v')\n@r.get('/a')\ndef a(): ...\napp = FastAPI()\napp.include_router(r, prefix='/w')\n",
        "r = APIRouter()\n@r.api_route('/a', methods=['GET'])\ndef a(): ...\napp = FastAPI()\n"
        "for each in (r,):\n    app.include_router(each, prefix='/w/v')\n",
        "sub = FastAPI()\n@sub.get('/v/a')\ndef a(): ...\napp = FastAPI()\napp.mount('/w', sub)\n",
        "from starlette.applications import Starlette\nfrom starlette.routing import Mount, Route\n"
        "def a(request): ...\napp = Starlette(routes=[Mount('/w', routes=[Route('/v/a', a, methods=['GET'])])])\n",
        "def add(app):\n    @app.get('/w/v/a')\n    def a(): ...\n\ndef create():\n    app = FastAPI()\n    add(app)\n"
        "    return app\n",
    ],
)
def test_routers_prefixes_and_mounts_of_the_port_are_followed(pair, new):
    (row,) = pair(OLD.replace("/a", "/w/v/a"), new)["routes"]
    assert row["port"]["route"] == "GET /w/v/a"
    assert row["state"] == "stub"


@pytest.mark.parametrize(
    "old",
    [
        "app = Flask(__name__)\ndef add(app):\n    app.add_url_rule('/w/a', 'a', a)\ndef a(): return ''\nadd(app)\n",
        "from flask import Blueprint\nb = Blueprint('b', __name__, url_prefix='/no')\n@b.get('/a')\n"
        "def a(): return ''\n"
        "app = Flask(__name__)\napp.register_blueprint(b, url_prefix='/w')\n",
        "from flask import Blueprint\nb = Blueprint('b', __name__)\nc = Blueprint('c', __name__, url_prefix='/w')\n"
        "@b.get('/a')\ndef a(): return ''\nc.register_blueprint(b)\napp = Flask(__name__)\n"
        "for each in [c]:\n    app.register_blueprint(each)\n",
        "app = Flask(__name__)\napp.add_url_rule('/w/a', endpoint='x')\n@app.endpoint('x')\ndef a(): return ''\n",
    ],
)
def test_blueprints_and_rules_of_the_original_are_followed(pair, old):
    assert list(rows(pair(old, NEW.replace("/a", "/w/a")))) == ["GET /w/a"]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("...", "stub"), ("pass", "stub"), ("raise NotImplementedError('later')", "stub"),
        ("raise HTTPException(501)", "stub"), ("raise HTTPException(status_code=501)", "stub"),
        ("'''Only words.'''", "stub"), ("return ''", "implemented"), ("raise HTTPException(404)", "implemented"),
    ],
)  # fmt: skip
def test_a_stub_is_not_implemented(pair, body, state):
    (row,) = pair(OLD, NEW.replace("return ''", body))["routes"]
    assert row["state"] == state


MODELS = "from pydantic import BaseModel\nfrom elsewhere import Item, Row\nclass In(BaseModel):\n    a: int\n"


@pytest.mark.parametrize(
    ("parameters", "models"),
    [
        ("i: In", ["in"]), ("i: list[In]", ["in"]), ("i: 'In | None' = None", ["in"]), ("i: Item", ["in"]),
        ("i: int", []), ("q: str = ''", []), ("db: Item = Depends(given)", []), ("i=Depends(read)", ["in"]),
        ("*, i: In", ["in"]), ("request: Request", []),
    ],
)  # fmt: skip
def test_a_model_that_comes_in_is_told(pair, parameters, models):
    more = "from fastapi import Request\ndef given(): ...\ndef read(i: In): ...\n"
    (row,) = pair(OLD, MODELS + more + NEW.replace("a():", f"a({parameters}):"))["routes"]
    assert row["models"] == models


@pytest.mark.parametrize(
    ("given", "returned", "models"),
    [
        ("", "In", ["out"]), ("", "list[In]", ["out"]), ("", "dict[str, int]", ["out"]), ("", "Row | None", ["out"]),
        (", response_model=In", "dict", ["out"]), (", response_model=None", "In", []),
        ("", "str", []), ("", "dict", []), ("", "Response", []),
    ],
)  # fmt: skip
def test_a_model_that_goes_out_is_told(pair, given, returned, models):
    new = NEW.replace("'/a'", f"'/a'{given}").replace("a():", f"a() -> {returned}:")
    (row,) = pair(OLD, MODELS + "from fastapi import Response\n" + new)["routes"]
    assert row["models"] == models


def test_a_path_is_read_and_never_run(pair, here):
    data = pair(OLD + "\nraise SystemExit('imported')\n", NEW + "\nraise SystemExit('imported')\n")
    assert len(data["routes"]) == 1


def test_a_file_that_is_no_python_is_told_and_the_rest_goes_on(desk):
    (desk / "desk/broken.py").write_text("def\n")
    data = told("desk", "desk_port")
    assert [each.partition(":")[0] for each in data["unreadable"]] == ["desk/broken.py"]
    assert len(data["routes"]) == len(labels())


def test_the_finished_twins_pass_the_gate():
    """The project's own pair: every route has its port, and none lost its guard."""
    from contract_tests.tests.house.test_house import ROOT

    result = routes_of(ROOT / "flask_app", ROOT / "fastapi_app")
    assert result.exit_code == 0, result.output
    assert "0 missing, 0 unguarded" in result.output


def test_a_hook_of_a_blueprint_runs_for_the_blueprints_within_it(here):
    (here / "old.py").write_text(
        "from flask import Blueprint, Flask, abort, session\n"
        "outer, inner = Blueprint('outer', __name__), Blueprint('inner', __name__, url_prefix='/in')\n"
        "@outer.before_request\ndef check():\n    if 'user' not in session:\n        abort(401)\n"
        "@inner.get('/a')\ndef a(): return ''\n"
        "outer.register_blueprint(inner)\napp = Flask(__name__)\napp.register_blueprint(outer, url_prefix='/out')\n"
    )
    side = Side("old.py", port=False)
    (route,) = side.routes
    assert (str(route), [str(each) for each in side.guards(route)]) == ("GET /out/in/a", ["hook check"])
