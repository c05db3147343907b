"""Who is not signed in is refused before anything else, and the Authorization field is read as Werkzeug reads it."""

import base64

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import Authorization as Theirs

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.authorization import authorization, parse
from fastapi_app.wire.before import BeforeRequest


def encoded(text, encoding="utf-8"):
    return base64.b64encode(text.encode(encoding)).decode()


ADA = f"Basic {encoded('ada:correct horse')}"
FIELDS = [
    ADA,
    ADA.lower()[:6] + ADA[6:],
    ADA.upper()[:6] + ADA[6:],
    f"Basic \t {ADA[6:]}\t",
    f" {ADA}",
    f"Basic{ADA[6:]}",
    ADA.replace(" ", "\t"),
    f"Basic {ADA[6:]}=",
    f"Basic {encoded('ada:x').rstrip('=')}",
    f"Basic {encoded('zoë:pässword')[:6]} {encoded('zoë:pässword')[6:]}",
    f"Basic {encoded('zoë:päss:word')}",
    f"Basic {encoded('zoë:päss:word', 'latin-1')}",
    f"Basic {encoded('nobody')}",
    f"Basic {encoded(':')}",
    "Basic",
    "Basic ",
    "Basic a=b",
    "Basic \xe9",
    "Basic -_==",
    f"{ADA}, Bearer t0k3n",
    "Bearer t0k3n",
    "bearer t0k3n",
    "BEARER  t0k3n ",
    "Bearer",
    "Bearer =",
    "Bearer a.b-c~d+e/f==",
    "Bearer a=b",
    "Bearer a==b",
    "Bearer \xe9",
    "Token t0k3n",
    "t0k3n",
    'Digest username="ada", realm="a, \\"b", nc=1, qop',
    "Digest a*=utf-8''z%C3%AB, b*=koi8-r''x%41, c, d*=UTF-8'en'%zz, e*=x",
    'Digest a="open, b=1',
    "Digest =1, a=, b = 2 ,,",
    "",
    " ",
]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", ["open", "who", "later", "nowhere"])
def test_the_field_is_read_the_same(apps, path, field):
    assert not apps.differences(ask(f"/auth/{path}", "GET", ("Authorization", field)))


@pytest.mark.parametrize("fields", [("Bearer t0k3n", "Bearer t0k3n"), (ADA, ""), ("", ADA), ("Digest a=1", "b=2")])
def test_two_fields_are_one(apps, fields):
    for path in ("open", "who"):
        assert not apps.differences(ask(f"/auth/{path}", "GET", *(("Authorization", field) for field in fields)))


WRONG = [
    ask("/auth/nowhere"),
    ask("/auth/who", "DELETE"),
    ask("/auth/who", "OPTIONS"),
    ask("/auth/who", "HEAD"),
    ask("/auth/numbers/abc"),
    ask("/auth/who/"),
    ask("/auth//who"),
    ask("/auth/later"),
    ask("/auth/notes", "POST", ("Content-Type", "application/json"), body=b"{"),
    ask("/auth/notes", "POST", ("Content-Type", "text/plain"), body=b"{}"),
    ask("/auth/notes", "POST"),
]


@pytest.mark.parametrize("request_", WRONG)
def test_who_is_not_signed_in_is_refused_first(apps, request_):
    assert apps.answer(request_).status == 401


@pytest.mark.parametrize("request_", [request for request in WRONG if request.target != b"/auth/numbers/abc"])
def test_the_naive_port_answers_otherwise(apps, request_):
    assert apps.naive_differences(request_)


def test_a_route_that_came_later_is_open_in_the_naive_port(apps):
    assert apps.naive.send(ask("/auth/later")).status == 200


@pytest.mark.parametrize("field", [ADA, f"Basic {encoded('eve:apple')}"])
@pytest.mark.parametrize(
    "request_",
    [
        ("/auth/who", "GET"),
        ("/auth/nowhere", "GET"),
        ("/auth/who", "DELETE"),
        ("/auth/who", "OPTIONS"),
        ("/auth/who", "HEAD"),
        ("/auth/numbers/5", "GET"),
    ],
)
def test_the_hook_forbids_before_routing_too(apps, request_, field):
    assert not apps.differences(ask(*request_, ("Authorization", field)))


def test_a_body_is_read_where_one_is_signed_in(apps):
    fields = (("Authorization", ADA), ("Content-Type", "application/json"))
    assert apps.answer(ask("/auth/notes", "POST", *fields, body=b'{"note": "abc"}')).body == b"noted 3"


def seen(parsed):
    return parsed and (parsed.type, parsed.token, dict(parsed.parameters), parsed.username, parsed.password)


@given(
    st.builds(
        "{} {}".format,
        st.sampled_from(["Basic", "bearer", "Digest", ""]),
        st.text("ab=,\"\\*% \t'-8", max_size=14)
        | st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode()),
    )
)
@example('Digest a="\\')
@example("Digest a*=utf-8''%C3")
def test_werkzeug_parses_the_same(field):
    assert seen(parse(field)) == seen(Theirs.from_header(field))


def test_basic_beyond_ascii_is_an_error_on_both_sides():
    for read in (parse, Theirs.from_header):
        with pytest.raises(ValueError, match="ASCII"):
            read("Basic \xe9")


def test_it_works_on_any_app():
    app = FastAPI()
    order = []

    @app.get("/here")
    def get_here():
        order.append("here")
        return "here"

    async def count(_: Request):
        order.append("count")

    async def guard(request: Request):
        order.append("guard")
        given = authorization(request)
        if given is None:
            raise HTTPException(401)
        return PlainTextResponse("no", 403) if given.token != "t" else None

    BeforeRequest.install(app, count, guard)
    with asgi(app) as target:
        for path in ("/here", "/nowhere", "/docs", "/openapi.json"):
            assert target.send(ask(path)).status == 401
        assert target.send(ask("/here", "GET", ("Authorization", "Bearer x"))).body == b"no"
        assert target.send(ask("/here", "GET", ("Authorization", "Bearer t"))).body == b'"here"'
        assert target.send(ask("/nowhere", "GET", ("Authorization", "Bearer t"))).status == 404
    assert order[:2] == ["count", "guard"]
    assert order.count("here") == 1
