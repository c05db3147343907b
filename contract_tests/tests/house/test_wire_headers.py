"""Header fields reach an app, and leave it, as with Flask on gunicorn; each piece works on any app."""

from typing import Annotated
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI, Header, Request, Response

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.headers import RequestHeaders, ResponseHeaders, joined, sent

SENDABLE = [
    "",
    "a",
    "a b",
    "a, b",
    "\xe4",
    "\xff",
    '"a"',
    "a\tb",
    "x" * 3000,
    "%0d%0a",
    " a ",
    "\ta",
    "a;b=c",
    "\\r\\n",
]
BROKEN = ["a\nb", "a\rb", "a\r\nX-B: b", "\n", "a\r\n", "a\r\n\r\n<html>"]
# These are errors in both; the page is the server's with Flask, and the app's here.
UNSENDABLE = ["\x00", "a\x01b", "\x7f", "\x1b[31m", "\x0b", "\x0c", "€", "\ud7ff", "😀"]
NAMES = ["X-A", "x-a", "X_A", "X.A", "X~!#$%&'*+^`|", "0"]
UNNAMEABLE = ["X A", "X-A:", "", "X-A\n", "X\r\nY", "ä", "X\x00", "X(A)", 'X"A"', "X/A"]
FIELDS = [
    [("X-A", "1")],
    [("X-A", "1"), ("X-A", "2")],
    [("X-A", "1"), ("X-B", "b"), ("x-a", "2"), ("X-a", "3")],
    [("X-A", "")],
    [("X-A", ""), ("X-A", "")],
    [("X-A", "a, b"), ("X-A", "c")],
    [("X_A", "1")],
    [("X_A", "1"), ("X-A", "2")],
    [("X-A", "1"), ("X_A", "2")],
    [("X-A", "\xe4\xff")],
    [("X-A", "  padded\t")],
    [("X-Token", "t"), ("X-Count", "3")],
    [("X-Token", "t"), ("X-Token", "u")],
    [("X_Token", "t")],
    [("Cookie", "a=1"), ("Cookie", "b=2")],
    [("Accept", "text/html"), ("Accept", "*/*")],
    [("Content-Type", "text/plain")],
]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("value", SENDABLE + BROKEN, ids=lambda value: ascii(value)[:30])
def test_any_value_is_sent_or_refused_alike(apps, value):
    for target in ("/headers/give?", "/headers/add?value=1&"):
        answer = apps.answer(ask(target + urlencode({"value": value})))
        assert answer.status == (500 if value in BROKEN else 200)


@pytest.mark.parametrize("value", UNSENDABLE, ids=ascii)
def test_a_value_that_no_server_sends_is_an_error(apps, value):
    request = ask("/headers/give?" + urlencode({"value": value}))
    assert [each.send(request).status for each in (apps.original, apps.ported)] == [500, 500]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_sent_alike(apps, name):
    assert apps.answer(ask("/headers/give?" + urlencode({"name": name, "value": "1"}))).status == 200


@pytest.mark.parametrize("name", UNNAMEABLE, ids=ascii)
def test_what_is_no_name_is_an_error(apps, name):
    request = ask("/headers/give?" + urlencode({"name": name, "value": "1"}))
    assert [each.send(request).status for each in (apps.original, apps.ported)] == [500, 500]


@pytest.mark.parametrize("target", ["several", "mapped", "hop", "add?value=1&value=2&value=1", "add"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_several_values_are_several_fields(apps, target, method):
    assert not apps.differences(ask(f"/headers/{target}", method))


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_fields_are_read_as_a_wsgi_app_reads_them(apps, fields):
    names = ("X-A", "x-a", "Cookie", "Accept", "Content-Type", "Content-Length", "X-Nope")
    for target in (*(f"read/{name}" for name in names), "all", "typed"):
        assert not apps.differences(ask(f"/headers/{target}", "GET", *fields)), target


def test_white_space_around_a_value_is_none_of_it():
    """The servers and the engine's targets take most of it away before an app sees it; httptools leaves a tab."""
    assert joined([(b"x-a", b" 1 \t"), (b"x-b", b""), (b"x-a", b"\t2")]) == [(b"x-a", b"1,2"), (b"x-b", b"")]


def test_a_name_with_an_underscore_is_nothing(apps):
    assert apps.answer(ask("/headers/read/X_A", "GET", ("X_A", "1"))).body == b"[null,[]]\n"


@pytest.mark.parametrize("fields", [[], [("Content-Type", "text/plain")], [("Content-Length", "0")]], ids=str)
def test_what_describes_the_content_is_read_alike(apps, fields):
    assert not apps.differences(ask("/headers/content", "POST", *fields))
    assert not apps.differences(ask("/headers/content", "POST", ("Content-Type", "a/b; c=d"), body=b"12345"))


def test_the_naive_port_answers_otherwise(apps):
    twice = [("X-A", "1"), ("X-A", "2")]
    for target in ("read/X-A", "all"):
        assert apps.naive_differences(ask(f"/headers/{target}", "GET", *twice)), target
    assert apps.naive_differences(ask("/headers/typed", "GET", ("X-Token", "1"), ("X-Token", "2")))
    assert apps.naive_differences(ask("/headers/read/X_A", "GET", ("X_A", "1")))
    assert apps.naive_differences(ask("/headers/mapped"))
    for value in BROKEN:
        assert apps.naive_differences(ask("/headers/give?" + urlencode({"value": value}))), value


def test_an_error_names_the_field_and_not_its_value():
    with pytest.raises(ValueError, match="X-Secret") as error:
        sent([(b"X-Secret", b"hunter2\n")])
    assert "hunter2" not in str(error.value)


def test_each_piece_works_on_any_app():
    app = FastAPI()

    @app.get("/give")
    def give(response: Response, value: str):
        response.headers["X-A"] = value
        response.headers["Connection"] = "close"

    @app.get("/read")
    def read(request: Request, x_a: Annotated[list[str], Header()]):
        return [x_a, request.headers.getlist("x_b")]

    app.add_middleware(ResponseHeaders)
    app.add_middleware(RequestHeaders)
    with asgi(app) as target:
        given = target.send(ask("/give?value=%20a%20"))
        assert (given.header("X-A"), given.header("Connection")) == (b"a", None)
        assert target.send(ask("/give?value=a%0Ab")).status == 500
        read_back = target.send(ask("/read", "GET", ("X-A", "1"), ("X_B", "3"), ("X-A", "2")))
        assert read_back.body == b'[["1,2"],[]]'


def test_a_value_is_sent_without_white_space_around_it():
    assert sent([(b"x-a", b" a b\t"), (b"date", b"now")]) == [(b"x-a", b"a b")]
