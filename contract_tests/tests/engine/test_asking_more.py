"""What the engine asks beyond one operation: after other writes, of what is there already, in the app's own words."""

from __future__ import annotations

import json

import jinja2

from contract_tests.parity.cases import Case
from contract_tests.parity.hints import Hints
from contract_tests.parity.known import Known, Recipe
from contract_tests.parity.making import JSON, request, with_body
from contract_tests.parity.messages import Response
from contract_tests.parity.operations import Operation, Operations, Parameter
from contract_tests.parity.plan import Turns
from contract_tests.parity.signing_in import SignIn
from contract_tests.parity.sources.afterwards import afterwards
from contract_tests.parity.sources.chaining import chaining
from contract_tests.parity.sources.mutated import mutated
from contract_tests.parity.sources.refusals import missing_fields
from contract_tests.parity.templates import Templates
from contract_tests.parity.time_class import are_seconds_apart

BOTH = frozenset({"original", "port"})
ID = (Parameter("id", "path", {"type": "integer"}, required=True),)
LIST, ADD = Operation("GET", "/carts", BOTH), Operation("POST", "/carts", BOTH)
ORDER, SHOW = Operation("POST", "/orders", BOTH), Operation("GET", "/orders/{id}", BOTH, ID)


def recipe(operation, status, *, body=None, kind=None):
    target = operation.template.replace("{id}", "1")
    last = with_body(operation.method, target, body) if body is not None else request(operation.method, target)
    return Recipe(operation, (last,), ({},), status, body, kind)


def known(*recipes):
    made = Known(Operations([each.operation for each in recipes]))
    made.recipes = {each.operation.name: each for each in recipes}
    return made


def answer(value, status=200):
    return Response(status, ((b"Content-Type", b"application/json"),), json.dumps(value).encode())


def test_what_was_refused_for_its_state_is_asked_for_after_another_write():
    world = known(recipe(ADD, 201, body={"n": 1}, kind=JSON), recipe(ORDER, 409))
    cases = chaining(world)
    case = next(cases)
    assert [step.target for step in case.steps] == [b"/carts", b"/orders"]
    assert not _goes_on(cases)
    assert world.recipes["POST /orders"].status == 201
    assert world.recipes["POST /orders"].made == "$.id"


def _goes_on(cases):
    """Answer the case that was asked; whether the source goes on after it."""
    try:
        cases.send([answer({}, 201), answer({"id": 7}, 201)])
    except StopIteration:
        return False
    return True


def test_what_does_not_fit_is_not_asked_for_again():
    world = known(recipe(ADD, 201, body={}, kind=JSON), recipe(ORDER, 422, body={"n": "x"}, kind=JSON))
    assert list(chaining(world)) == []


def test_after_a_write_all_lists_are_read_and_things_that_are_there_already():
    world = known(recipe(LIST, 200), recipe(ADD, 201, body={}, kind=JSON), recipe(SHOW, 200))
    cases = {case.name: [step.target for step in case.steps] for case in afterwards(world)}
    assert cases["POST /carts, then all that can be read"] == [b"/carts", b"/carts"]
    assert [cases[f"GET /orders/{{id}} of {number}"] for number in (1, 2, 3)] == [
        [b"/orders/1"], [b"/orders/2"], [b"/orders/3"],
    ]  # fmt: skip


def test_an_app_s_own_words_are_asked_for():
    searched = Operation("GET", "/carts", BOTH, (Parameter("q", "query"),))
    world = known(recipe(searched, 200))
    world.hear([answer({"name": "Stra\u00dfe", "password": "Geheimnis"})])
    targets = {case.steps[-1].target for case in mutated(world)}
    assert b"/carts?q=STRASSE" in targets
    assert not any(b"Geheimnis" in target for target in targets)


def test_a_redirect_s_parameter_is_sent_to_another_host():
    world = known(recipe(Operation("POST", "/login", BOTH, (Parameter("next", "query"),)), 302, body={"a": "b"}, kind=JSON))  # fmt: skip  # noqa: E501
    assert any(b"next=https://" in case.steps[-1].target for case in mutated(world))


def test_an_operation_that_both_answer_is_not_one_sided():
    files = Operation("GET", "/static/{name}", frozenset({"original"}))
    world = known(recipe(files, 200), recipe(ADD, 201, body={}), recipe(Operation("GET", "/docs", frozenset({"port"})), 404))  # fmt: skip  # noqa: E501
    assert world.is_one_sided(files)
    world.shared.add(files.name)
    assert not world.is_one_sided(files)


def test_the_names_that_a_helper_is_handed_are_read():
    hints = Hints()
    hints.take_helped(["def number(name, most):\n    return request.args.get(name, 1)", "def view():\n    number('limit', 9)"])  # fmt: skip  # noqa: E501
    assert hints.query == ["limit"]


def test_a_refusal_s_list_of_names_is_read():
    assert missing_fields(answer({"error": "Unprocessable", "fields": ["day", "cents"]}, 422)) == ["day", "cents"]


def test_what_is_nowhere_is_not_asked_for_again_signed_in():
    world = known(recipe(LIST, 200))
    world.sign_in = SignIn(Case("in", (request("POST", "/login"),)))
    cases = (Case(name, (request("GET", f"/{name}"),), (), "framework") for name in ("nowhere", "there"))
    turns = Turns({"framework": cases}, world, until=float("inf"), rewinds=True)
    sent = []
    for case in turns:
        sent.append((case.name, case.signed_in))
        turns.answers = [answer({}, 404 if case.name == "nowhere" else 200)]
    assert sent == [("nowhere", False), ("there", False), ("there, signed in", True)]


def test_a_template_is_compiled_once_for_all_apps_of_a_factory():
    compiled = []

    class Environment(jinja2.Environment):
        def _compile(self, source, filename):
            compiled.append(filename)
            return super()._compile(source, filename)

    class App:
        def __init__(self, text):
            self.jinja_env = Environment(loader=jinja2.DictLoader({"a.html": text}), autoescape=True)

    templates = Templates()
    for text in ("<b>{{ 1 + 1 }}</b>", "<b>{{ 1 + 1 }}</b>", "<i>{{ 1 + 1 }}</i>"):
        app = App(text)
        templates.keep(app)
        assert app.jinja_env.get_template("a.html").render() == text.replace("{{ 1 + 1 }}", "2")
    assert len(compiled) == 2


def test_times_of_two_moments_are_told_from_others():
    assert are_seconds_apart('"Thu, 26 Nov 2026 02:13:32 GMT"', '"Thu, 26 Nov 2026 02:13:33 GMT"')
    assert not are_seconds_apart('"Thu, 26 Nov 2026 02:13:32 GMT"', '"Thu, 26 Nov 2026 03:13:32 GMT"')
    assert not are_seconds_apart("7", "8")
    assert not are_seconds_apart('"2026-11-26T02:13:32Z"', '"2026-11-26T02:13:33"')
