"""`parity strength`: the port is broken in known ways, and each corpus says which of them it catches, and how"""

import json
import threading
from functools import cache
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner
from flask import Flask, Response, jsonify, redirect, request
from werkzeug.local import LocalProxy

from contract_tests.__main__ import main
from contract_tests.parity import Bindings, Ledger, http, wsgi
from contract_tests.parity.cases import Case
from contract_tests.parity.strength.fault import Broken
from contract_tests.parity.strength.known import DEEDS, FAULTS
from contract_tests.parity.strength.measuring import CAUGHT, MISSED, NOT_APPLICABLE, Measuring
from contract_tests.tests.specimens.worlds import made_anew, world_of

from .toys import Toy, answer, json_answer
from .toys import request as asked

HERE = "contract_tests.tests.engine.test_strength"
BY_NAME = {fault.name: fault for fault in FAULTS}


class Items(dict[int, Any]):
    """What was made in one world of the shop, by its id."""


def shop():
    """An app that answers in every way that a known fault breaks."""
    return made_anew(_shop(), Items())


@cache
def _shop():
    app = Flask("shop")
    items = LocalProxy(lambda: world_of(Items))

    @app.post("/items")
    def add():
        sent = request.get_json(silent=True)
        if sent is None:
            return jsonify(error="no JSON"), 400
        if sent["name"] == "rare" and sent in items.values():
            return jsonify(error="there already"), 409
        number = len(items) + 1
        items[number] = sent
        return jsonify(id=number, **sent), 201, {"Location": f"/items/{number}", "X-Shop": "a"}

    @app.get("/items")
    def listed():
        if request.args.get("page") == "9":
            return jsonify(items=[])
        return jsonify([{"id": id, **item} for id, item in items.items()])

    @app.get("/items/<int:id>")
    def show(id):
        shown = {
            "id": id,
            "price": 5.5,
            "is_new": True,
            "note": None,
            "at": "2026-11-25T22:00:00Z",
            **items.get(id, {}),
        }
        return (jsonify(shown), 200, {"ETag": '"a"', "Cache-Control": "no-store"}) if id in items else (jsonify(), 404)

    @app.put("/items/<int:id>")
    def change(id):
        items[id] = request.get_json()
        return jsonify(id=id, **items[id])

    @app.delete("/items/<int:id>")
    def remove(id):
        del items[id]
        return "", 204

    @app.post("/login")
    def login():
        answer = redirect("/me", 302)
        answer.set_cookie("user", request.args["name"], httponly=True, secure=True, samesite="Lax", max_age=60)
        answer.set_cookie("lang", "en", path="/shop")
        answer.headers["Location"] = "http://localhost/me/1"
        return answer

    @app.get("/me")
    def me():
        user = request.cookies.get("user")
        if user == "eve":
            return jsonify(error="not you"), 403
        if not user:
            return jsonify(error="who?"), 401, {"WWW-Authenticate": "Bearer"}
        return jsonify(user=user), 200, {"Vary": "Cookie"}

    @app.get("/page")
    def page():
        text = "<h1>Café</h1>" + "x" * 20
        return Response(
            text, headers={"Content-Disposition": "attachment; filename=a", "Access-Control-Allow-Origin": "*"}
        )

    @app.get("/wait")
    def wait():
        return jsonify(error="é"), 429, {"Retry-After": "9"}

    @app.get("/old")
    def old():
        return redirect("/page", 301)

    app.json.ensure_ascii = False
    return app


def other_shop():
    return shop()


MADE: list[Flask] = []


def flipping():
    """The shop, with a header on every other app that is made."""
    app = made_anew(_shop.__wrapped__(), Items())
    MADE.append(app)
    if len(MADE) % 2:
        app.after_request(lambda response: response.headers.update({"X-Flip": "1"}) or response)
    return app


def get(target, **headers):
    return asked("GET", target, **headers)


def sent(method, target, value):
    return asked(method, target, json.dumps(value).encode(), Content_Type="application/json")


TEA, JAM, RARE = {"name": "tea"}, {"name": "jam"}, {"name": "rare"}
ADA, BOB = {"Cookie": "user=ada"}, {"Cookie": "user=bob"}
CORPUS = (
    Case("make, read, make again", (sent("POST", "/items", TEA), get("/items/1"), get("/items"), get("/items/1"))),
    Case("two", (sent("POST", "/items", TEA), sent("POST", "/items", JAM), get("/items"), get("/items?page=9"))),
    Case("list before and after", (get("/items"), sent("POST", "/items", TEA), get("/items"))),
    Case("change", (sent("POST", "/items", TEA), get("/items/1"), sent("PUT", "/items/1", JAM), get("/items/1"))),
    Case("remove", (sent("POST", "/items", TEA), asked("DELETE", "/items/1"), get("/items/1"))),
    Case("no", (asked("POST", "/items"), sent("POST", "/items", RARE), sent("POST", "/items", RARE), get("/wait"))),
    Case("signed in", (asked("POST", "/login?name=ada"), get("/me", **ADA), get("/me", **BOB), get("/me"))),
    Case("not you", (get("/me", Cookie="user=eve"), get("/me"))),
    Case("methods", (asked("HEAD", "/page"), asked("OPTIONS", "/items"), asked("PATCH", "/items"))),
    Case("pages", (get("/page"), get("/old"))),
)  # fmt: skip


def measured(cases, faults=FAULTS, *, port=shop, ledger=None, bindings=Bindings.opaque):
    """The outcomes by fault; both worlds are rewound before each case."""
    original, broken = Anew(shop), Anew(port)
    measuring = Measuring(
        original, broken, tuple(cases), ledger=ledger or Ledger.empty(), bindings=bindings, rewinds=True
    )
    return measuring.measure(faults)


class Anew:
    """A WSGI app made anew by each reset."""

    def __init__(self, make):
        self.make = make
        self.target = wsgi(make())
        self.name = make.__name__

    def send(self, request):
        return self.target.send(request)

    def reset(self):
        self.target = wsgi(self.make())

    def close(self): ...

    def __enter__(self):
        return self

    def __exit__(self, *exc): ...


@pytest.fixture(scope="module")
def everything():
    return measured(CORPUS)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_corpus_that_asks_for_everything_catches_each_known_fault(everything, name):
    (outcome,) = [each for each in everything.outcomes if each.fault.name == name]
    assert outcome.verdict == CAUGHT
    assert outcome.case in {case.name for case in CORPUS}


def test_more_than_eighty_faults_are_known_each_by_a_name_of_its_own():
    assert len(BY_NAME) == len(FAULTS) > 80
    assert {"status", "header", "cookie", "json", "list", "state", "who", "transport"} <= {each.area for each in FAULTS}


WEAK = {
    "state-lost-update": (sent("POST", "/items", TEA), get("/items/1"), sent("PUT", "/items/1", JAM)),
    "state-lost-delete": (sent("POST", "/items", TEA), asked("DELETE", "/items/1")),
    "state-lost-insert": (sent("POST", "/items", TEA),),
    "state-written-twice": (sent("POST", "/items", TEA), get("/items/1")),
    "state-stale-read": (get("/items"), sent("POST", "/items", TEA)),
    "who-another-s-answer": (get("/me", **ADA), get("/me", **ADA)),
}


@pytest.mark.parametrize(("name", "steps"), WEAK.items(), ids=WEAK)
def test_a_corpus_that_does_not_look_misses_what_it_would_have_seen(name, steps):
    found = measured([Case("weak", steps)], [BY_NAME[name]])
    assert [each.verdict for each in found.outcomes] == [MISSED]
    assert found.percent == 0


def test_what_cannot_apply_is_counted_apart():
    found = measured([Case("one", (get("/items"),))])
    apart = {each.fault.name for each in found.of(NOT_APPLICABLE)}
    assert {"cookie-missing", "status-200-for-201", "json-int-as-text", "who-forgotten", "state-lost-update"} <= apart
    assert found.percent == 100
    assert f"{len(apart)} of {len(FAULTS)} do not apply" in found.line()


def test_what_the_ledger_accepts_or_the_bindings_bind_is_missed():
    ledger = Ledger.loads(
        '[[accepted]]\noperations = ["GET /items"]\nlevel = "header"\npath = "X-Powered-By"\nkind = "extra"\n'
        'reason = "r"\ndecision = "0001"\nowner = "o"\n'
    )
    (outcome,) = measured([Case("one", (get("/items"),))], [BY_NAME["header-extra"]], ledger=ledger).outcomes
    assert outcome.verdict == MISSED
    made = [Case("one", (sent("POST", "/items", TEA),))]
    assert measured(made, [BY_NAME["json-another-id"]]).percent == 100
    (outcome,) = measured(made, [BY_NAME["json-another-id"]], bindings=Bindings).outcomes
    assert outcome.difference == "POST /items header Location binding"


def test_what_the_pair_shows_by_itself_is_not_taken_for_a_fault():
    once = Case("one", (get("/page"),))
    found = measured([once], [BY_NAME["header-extra"], BY_NAME["body-newline"]], port=lambda: wrapped(b"y" * 5))
    assert [each.verdict for each in found.outcomes] == [CAUGHT, MISSED]
    assert "differences that are there already may hide some" in found.line()


def wrapped(body):
    app = made_anew(_shop.__wrapped__(), Items())
    app.view_functions["page"] = lambda: Response(body, headers={"Content-Disposition": "x"})
    return app


def test_a_broken_target_is_a_target_also_over_a_socket():
    class Silent(WSGIRequestHandler):
        def log_message(self, *_): ...

    server = make_server("127.0.0.1", 0, shop(), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Broken(http(f"http://127.0.0.1:{server.server_port}"), BY_NAME["status-201-for-200"]) as broken:
            assert broken.send(get("/items")).status == 201
            assert broken.send(get("/none")).status == 404
            assert broken.applied == 1
            assert broken.name.endswith("with status-201-for-200")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_fault_begins_anew_with_each_reset():
    toy = Toy(lambda _: json_answer([len(toy.sent)]))
    broken = Broken(toy, BY_NAME["state-stale-read"])
    assert broken.send(get("/")).body == broken.send(get("/")).body == b"[1]"
    broken.reset()
    assert broken.send(get("/")).body == b"[3]"
    assert toy.resets == 1


@pytest.mark.parametrize("fault", DEEDS, ids=[each.name for each in DEEDS])
def test_a_deed_leaves_a_first_answer_alone_and_survives_garbage(fault):
    toy = Toy(lambda _: answer(b"\xff", ("Location", "\xff"), status=201))
    broken = Broken(toy, fault)
    assert broken.send(asked("POST", "/")).status == 201


@pytest.fixture
def command(tmp_path):
    def run(*options, cases=CORPUS, port="other_shop"):
        lines = [
            {
                "case": case.name,
                "steps": [
                    {
                        "method": step.method,
                        "target": step.target.decode(),
                        "headers": [[name.decode(), value.decode()] for name, value in step.headers],
                        "body": step.body.decode(),
                    }
                    for step in case.steps
                ],
            }
            for case in cases
        ]
        file = tmp_path / "cases.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        specs = [f"{HERE}:shop()", f"{HERE}:{port}()"]
        return CliRunner().invoke(main, ["strength", *specs, "--cases", str(file), *options])

    return run


def test_the_command_tells_each_fault_with_the_case_that_catches_it(command):
    ran = command("--only", "^status-20|^state-lost")
    assert ran.exit_code == 0, ran.output
    assert "caught  status-200-for-201" in ran.output
    assert "POST /items status status value in 'make, read, make again'" in ran.output
    assert (
        "STRENGTH 100 %: 7 of the 7 faults that apply are caught; 0 of 7 do not apply (10 cases, 33 exchanges"
        in ran.output
    )


def test_the_command_names_what_no_case_has_and_what_is_missed(command):
    ran = command("--only", "cookie-no|state-lost-update", cases=[Case("weak", WEAK["state-lost-update"])])
    assert "MISSED  state-lost-update                applies to a PUT or PATCH that succeeds" in ran.output
    assert "there is no case with an HttpOnly cookie: cookie-no-httponly" in ran.output
    assert "STRENGTH 0 %: 0 of the 1 faults that apply are caught; 2 of 3 do not apply" in ran.output


def test_the_gate_fails_below_its_percent_alone(command):
    weak = [Case("weak", WEAK["state-lost-update"])]
    assert command("--only", "lost-update|header-extra", "--at-least", "51", cases=weak).exit_code == 1
    assert command("--only", "lost-update|header-extra", "--at-least", "50", cases=weak).exit_code == 0


def test_json_holds_every_outcome(command):
    ran = command("--only", "^list", "--json")
    told = json.loads(ran.output)
    assert (told["percent"], told["caught"], told["missed"], told["not_applicable"]) == (100.0, 4, 0, 0)
    assert told["faults"][0] == {
        "fault": "list-other-order",
        "verdict": "caught",
        "needs": "a list of two",
        "case": "two",
        "difference": told["faults"][0]["difference"],
    }


def test_a_case_keeps_what_it_was_told_and_cases_may_stand_in_a_folder(tmp_path):
    """A second thing is read by the id that its own answer had: a fault in that answer is one the case catches."""
    make = {"method": "POST", "target": "/items", "json": {"name": "a"}, "keep": {"id": "$.id"}}
    steps = [{**make, "keep": {}}, make, {"method": "GET", "target": "/items/{{id}}"}]
    (tmp_path / "more").mkdir()
    (tmp_path / "more/kept.jsonl").write_text(json.dumps({"case": "kept", "steps": steps}))
    specs = [f"{HERE}:shop()", f"{HERE}:other_shop()"]
    ran = CliRunner().invoke(main, ["strength", *specs, "--cases", str(tmp_path), "--only", "cache-control|no-store"])
    assert "(1 cases, 3 exchanges" in ran.output, ran.output
    # The route of one thing was reached, and answered 200: 404 has no Cache-Control.
    assert "caught  header-cache-control             GET /items/{id} header Cache-Control" in ran.output, ran.output


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--only", "["), 2, "is no regular expression"),
        (("--only", "nothing"), 2, "names no fault; the areas are"),
        (("--reset-port", "true"), 2, "takes no reset command"),
        (("--ledger", "none.toml"), 2, "none.toml"),
        (("--only", "cookie-no-httponly"), 4, "0 of the 0 faults"),
    ],
)
def test_what_cannot_be_measured_is_told(command, options, code, said):
    ran = command(*options, cases=[Case("one", (get("/items"),))])
    assert ran.exit_code == code
    assert said in ran.output + ran.stderr


def test_chance_that_the_unbroken_pair_shows_now_and_then_catches_nothing(command):
    MADE.clear()
    weak = [Case("weak", WEAK["state-written-twice"])]
    ran = command("--only", "^state-(written|stale)", cases=weak, port="flipping")
    assert "0 of the 2 faults that apply are caught" in ran.output
    assert len(MADE) > 4
