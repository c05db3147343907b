"""Cookies are written to Werkzeug's bytes and read as Werkzeug reads them; each piece works on any app."""

import random
import warnings
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import pytest
from fastapi import Cookie, Depends, FastAPI
from starlette.responses import Response
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.cookies import Cookies, cookies_of, delete_cookie, read_cookies, set_cookie

VALUES = [
    *(
        "",
        "1",
        "a b",
        "a,b",
        "a;b",
        'a"b',
        '"a"',
        "a\\b",
        "a\tb",
        "a\r\nSet-Cookie: b=2",
        "ä",
        "€😀",
        "\x7f",
        "%3B",
    ),
    *("a=b=c", "(<>@:/[]?={}#!$&'*+-.^_`|~)", " ", "\\073", "x" * 4000, "null", "{'a': 1}", '{"a": 1}'),
]
ATTRIBUTES = [
    {},
    {"expires": 0},
    {"expires": 1800000000},
    {"expires": -1},
    {"max_age": 0, "expires": 1800000000},
    {"max_age": -5, "expires": 5},
    {"path": "/a b;c=d,é%20"},
    {"path": ""},
    {"path": "a"},
    {"domain": "example.com"},
    {"domain": ".example.com"},
    {"domain": "Example.com:8080"},
    {"domain": "ünï.example"},
    {"domain": "localhost"},
    {"domain": ""},
    {"secure": 1},
    {"httponly": 1},
    {"secure": 1, "httponly": 1, "samesite": "Strict"},
    {"samesite": "lax"},
    {"samesite": "NONE", "secure": 1},
    {"partitioned": 1},
    {"key": "ä"},
    {"key": "a b"},
    {"key": "__Host-id", "secure": 1, "path": "/"},
    {
        "key": "session",
        "httponly": 1,
        "domain": "a.example",
        "path": "/x",
        "max_age": 5,
        "expires": 6,
        "samesite": "lax",
    },
]
REFUSED = [{"samesite": "Sometimes"}, {"key": "a\nb"}, {"domain": "a\rb"}, {"domain": "a" * 70 + ".example"}]
SENT = [
    *(
        "",
        "a=1",
        "a=1; b=2",
        "a=1;b=2",
        "a=1; a=2",
        "a",
        "a; b=2",
        "=1",
        "a=",
        "a=;b=1",
        "; ;a=1;;",
        " a = 1 ; b",
        "a=1,b=2",
    ),
    *('a="x;y"', 'a="x\\"y"', 'a="\\303\\244"', 'a="\\377"', 'a="x', 'a=x"y', 'a="x"y; b=2', 'a="" ; b', '"a"=1; b=2'),
    *(
        "a=b=c",
        "a=b c; d=e",
        "a b=1; c=2",
        "$Version=1; a=1; $Path=/",
        "A=1; a=2",
        "a=\xc3\xa4",
        "\xc3\xa4=1",
        "a=%20",
        "a=1\t;b=2",
    ),
    *(
        'a="\\"',
        'a="\\\\"',
        'a="\\073"',
        'a="\\400"',
        "a=[1]",
        "b=3",
        "b=x; a=1",
        "b=4; b=5",
        'a="1"; a=2',
        "a=1;" * 200,
    ),
]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("value", VALUES)
def test_any_value_is_written_as_werkzeug_writes_it(apps, value):
    assert not apps.differences(ask("/cookies/set?" + urlencode({"value": value})))


@pytest.mark.parametrize("attributes", ATTRIBUTES, ids=str)
@pytest.mark.parametrize("act", ["set", "delete"])
def test_any_attributes_are_written_as_werkzeug_writes_them(apps, act, attributes):
    assert not apps.differences(ask(f"/cookies/{act}?" + urlencode(attributes)))


@pytest.mark.parametrize("attributes", REFUSED, ids=str)
def test_what_werkzeug_refuses_is_an_error(apps, attributes):
    answer = apps.answer(ask("/cookies/set?" + urlencode(attributes)))
    assert answer.status == 500


@pytest.mark.parametrize(
    "target", ["/cookies/moments", "/cookies/several", "/cookies/set?max_age=60", "/cookies/delete"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_each_form_of_a_moment_is_written_alike(apps, target, method):
    assert not apps.differences(ask(target, method))


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent[:30])
def test_cookies_are_read_as_werkzeug_reads_them(apps, sent):
    for target in ("/cookies/read", "/cookies/named/a", "/cookies/named/b", "/cookies/unread"):
        assert not apps.differences(ask(target, "GET", ("Cookie", sent))), target


@pytest.mark.parametrize("sent", ["a=1", "a=1; a=2", 'a="x;y"', "a", "a=\xc3\xa4", "b=5", "b=5; b=6", ""])
def test_typed_cookies_are_read_so_too(apps, sent):
    assert not apps.differences(ask("/cookies/typed", "GET", ("Cookie", sent)))


def test_repeated_fields_are_one(apps):
    assert apps.answer(ask("/cookies/read", "GET", ("Cookie", "a=1; b=2"), ("Cookie", "c=3"))).body == (
        b'[["a","1"],["b","2,c=3"]]\n'
    )


def test_bytes_beyond_ascii_are_characters_each(apps):
    for sent in ("a=\xe4", "a=\xc3\xa4", 'a="\xe4\\344"'):
        assert apps.answer(ask("/cookies/read", "GET", ("Cookie", sent))).status == 200


def test_a_large_cookie_is_sent_with_a_warning(apps):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not apps.differences(ask("/cookies/large"))
    with pytest.warns(UserWarning, match="over 4093"):
        set_cookie(Response(), "a", "x" * 5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_cookie(Response(), "a", "x" * 4079)


@pytest.mark.parametrize("seed", range(20))
def test_drawn_cookies_are_werkzeugs(seed):
    draw = random.Random(seed)
    for _ in range(200):
        sent = "".join(
            draw.choices(['"', "\\", ";", "=", " ", "a", "b", "073", "\t", ",", "ä", "\x0b"], k=draw.randint(0, 20))
        )
        raw = sent.encode()
        theirs = parse_cookie(raw.decode("latin-1"))
        ours = cookies_of({"headers": [(b"cookie", raw)]})
        assert dict(ours) == theirs.to_dict(), raw
        assert [ours.getlist(key) for key in ours] == [theirs.getlist(key) for key in ours], raw
        response = Response()
        set_cookie(response, "a", sent)
        assert response.headers["set-cookie"] == dump_cookie("a", sent)


def test_a_max_age_alone_expires_from_now():
    response = Response()
    set_cookie(response, "a", max_age=60, now=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    set_cookie(response, "b", max_age=timedelta(hours=1), now=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    assert response.headers.getlist("set-cookie") == [
        "a=; Expires=Tue, 01 Jan 2030 00:01:00 GMT; Max-Age=60; Path=/",
        "b=; Expires=Tue, 01 Jan 2030 01:00:00 GMT; Max-Age=3600; Path=/",
    ]


def test_the_naive_port_writes_and_reads_otherwise(apps):
    for target in ("/cookies/set", "/cookies/set?expires=0", "/cookies/delete", "/cookies/several", "/cookies/moments"):
        assert apps.naive_differences(ask(target)), target
    for sent in ("a=1; a=2", "a", 'a="x;y"', 'a="\\303\\244"', "a=b c; d=e"):
        assert apps.naive_differences(ask("/cookies/read", "GET", ("Cookie", sent))), sent
    assert apps.naive_differences(ask("/cookies/typed", "GET", ("Cookie", "a=1; a=2")))


def test_each_piece_works_on_any_app():
    app = FastAPI()

    @app.get("/set")
    def write(response: Response):
        set_cookie(response, "a", "ä b", httponly=True)
        delete_cookie(response, "b")

    @app.get("/typed", dependencies=[Depends(read_cookies)])
    def typed(a: Annotated[str, Cookie()]):
        return a

    @app.get("/all")
    def every(cookies: Annotated[Cookies, Depends(read_cookies)]):
        return cookies.getlist("a")

    with asgi(app) as target:
        written = [value for name, value in target.send(ask("/set")).headers if name == b"set-cookie"]
        assert written == [
            b'a="\\303\\244 b"; HttpOnly; Path=/',
            b"b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
        ]
        assert target.send(ask("/typed", "GET", ("Cookie", 'a="1;2"; a=3'))).body == b'"1;2"'
        assert target.send(ask("/all", "GET", ("Cookie", "a=1; a=2"))).body == b'["1","2"]'
        assert target.send(ask("/typed")).status == 422
    assert app.openapi()["paths"]["/typed"]["get"]["parameters"][0]["in"] == "cookie"


@pytest.mark.parametrize("given", [{"key": "a\nb"}, {"key": "a\r"}, {"key": "a", "expires": "x\ny"}], ids=str)
def test_a_cookie_has_no_line_breaks(given):
    response = Response()
    with pytest.raises(ValueError, match="line breaks"):
        set_cookie(response, **given)
    assert "set-cookie" not in response.headers
