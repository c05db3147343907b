"""The table of `parity gateway`: what cannot be meant is one line and exit code 2, and nothing is overwritten"""

import json
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import main
from contract_tests.migration.gateway.files import MARKER
from contract_tests.migration.gateway.patterns import Pattern
from contract_tests.migration.gateway.table_text import table_text
from contract_tests.migration.gateway.tables import TableError, read_table
from contract_tests.tests.house.gateways import route
from contract_tests.tests.house.test_house import ROOT

GATEWAY = {
    "proxy": '"nginx"',
    "listen": '"127.0.0.1:8080"',
    "original": '"127.0.0.1:8000"',
    "port": '"127.0.0.1:8001"',
}
ORIGINAL = '"original"'


def table(*routes, **changes):
    lines = [f"{key} = {value}" for key, value in {**GATEWAY, **changes}.items() if value]
    return "\n".join(["[gateway]", *lines, *(routes or [route(serve=ORIGINAL)])])


def read(*routes, **changes):
    return read_table(table(*routes, **changes), name="cutover.toml")


def parity(*arguments):
    return CliRunner().invoke(main, ["gateway", *map(str, arguments)])


REFUSED = {
    "route 1 (/*): the percentages add up to 99, not to 100": [route(serve="{ original = 90, port = 9 }")],
    "route 1 (/*): the percentages add up to 100.01, not to 100": [route(serve="{ original = 99.99, port = 0.02 }")],
    "route 1 (/*): original has more than two decimals, which no proxy can tell apart": [
        route(serve="{ original = 99.999, port = 0.001 }")
    ],
    "route 1 (/*): port is a percentage from 0 to 100": [route(serve="{ original = 100, port = -1 }")],
    "route 1 (/*): original is a percentage from 0 to 100": [route(serve="{ original = true, port = 99 }")],
    "route 1 (/*): mirror is a percentage from 0 to 100": [route(serve=ORIGINAL, mirror="nan")],
    'route 1 (/*): serve is "original", "port" or { original = 99, port = 1 }': [route(serve='"both"')],
    'route 1 (/*) has no serve: "original", "port" or { original = 99, port = 1 }': [route()],
    "route 1 has no path": ["[[routes]]\nserve = 'port'"],
    "route 1 (/*) has an unknown key weight": [route(serve=ORIGINAL, weight=1)],
    "route 1 (/*): methods is a list of GET, HEAD, OPTIONS, PUT, DELETE, TRACE, POST, PATCH": [
        route(serve=ORIGINAL, methods='["get"]')
    ],
    "'users' does not begin with /": [route("users", serve=ORIGINAL)],
    "'/a/*/b' has '*': a segment is plain text, {name}, or * at the end": [route("/a/*/b", serve=ORIGINAL)],
    "'/a;b' has 'a;b': a segment is plain text, {name}, or * at the end": [route("/a;b", serve=ORIGINAL)],
    "the routes every method of /a/{x} and GET /{y}/b overlap: some requests fit both": [
        route("/a/{x}", serve=ORIGINAL),
        route("/{y}/b", serve=ORIGINAL, methods='["GET"]'),
    ],
    "the routes GET /a/{x} and GET,POST /a/{y} overlap: some requests fit both": [
        route("/a/{x}", serve=ORIGINAL, methods='["GET"]'),
        route("/a/{y}", serve=ORIGINAL, methods='["GET", "POST"]'),
    ],
    'route 1 (/*): a mirror needs serve = "original", or the port is asked twice': [
        route(serve="{ original = 50, port = 50 }", mirror=1)
    ],
    "route 1 (/*): a mirror of POST does everything twice; if the port has a database of its own,"
    " say mirror_is_safe = true": [route(serve=ORIGINAL, mirror=1, methods='["GET", "POST"]')],
    "route 1 (/*): mirror_is_safe is true or false": [route(serve=ORIGINAL, mirror=1, mirror_is_safe=1)],
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_route_that_cannot_be_meant_is_one_line(message):
    with pytest.raises(TableError) as refused:
        read(*REFUSED[message])
    assert str(refused.value) == f"cutover.toml: {message}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxy": '"squid"'}, "proxy is one of nginx, haproxy, envoy"),
        ({"proxy": None}, "proxy is one of nginx, haproxy, envoy"),
        ({"listen": '"8080"'}, "listen is an address such as 127.0.0.1:8000"),
        ({"port": '"127.0.0.1:65536"'}, "port is an address such as 127.0.0.1:8000"),
        ({"port": "8001"}, "port is an address such as 127.0.0.1:8000"),
        ({"port": '"127.0.0.1:8000"'}, "listen, original and port are three addresses"),
        ({"sticky": '{ cookie = "a", header = "b" }'}, 'sticky is { cookie = "gateway" } or { header = "X-User" }'),
        ({"sticky": '{ cookie = "a;b" }'}, "sticky: 'a;b' is no name of a cookie"),
        ({"sticky": '{ cookie = "my-user" }'}, "sticky: 'my-user' has a -, which nginx finds in no cookie"),
        ({"hidden": '["/a/{b}"]'}, "hidden: /a/{b} is no single path"),
        ({"max_body_mb": "0"}, "max_body_mb is a whole number above 0"),
        ({"logs": '"/a b"'}, "logs is a path without spaces and quotes"),
        ({"tls": '"x.pem"'}, "tls has a certificate and a key"),
        ({"backend": "1"}, "[gateway] has an unknown key backend"),
    ],
)
def test_a_gateway_that_cannot_be_meant_is_one_line(changes, message):
    with pytest.raises(TableError) as refused:
        read(**changes)
    assert str(refused.value) == f"cutover.toml: {message}"


@pytest.mark.parametrize("text", ["", "[gateway", "[gateway]\n", "x = 1", "routes = 1\n[gateway]"])
def test_what_is_no_table_at_all_is_one_line(text, tmp_path):
    path = tmp_path / "cutover.toml"
    path.write_text(text)
    ended = parity("write", path)
    assert ended.exit_code == 2
    assert ended.output.startswith(f"{path}: ")
    assert ended.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_table_that_cannot_be_read_is_one_line(content, tmp_path):
    path = tmp_path / "cutover.toml"
    if content:
        path.write_bytes(content)
    ended = parity("write", path)
    assert ended.exit_code == 2
    assert ended.output == f"{path}: {'byte 0 is not UTF-8' if content else 'No such file or directory'}\n"


NESTED = ["/user/me", "/user/{id}", "/user/*", "/*"]


@pytest.mark.parametrize("order", list(permutations(NESTED)), ids=" ".join)
def test_what_is_within_another_is_tried_before_it(order):
    assert [each.path for each in read(*(route(path, serve=ORIGINAL) for path in order)).routes] == NESTED


@pytest.mark.parametrize(
    ("one", "two", "overlap", "within"),
    [
        ("/a", "/a", True, True),
        ("/a", "/b", False, False),
        ("/a", "/a/", False, False),
        ("/a", "/{x}", True, True),
        ("/{x}", "/a", True, False),
        ("/a/b", "/a", False, False),
        ("/a", "/a/*", False, False),
        ("/a/", "/a/*", True, True),
        ("/a/b/*", "/a/*", True, True),
        ("/a/*", "/a/b/*", True, False),
        ("/a/*", "/a/b", True, False),
        ("/{x}/b", "/a/*", True, False),
        ("/a/{x}", "/{x}/b", True, False),
    ],
)
def test_patterns_overlap_and_contain_each_other(one, two, overlap, within):
    one, two = Pattern.parse(one), Pattern.parse(two)
    assert one.overlaps(two) is two.overlaps(one) is overlap
    assert one.within(two) is within


def test_a_table_is_written_as_it_is_read():
    gateway = {
        "sticky": '{ header = "X-User" }',
        "hidden": '["/metrics"]',
        "tls": '{ certificate = "a.crt", key = "a.key" }',
        "max_body_mb": "11",
        "logs": '"/var/log/nginx"',
        "admin_socket": '"/run/admin.sock"',
    }
    routes = [
        route("/a", serve="{ original = 99.5, port = 0.5 }"),
        route("/b/{x}", serve=ORIGINAL, mirror="0.25", mirror_is_safe="true", methods='["GET", "POST"]'),
        route("/*", serve='"port"'),
    ]
    one = read(*routes, **gateway)
    assert read_table(table_text(one), name="again") == one
    assert one.rolled_back().rolled_back() == one.rolled_back() != one


# Routes that the app does not have.


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cutover.toml"


OPENAPI = ROOT / "shared_core/openapi.json"


def test_every_route_of_the_table_is_one_of_the_document(path):
    paths = json.loads(OPENAPI.read_bytes())["paths"]
    path.write_text(table(*(route(each, serve=ORIGINAL) for each in paths), route("/*", serve=ORIGINAL)))
    assert parity("write", path, "--openapi", OPENAPI).exit_code == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (route("/usr", serve=ORIGINAL), "the app has no route /usr"),
        (route("/user/{id}/more", serve=ORIGINAL), "the app has no route /user/{id}/more"),
        (route("/user/1", serve=ORIGINAL), "the app has no route /user/1"),
        (route("/nothing/*", serve=ORIGINAL), "the app has no route /nothing/*"),
        (route("/users", serve=ORIGINAL, methods='["POST"]'), "the app has no POST /users, only GET"),
    ],
)
def test_a_route_that_the_app_does_not_have_is_one_line(asked, told, path, tmp_path):
    listed = tmp_path / "routes.txt"
    listed.write_text("# of the app\nGET /users\n\nget /user/{id}\nPOST /user\n")
    path.write_text(table(asked))
    for option in (["--openapi", OPENAPI], ["--routes", listed]):
        ended = parity("write", path, *option)
        assert (ended.exit_code, ended.output) == (2, f"{path}: {told}\n")
    assert sorted(tmp_path.iterdir()) == [path, listed]


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--openapi", "openapi: 3", "this is no OpenAPI document in JSON: it has no paths"),
        ("--openapi", "[]", "this is no OpenAPI document in JSON: it has no paths"),
        ("--openapi", None, "No such file or directory"),
        ("--routes", None, "No such file or directory"),
    ],
)
def test_known_routes_that_cannot_be_read_are_one_line(option, content, told, path, tmp_path):
    known = tmp_path / "known"
    if content:
        known.write_text(content)
    path.write_text(table())
    ended = parity("write", path, option, known)
    assert (ended.exit_code, ended.output) == (2, f"{known}: {told}\n")


def test_a_broken_line_of_routes_is_named(path, tmp_path):
    known = tmp_path / "routes.txt"
    known.write_text("GET /users\n/user\n")
    path.write_text(table())
    assert parity("write", path, "--routes", known).output == f"{known}:2: a line has a method and a path\n"


# What is written.

FILES = {
    "nginx": {"gateway.nginx.conf"},
    "haproxy": {"gateway.haproxy.cfg"},
    "envoy": {"gateway.envoy.yaml", "gateway.envoy-routes.yaml"},
}


@pytest.mark.parametrize("proxy", FILES)
def test_it_writes_over_what_it_wrote_itself_and_over_nothing_else(proxy, path, tmp_path):
    path.write_text(table(proxy=f'"{proxy}"'))
    out = tmp_path / "made"
    for _ in range(2):
        assert parity("write", path, "--out", out).exit_code == 0
    assert {each.name for each in out.iterdir()} == FILES[proxy]
    before = {each: each.read_text() for each in out.iterdir()}
    assert all(text.startswith(f"{MARKER}\n") for text in before.values())
    mine = max(out.iterdir())
    mine.write_text("# mine\n")
    path.write_text(table(route(serve='"port"'), proxy=f'"{proxy}"'))
    for name in ("write", "rollback"):
        ended = parity(name, path, "--out", out)
        assert ended.exit_code == 2
        assert ended.output == f"{mine} was not written by parity gateway: nothing is overwritten\n"
    assert {each: each.read_text() for each in out.iterdir()} == {**before, mine: "# mine\n"}


def test_a_folder_that_cannot_be_written_is_one_line(path, tmp_path):
    path.write_text(table())
    (tmp_path / "file").write_text("")
    ended = parity("write", path, "--out", tmp_path / "file/made")
    assert ended.exit_code == 2
    assert ended.output.count("\n") == 1
    assert "cannot be written" in ended.output


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(path, tmp_path, monkeypatch):
    path.write_text(table())
    parity("write", path)
    old = (tmp_path / "gateway.nginx.conf").read_text()
    path.write_text(table(route(serve='"port"')))

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        ended = parity("write", path)
    assert (ended.exit_code, "No space left" in ended.output) == (2, True)
    assert (tmp_path / "gateway.nginx.conf").read_text() == old
    assert {each.name for each in tmp_path.iterdir()} == {"cutover.toml", "gateway.nginx.conf"}


def test_haproxy_has_no_mirror(path, tmp_path):
    path.write_text(table(route("/a", serve=ORIGINAL, mirror=1), proxy='"haproxy"'))
    ended = parity("write", path)
    told = "HAProxy has no mirror, and every method of /a asks for one: take nginx or Envoy\n"
    assert (ended.exit_code, ended.output) == (2, told)
    assert list(tmp_path.iterdir()) == [path]


def test_nginx_gets_no_name_that_it_could_not_start_without(path):
    path.write_text(table(port='"fastapi:8001"'))
    ended = parity("write", path)
    told = "nginx does not start while the name in fastapi:8001 is unknown: give an IP address\n"
    assert (ended.exit_code, ended.output) == (2, told)
    for proxy in ("haproxy", "envoy"):
        assert parity("write", path, "--for", proxy).exit_code == 0


def test_what_is_to_be_done_then_is_told(path, tmp_path):
    path.write_text(table())
    told = f"wrote {tmp_path}/gateway.nginx.conf\nthen:\n  nginx -t\n  nginx -s reload\n"
    assert parity("write", path).output == told


def test_a_rollback_gives_everything_back_and_keeps_the_table_as_it_was(path, tmp_path):
    text = "# of ours\n" + table(
        route("/a", serve='"port"'),
        route("/b", serve=ORIGINAL, mirror=5),
        route("/*", serve="{ original = 1, port = 99 }"),
    )
    for number in (1, 2):
        path.write_text(text)
        ended = parity("rollback", path)
        assert ended.exit_code == 0
        assert f"kept {path}.before-rollback-{number}\n" in ended.output
        assert (tmp_path / f"cutover.toml.before-rollback-{number}").read_text() == text
        now = read_table(path.read_text(), name="now")
        assert [(each.share, each.mirror) for each in now.routes] == [(0, 0)] * 3
        written = (tmp_path / "gateway.nginx.conf").read_text()
        assert "mirror /" not in written
        assert "gateway_port;" not in written
    assert "kept" not in parity("rollback", path).output


def test_a_rollback_of_a_broken_table_changes_nothing(path, tmp_path):
    path.write_text(table(route(serve="{ original = 1, port = 1 }")))
    before = path.read_text()
    assert parity("rollback", path).exit_code == 2
    assert (path.read_text(), list(tmp_path.iterdir())) == (before, [path])
