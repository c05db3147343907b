"""Which view runs, and what is answered where none does, is Werkzeug's choice; and each piece works on any app."""

import itertools
import random
import re
from copy import copy

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse
from starlette.routing import compile_path
from werkzeug.exceptions import HTTPException as Refused
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Map, RequestRedirect
from werkzeug.routing import Rule as WerkzeugRule

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire import convertors
from fastapi_app.wire.convertors import AnyOf, Float, Int, Text
from fastapi_app.wire.routing import Routing, Table

UUID = "1B4E28BA-2FA1-11D2-883F-0016D3CCA427"
VALUES = {
    "int": ["0", "5", "007", "-5", "+5", "1_000", "%205", "5.0", "abc", "", "%D9%A1%D9%A2", "9" * 5000, "5%0A", "1e3"],
    "signed": ["5", "-5", "--5", "-", "+5", "-0", "%E2%88%925"],
    "year": ["2026", "0026", "26", "20260", "%D9%A1%D9%A2%D9%A3%D9%A4"],
    "page": ["0", "1", "99", "100", "1000"],
    "float": ["5", "5.0", ".5", "5.", "1.5e3", "-1.5", "1_0.5", "nan", "inf", "9" * 400 + ".0", "%D9%A1.%D9%A2"],
    "offset": ["-1.5", "1.5", "1.6", "-2", "-0.0"],
    "uuid": [UUID, UUID.lower(), UUID.replace("-", ""), "{" + UUID + "}", f"urn:uuid:{UUID}", "1"],
    "any": ["about", "help", "a.b", "axb", "abou", "aboutx", ""],
    "language": ["de", "d", "deu", "%C3%A9e", "%F0%9F%98%80e", "%20%20", "a%2F"],
    "name": ["a", "ab", "abcd", "abcde"],
    "path": [
        "",
        "a",
        "a/b",
        "a//b",
        "/a",
        "%2Fa",
        "a/",
        "a%2Fb",
        "a/edit",
        "a/b/edit",
        "edit",
        "a%0Ab",
        "a%0A",
        "..",
        ".",
    ],
    "tree": ["", "a", "a/", "a/b", "a/b/", "a//", "a//b/", "a%2F"],
    "file": ["a.b", "a.b.c", ".b", "a.", "ab", ".", "..."],
    "over": ["me", "ME", "5", "v-1", "v-", "x", "", "me/", "5/", "-5"],
    "deep": [
        "a",
        "a/b",
        "a/end",
        "start/end",
        "start/b",
        "start/b/",
        "start/b/c",
        "a/b/",
        "a/end/",
        "/a/b",
        "start//b",
    ],
    "folder": ["", "/", "x"],
    "%C3%BCbung": ["a", "a/", "%C3%A9", "%C3%A9/", "a'\"<", "a%25b", "%FF", "a;b,c=d@e:f!g$h&i(j)*k+l~m"],
    "nested": ["one/items/1", "one/items", "one/items/", "x/items", "one/items/first", "x/items/1", "one//items/1"],
    "mounted": ["", "/", "a", "folder", "folder/", "nowhere/x", "/a", "a/"],
}
TARGETS = [f"/routing/{area}/{value}" for area, values in VALUES.items() for value in values]
TARGETS += [
    "/routing/folder",
    "/routing/mounted",
    "/routing/leaf",
    "/routing/leaf/",
    "/routing//leaf",
    "//routing/leaf",
]
TARGETS += ["/routing/folder?a=1&b=%20", "/routing//folder?a", "/routing%2Fleaf", "/routing/%2Fleaf", "/%72outing/leaf"]
TARGETS += [
    "/",
    "//",
    "/routing",
    "/routing/",
    "/routing/deep/a//b?x=%2F",
    "/routing/../routing/leaf",
    "/routing/leaf;a=1",
]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"]
CASES = [(method, target) for target in TARGETS for method in (METHODS if "%" not in target else METHODS[:4])]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


def test_every_target_is_answered_alike(apps):
    different = {
        f"{method} {target[:80]}": [str(each) for each in found]
        for method, target in CASES
        if (found := apps.differences(ask(target, method)))
    }
    assert not different


@pytest.mark.parametrize("method", ["get", "Get", "post", "options"])
@pytest.mark.parametrize("target", ["/routing/leaf", "//routing/leaf", "/routing/nowhere"])
def test_a_method_counts_in_any_case(apps, method, target):
    """No server of ours lets one through; where one does, Werkzeug takes it."""
    assert apps.answer(ask(target, method)).status == apps.answer(ask(target, method.upper())).status


@pytest.mark.parametrize(
    ("host", "status"), [("a.b", 200), ("a..b", 400), (".a", 400), ("x" * 64, 400), ("x" * 63, 200)]
)
def test_a_host_with_a_label_that_no_name_has_is_refused(apps, host, status):
    assert apps.answer(ask("/routing/leaf", "GET", ("Host", host))).status == status


def test_the_naive_port_answers_otherwise(apps):
    told = ["/routing/int/-5", "/routing/int/abc", "/routing/int/1_000", "/routing/float/5", "/routing/over/me"]
    told += ["/routing/folder", "/routing//leaf", "/routing/leaf/", "/routing/uuid/" + UUID.replace("-", "")]
    told += ["/routing/path/", "/routing/mounted", "/routing/year/26", "/routing/any/abou", "/routing/deep/a/end"]
    assert [target for target in told if not apps.naive_differences(ask(target))] == []
    for method in ("HEAD", "OPTIONS", "DELETE"):
        assert apps.naive_differences(ask("/routing/over/5", method))


UPGRADES = [
    [("Connection", "Upgrade"), ("Upgrade", "websocket")],
    [("Connection", "keep-alive, upgrade"), ("Upgrade", "WebSocket"), ("Sec-WebSocket-Version", "13")],
    [("Connection", "keep-alive"), ("Connection", "Upgrade"), ("Upgrade", "websocket")],
    [("Upgrade", "websocket")],
    [("Connection", "Upgrade")],
    [("Connection", "Upgrade"), ("Upgrade", "h2c")],
    [("Connection", "upgraded"), ("Upgrade", "websocket")],
]


@pytest.mark.parametrize("fields", UPGRADES, ids=lambda fields: " ".join(f"{n}:{v}" for n, v in fields))
def test_a_request_for_a_websocket_is_refused_as_werkzeug_refuses_it(apps, fields):
    for target in (
        "/routing/leaf",
        "/routing/folder",
        "/routing/folder/",
        "/routing/over/5",
        "/routing//leaf",
        "/nope",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
            assert not apps.differences(ask(target, method, *fields)), (method, target)


PIECES = ["a", "b", "{x}", "{n:flask_int}", "{p:flask_path}", "v-{x}", "{x}.{y}", "{k:fuzz_any}", "{f:flask_float}", ""]
FLASKS = {"flask_int": "int", "flask_path": "path", "fuzz_any": "any(a, b)", "flask_float": "float"}
ASKED = ["a", "b", "5", "v-1", "x.y", "1.5", "", "", "c", "v-a.b", "-1"]
TRIED = ["GET", "HEAD", "POST", "OPTIONS", "PUT"]


def drawn_rules(draw):
    """Some rules as FastAPI writes them, with their methods."""
    rules = []
    for _ in range(draw.randint(2, 7)):
        path = "".join("/" + draw.choice(PIECES) for _ in range(draw.randint(1, 4)))
        names = itertools.count()
        path = re.sub(r"(?<={)\w", lambda _, names=names: f"v{next(names)}", path)
        rules.append((re.sub("/{2,}", "/", path), draw.choice(["GET", "GET", "POST", "PUT"])))
    return rules


DRAWN = APIRoute("/", lambda: None)


def route_of(path, method, name):
    """A route of FastAPI's. Its view is always the same, and what FastAPI makes of that is made once."""
    route = copy(DRAWN)
    route.path, route.methods, route.name = path, {method}, name
    route.path_regex, route.path_format, route.param_convertors = compile_path(path)
    return route


class Matched(WerkzeugRule):
    """A rule that is only matched: what would build a URL of it takes longer to compile than all else."""

    def _compile_builder(self, *_):
        return lambda *_: None


def chosen_by_werkzeug(urls, path, method):
    try:
        return urls.match(path, method)
    except RequestRedirect as moved:
        return moved.new_url
    except MethodNotAllowed as refused:
        return 405, set(refused.valid_methods)
    except Refused as refused:
        return refused.code


def chosen_here(table, names, path, method):
    scope = {"type": "http", "scheme": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    scope["headers"] = [(b"host", b"h")]
    try:
        choice = table.choose(scope)
    except Exception as refused:
        return (405, set(refused.headers["Allow"].split(", "))) if refused.status_code == 405 else refused.status_code
    if isinstance(choice, tuple):
        return names[choice.rule] if choice.rule else 404
    return choice.headers.get("location") or {each for each in choice.headers["allow"].split(", ") if each}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_drawn_rules_are_chosen_as_werkzeug_chooses(seed, strict):
    """Rules and paths at random: which rule, which redirect, which methods."""
    convertors.register(fuzz_any=AnyOf("a", "b"))
    draw = random.Random(seed)
    for _ in range(40):
        rules = drawn_rules(draw)
        routes = [route_of(path, method, str(number)) for number, (path, method) in enumerate(rules)]
        werkzeugs = Map(strict_slashes=strict)
        for number, (path, method) in enumerate(rules):
            rule = re.sub(r"{(\w+)(?::(\w+))?}", lambda m: f"<{FLASKS.get(m[2], 'string')}:{m[1]}>", path)
            werkzeugs.add(Matched(rule, methods=[method, "OPTIONS"], endpoint=str(number)))
        table = Table(routes, strict_slashes=strict)
        names = {route.path_regex.rule: route.name for route in routes}
        urls = werkzeugs.bind("h")
        for _ in range(60):
            path = "/" + "/".join(draw.choices(ASKED, k=draw.randint(1, 5))).lstrip("/")
            method = draw.choice(TRIED)
            theirs = chosen_by_werkzeug(urls, path, method)
            if isinstance(theirs, tuple) and isinstance(theirs[0], str):
                theirs = set(urls.allowed_methods(path)) if method == "OPTIONS" else theirs[0]
            assert chosen_here(table, names, path, method) == theirs, (rules, method, path)


def test_the_convertors_work_on_any_app():
    convertors.register(quarter=Int(min=1, max=4))
    app = FastAPI()

    @app.get("/{quarter:quarter}/{x:flask_float}/{rest:flask_path}")
    def read(quarter: int, x: float, rest: str):
        return [quarter, x, rest]

    with asgi(app) as target:
        assert target.send(ask("/2/1.5/a/b")).body == b'[2,1.5,"a/b"]'
        assert [target.send(ask(path)).status for path in ("/5/1.5/a", "/-1/1.5/a", "/2/1/a", "/2/1.5/")] == [404] * 4
    assert app.openapi()["paths"]["/{quarter}/{x}/{rest}"]["get"]["parameters"][0]["schema"]["type"] == "integer"
    assert app.url_path_for("read", quarter=2, x=1.5, rest="ä/b") == "/2/1.5/ä/b"


def test_a_name_stands_for_one_convertor():
    convertors.register(small=Int(max=9))
    convertors.register(small=Int(max=9))
    for taken in ({"small": Int(max=10)}, {"small": Float()}, {"int": Int()}, {"path": Text()}):
        with pytest.raises(ValueError, match="stands for another"):
            convertors.register(**taken)


def make_app(**options):
    app, inner = FastAPI(), APIRouter(prefix="/inner")

    @inner.get("/{name}")
    def any_name(request: Request, name: str):
        return JSONResponse(["any_name", name, request.url.path])

    @app.get("/inner/first")
    def first(request: Request):
        return JSONResponse(["first", request.url.path])

    @app.get("/folder/")
    def folder():
        return JSONResponse(["folder"])

    app.router.routes.insert(0, app.router.routes.pop())
    app.include_router(inner)
    app.router.routes.insert(0, app.router.routes.pop())
    Routing.install(app, **options)
    return app


def test_it_works_on_any_app_and_hides_no_route():
    app = make_app()
    with asgi(app) as target:
        assert target.send(ask("/inner/first")).body == b'["first","/inner/first"]'
        assert target.send(ask("/inner/second")).body == b'["any_name","second","/inner/second"]'
        assert target.send(ask("/folder")).status == 308
        assert target.send(ask("/openapi.json")).status == 200
    assert list(app.openapi()["paths"]) == ["/inner/{name}", "/folder/", "/inner/first"]
    assert app.url_path_for("any_name", name="x") == "/inner/x"


def test_slashes_may_be_lenient():
    with asgi(make_app(strict_slashes=False, merge_slashes=False)) as target:
        assert [target.send(ask(path)).status for path in ("/folder", "/folder/", "/inner/first/")] == [200] * 3
        assert target.send(ask("/inner/x/")).body == b'["any_name","x","/inner/x/"]'
        assert target.send(ask("/inner//first")).status == 404


def test_a_mounted_app_keeps_its_place():
    app, early, late = FastAPI(openapi_url=None), FastAPI(), FastAPI()
    for inner, name in ((early, "early"), (late, "late")):
        inner.add_api_route("/{name}", lambda name=name: name)
    app.mount("/a", early)
    app.add_api_route("/a/b", lambda: "route")
    app.add_api_route("/c", lambda: "route")
    app.mount("", late)
    Routing.install(app)
    with asgi(app) as target:
        answers = [target.send(ask(path)).body for path in ("/a/b", "/a/x", "/c", "/d")]
    assert answers == [b'"b"', b'"x"', b'"route"', b'"d"']


def test_a_number_of_too_many_digits_is_not_found_by_the_convertor_alone():
    convertors.register()
    app = FastAPI()
    app.add_api_route("/{number:flask_int}", lambda number: number)
    with asgi(app) as target:
        assert target.send(ask("/" + "9" * 5000)).status == 404
