"""Methods, paths and slashes: what is answered beside the operations themselves"""

from urllib.parse import unquote, urlsplit

import pytest

# A page of users that is the same in every world.
NOBODY = "/users?after=999999999999999999"
GETS = ["/", NOBODY, "/healthz", "/readyz", "/openapi.json", "/docs", "/docs/start.js"]
ALLOWED = {path: {"GET", "HEAD", "OPTIONS"} for path in [*GETS, "/whoami", "/signin", "/metrics"]} | {
    "/user": {"POST", "OPTIONS"},
    "/user/1": {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"},
    "/session": {"POST", "DELETE", "OPTIONS"},
    "/session/data/colour": {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"},
    "/signout": {"POST", "OPTIONS"},
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


def allow(answer):
    return set(answer.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("path", GETS)
def test_head_answers_as_get_without_the_body(api, path):
    got, headed = api.get(path), api.head(path)
    assert headed.status_code == got.status_code == 200
    assert headed.content == b""
    assert headed.headers["content-length"] == str(len(got.content))
    assert headed.headers["content-type"] == got.headers["content-type"]


def test_head_of_an_unknown_user_has_the_length_of_the_problem(api):
    headed = api.head("/user/0")
    assert headed.status_code == 404
    assert headed.content == b""
    assert int(headed.headers["content-length"]) > 0


@pytest.mark.parametrize("path", sorted(ALLOWED))
def test_options_tells_what_a_path_allows(api, path):
    answer = api.options(path)
    assert answer.status_code == 200
    assert answer.content == b""
    assert allow(answer) == ALLOWED[path]


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path in sorted(ALLOWED) for method in METHODS if method not in ALLOWED[path]],
)
def test_a_method_that_is_not_routed_is_not_allowed(api, path, method):
    refused = api.request(method, path)
    assert refused.status_code == 405
    assert allow(refused) == ALLOWED[path]
    if method != "HEAD":
        assert refused.json() == {
            "type": "about:blank",
            "title": "Method Not Allowed",
            "status": 405,
            "detail": "This method is not allowed here.",
        }


@pytest.mark.in_process
@pytest.mark.parametrize("path", sorted(ALLOWED))
def test_a_method_that_nobody_knows_is_not_allowed(api, path):
    """In process, since httptools knows a fixed list of methods and refuses others before the port sees them."""
    refused = api.request("FOO", path)
    assert refused.status_code == 405
    assert allow(refused) == ALLOWED[path]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    ["/nope", "/user/", "/users/", "/users/1", "/healthz/", "/USERS", "/user%73x", "/docs/", "/docs/a/b", "/%00"],
)
def test_an_unknown_path_is_not_found_whatever_the_method(api, path, method):
    refused = api.request(method, path)
    assert refused.status_code == 404
    assert "allow" not in refused.headers


def test_an_unknown_path_is_told_as_a_problem(api):
    refused = api.get("/nope")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here.",
    }


def test_a_problem_is_written_in_one_order_and_without_white_space(api):
    told = b'{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing here."}'
    assert api.get("/nope").content == told


def test_a_percent_encoded_letter_is_that_letter(api):
    assert api.get("/%75sers?after=999999999999999999").status_code == 200


@pytest.mark.parametrize("slashes", ["//", "///", "////"])
def test_slashes_at_the_front_are_one(api, slashes):
    assert api.get(f"https://testserver{slashes}healthz").status_code == 200


@pytest.mark.parametrize("path", [*GETS, "/user/1"])
def test_a_body_that_no_one_reads_changes_nothing(api, path):
    """Neither its media type nor its size: nothing is refused that is not read."""
    plain = api.get(path)
    answer = api.request("GET", path, content=b"x" * (1 << 21), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.content) == (plain.status_code, plain.content)


@pytest.mark.parametrize(
    ("doubled", "merged"),
    [
        ("/user//1", "/user/1"),
        ("/docs///start.js?a=1&b=%20", "/docs/start.js?a=1&b=%20"),
        ("/docs//%C3%A9%20%22", "/docs/%C3%A9%20%22"),
    ],
)
def test_doubled_slashes_lead_to_the_merged_path(api, doubled, merged):
    answer = api.get(doubled)
    assert answer.status_code == 308
    assert urlsplit(answer.headers["location"])[2:4] == urlsplit(merged)[2:4]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "name", ["a%20b", "%C3%A9", "a:b@c", "!$&()*+,;=~", "%22%3C%3E", "100%25", "%3F%23", "%5B%7C%5D", "a'b"]
)
def test_a_redirect_keeps_the_characters_of_its_path(api, name):
    answer = api.get(f"/docs//{name}")
    assert answer.status_code == 308
    path = urlsplit(answer.headers["location"]).path
    assert path.isascii()
    assert " " not in path
    assert unquote(path) == unquote(f"/docs/{name}")


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("shop.example:8443", "shop.example:8443"),
        ("SHOP.example", "shop.example"),
        ("shop.example:443", "shop.example"),
    ],
)
def test_a_redirect_leads_to_the_host_that_was_asked(api, host, named):
    assert urlsplit(api.get("/user//1", headers={"Host": host}).headers["location"]).netloc == named


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/user/0", 404), ("POST", "/nope", 404), ("DELETE", "/user", 405), ("OPTIONS", "/user", 200)],
)
def test_a_body_that_no_one_reads_is_never_too_large(api, method, path, status):
    assert api.request(method, path, content=b" " * (1 << 21)).status_code == status


def test_a_method_that_is_not_routed_on_the_merged_path_is_not_allowed(api):
    refused = api.put("/user//1")
    assert refused.status_code == 405
    assert allow(refused) == ALLOWED["/user/1"]
