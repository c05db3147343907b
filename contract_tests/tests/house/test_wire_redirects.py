"""Redirects are Flask's, in code, Location and page, and so are built URLs; each piece works on any app."""

from urllib.parse import quote

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse
from starlette.routing import NoMatchFound

from contract_tests.parity import asgi
from contract_tests.tests.house.wire import ask, three
from fastapi_app.wire.redirects import ForwardedPrefix, redirect, url_for

LOCATIONS = [
    "/a",
    "a",
    "../a",
    "?q",
    "#f",
    "",
    "//other.example/x",
    "https://other.example",
    "https://Other.Example:8443/a?b=c#d",
    "/ä ö",
    "/%C3%A4",
    "/%zz",
    "/a b",
    '/"<>',
    "/\\x",
    "/[]{}|^`~",
    "/a?b=ä&c= d",
    "/a#ä b",
    "https://ünï.example/é",
    "https://user:pa ss@h.example/",
    "https://:@h.example/",
    "mailto:a@b.c",
    "javascript:alert(1)",
    "/&'\"<script>",
    "/a\tb",
    "/a\x00b",
    "/\x7f",
    "/\u2028",
    "https://[::1]:5000/x",
    "/a;b,c=d@e:f!g$h&i(j)*k+l",
    "///x",
    "http:///x",
    " /a",
]
BUILT = [
    "/redirects/shown/x",
    "/redirects/shown/a%20b",
    "/redirects/shown/%C3%A4%25",
    "/redirects/shown/a+b;c=d,e@f:g!h$i&j",
    "/redirects/shown/x?q=1&q=2&n=3",
    "/redirects/shown/x?n=a%20b%26c%3Dd%2Be%23",
    "/redirects/shown/x?q=%C3%A4%27()*!~/:;?@[]",
    "/redirects/shown/x?n=",
    "/redirects/built/a/b",
    "/redirects/built/a%3Fb%23c/%25?anchor=x",
    "/redirects/built/a?anchor=",
    "/redirects/built/a?anchor=%C3%A4%20%23%3F%25",
    "/redirects/built/a?anchor=%22%3C%3E",
    "/redirects/external/a%20b",
    "/redirects/external/%C3%A4",
    "/redirects/secure",
    "/redirects/numbers/1/1.5/",
    "/redirects/numbers/007/0.1/",
]
HOSTS = ["shop.example", "SHOP.example:8080", "shop.example:443", "shop.example:80", "[::1]:8", 'a"<b', "user@h", "h:x"]
PREFIXES = ["/api", "/api/", "api", "/a/b", "/a, /b", "/a,", ",/a", '"/q"', "/\xc3\xa4", "/", "/redirects"]
PLAIN = ["/redirects/here", "/redirects/secure", "/redirects/shown/x", "/redirects/external/x", "/redirects/shown//x"]


@pytest.fixture(scope="module")
def apps():
    with three() as apps:
        yield apps


@pytest.mark.parametrize("location", LOCATIONS)
def test_any_location_is_sent_as_flask_sends_it(apps, location):
    assert not apps.differences(ask("/redirects/to?url=" + quote(location, safe="")))


@pytest.mark.parametrize("location", ["/a\nb", "/a\rb", "/a\r\nSet-Cookie: x=y", "\n"])
def test_a_location_with_a_line_break_is_an_error(apps, location):
    request = ask("/redirects/to?url=" + quote(location, safe=""))
    assert apps.original.send(request).status == apps.ported.send(request).status == 500
    assert not apps.differences(request)


@pytest.mark.parametrize("code", [301, 302, 303, 305, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_any_code_has_its_page(apps, code, method):
    assert not apps.differences(ask(f"/redirects/code/{code}", method))


@pytest.mark.parametrize("target", BUILT)
def test_urls_are_built_as_flask_builds_them(apps, target):
    assert not apps.differences(ask(target))


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("target", PLAIN)
def test_an_external_url_has_the_host_as_flask_takes_it(apps, host, target):
    assert not apps.differences(ask(target, "GET", ("Host", host)))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("target", [*PLAIN, "/api/redirects/here", "/routing/folder"])
def test_a_forwarded_prefix_is_the_root_path(apps, prefix, target):
    assert not apps.differences(ask(target, "GET", ("X-Forwarded-Prefix", prefix)))


def test_the_last_forwarded_prefix_counts(apps):
    fields = [("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/b")]

    assert apps.answer(ask("/redirects/shown/x", "GET", *fields)).body == b"/b/redirects/shown/x"


def test_the_naive_port_redirects_otherwise(apps):
    for target in ("/redirects/here", "/redirects/secure", "/redirects/to?url=%2F%C3%A4", *BUILT[:6]):
        assert apps.naive_differences(ask(target)), target
    post = ask("/redirects/form", "POST")
    assert not apps.differences(post)
    assert (apps.naive.send(post).status, apps.ported.send(post).status) == (307, 303)
    fields = [("X-Forwarded-Prefix", "/api")]
    assert apps.naive_differences(ask("/redirects/shown/x", "GET", *fields))


def test_each_piece_works_on_any_app():
    app = FastAPI()

    @app.get("/items/{id:int}/{name}")
    @app.get("/items")
    def items(request: Request, id: int = 0):
        return PlainTextResponse(url_for(request, "items", id=id or None, name="a/b c", page=2))

    @app.get("/away")
    def away():
        return redirect("https://other.example/ä")

    @app.get("/lost")
    def lost(request: Request):
        with pytest.raises(NoMatchFound):
            url_for(request, "nobody")
        with pytest.raises(ValueError, match="external"):
            url_for(request, "items", _scheme="https", _external=False)

    app.add_middleware(ForwardedPrefix)
    with asgi(app) as target:
        assert target.send(ask("/items/7/x")).body == b"/items/7/a/b%20c?page=2"
        assert target.send(ask("/items")).body == b"/items?name=a/b+c&page=2"
        assert target.send(ask("/items", "GET", ("X-Forwarded-Prefix", "/p"))).body == b"/p/items?name=a/b+c&page=2"
        assert target.send(ask("/away")).header("Location") == b"https://other.example/%C3%A4"
        assert target.send(ask("/lost")).status == 200
