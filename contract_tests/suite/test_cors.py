"""What pages of other origins may do is told to their browsers on every answer (Fetch standard, CORS protocol)"""

from itertools import product

import pytest

from contract_tests.suite.test_failures import failing
from contract_tests.suite.test_methods import ALLOWED, NOBODY, allow
from contract_tests.suite.test_session import varies_by
from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import FRIEND, own_world

GRANTED = {
    "access-control-allow-origin": FRIEND,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Location, Retry-After, X-Request-ID",
}
METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
STRANGERS = [
    "https://evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example:443",
    "https://www.app.example",
    "https://app.example.evil.example",
    "https://appxexample",
    "https://app.example/",
    "https://testserver",
    "app.example",
    "null",
    "*",
    "",
]
# These may write: the service's own page, and a friend's as no browser writes it, for the cross-site check parses it.
NO_STRANGERS = {"https://testserver", "https://app.example:443", "https://app.example/"}


def told(answer):
    """What an answer tells a browser of CORS."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def preflight(api, path, *, origin=FRIEND, method="POST", headers=None, **more):
    """What a browser asks before a request that no form could send."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method, **more}
    return api.options(path, headers=asked | ({"Access-Control-Request-Headers": headers} if headers else {}))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/docs/start.js", 200),
        ("DELETE", "/session", 204),
        ("GET", "/user//1", 308),
        ("POST", "/session", 415),
        ("GET", "/whoami", 401),
        ("GET", "/user/0", 404),
        ("GET", "/nowhere", 404),
        ("PATCH", "/users", 405),
        ("GET", "/users?limit=x", 422),
        ("TRACE", "/", 405),
    ],
)
def test_every_answer_to_a_friend_s_page_says_that_it_may_read_it(api, method, path, status):
    answer = api.request(method, path, headers={"Origin": FRIEND})
    assert answer.status_code == status
    assert told(answer) == GRANTED
    assert "Origin" in varies_by(answer)


def test_a_friend_s_page_learns_that_its_body_was_too_large(api):
    refused = api.post("/user", json={"name": "x" * (1 << 20)}, headers={"Origin": FRIEND})
    assert refused.status_code == 413
    assert told(refused) == GRANTED


@pytest.mark.in_process
def test_a_friend_s_page_learns_of_an_unforeseen_error_too(start, services):
    answer = start(failing(services)).get("/user/1", headers={"Origin": FRIEND})
    assert answer.status_code == 500
    assert told(answer) == GRANTED
    assert varies_by(answer) == {"Origin"}


@pytest.mark.in_process
def test_a_friend_s_page_learns_that_the_database_is_busy(start, services):
    api = start(services)
    with services.database.begin():
        answer = api.get("/users", headers={"Origin": FRIEND})
    assert answer.status_code == 503
    assert told(answer) == GRANTED


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_a_stranger_s_page_is_told_nothing(api, path, origin):
    answer = api.get(path, headers={"Origin": origin})
    assert told(answer) == {}
    assert varies_by(answer) == {"Origin"}


@pytest.mark.parametrize("second", ["https://evil.example", FRIEND])
def test_several_origins_are_no_origin(api, second):
    assert told(api.get("/", headers=[("Origin", FRIEND), ("Origin", second)])) == {}


def test_without_an_origin_nothing_is_told_but_that_it_matters(api):
    """Else a cache would hand the answer, which grants nothing, to a page that may read it (Fetch, HTTP caches)."""
    answer = api.get("/")
    assert told(answer) == {}
    assert varies_by(answer) == {"Origin"}


def test_an_origin_in_another_case_is_the_same(api):
    """No browser sends it so (RFC 6454 section 6.1); Flask-CORS takes it, and gives it back as it came."""
    answer = api.get("/", headers={"Origin": "HTTPS://App.Example"})
    assert told(answer) == GRANTED | {"access-control-allow-origin": "HTTPS://App.Example"}


def test_what_varies_by_the_session_varies_by_both(api, ada, sign_up):
    sign_up(api, ada)
    assert varies_by(api.get("/whoami", headers={"Origin": FRIEND})) == {"Cookie", "Origin"}


@pytest.mark.parametrize("method", METHODS.split(", "))
def test_a_preflight_tells_what_may_be_sent(api, method):
    answer = preflight(api, "/user/1", method=method, headers="content-type")
    assert (answer.status_code, answer.content) == (200, b"")
    assert told(answer) == GRANTED | {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": "content-type",
        "access-control-max-age": "600",
    }
    assert allow(answer) == ALLOWED["/user/1"]


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("content-type,x-request-id", "content-type, x-request-id"),
        ("X-Request-ID, Content-Type", "Content-Type, X-Request-ID"),
        ("content-type, authorization, x-other", "content-type"),
        ("authorization", None),
        ("*", None),
        ("content-type,content-type", "content-type, content-type"),
        (" , ,", None),
        (None, None),
    ],
)
def test_a_header_that_is_not_listed_is_not_allowed(api, asked, allowed):
    answer = preflight(api, "/user", headers=asked)
    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-headers") == allowed


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "CONNECT", "OPTIONS", "GETT", ""])
def test_a_method_that_is_not_listed_is_not_allowed(api, method):
    answer = preflight(api, "/user", method=method, headers="content-type")
    assert answer.status_code == 200
    assert told(answer) == GRANTED


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/user/", 404), ("/user//1", 308)])
def test_a_preflight_of_what_is_not_there_is_refused_by_its_status(api, path, status):
    """A browser goes on after an ok status only (Fetch, CORS-preflight fetch)."""
    answer = preflight(api, path)
    assert answer.status_code == status
    assert told(answer)["access-control-allow-origin"] == FRIEND


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_stranger_s_preflight_is_told_nothing(api, origin):
    answer = preflight(api, "/user", origin=origin, headers="content-type")
    assert answer.status_code == 200
    assert told(answer) == {}


def test_options_of_a_page_that_is_no_preflight_tells_what_a_path_allows(api):
    answer = api.options("/user", headers={"Origin": FRIEND})
    assert (answer.status_code, answer.content) == (200, b"")
    assert allow(answer) == ALLOWED["/user"]
    assert told(answer) == GRANTED


def test_a_page_of_the_wide_net_may_not_reach_into_a_private_one(api):
    answer = preflight(api, "/user", **{"Access-Control-Request-Private-Network": "true"})
    assert answer.headers["access-control-allow-private-network"] == "false"


def test_whatever_a_page_asks_both_tell_it_the_same(api):
    """Nothing is asserted of one target alone: the pair compares."""
    origins = [FRIEND, "https://evil.example", "null", None]
    asked = ["GET", "get", "Post", "ET", "GET, POST", "*", None]
    headers = ["Content-Type", "x-a,\tX-REQUEST-id ,content-type", "content type", None]
    networks = ["true", "TRUE", None]
    for method in ("OPTIONS", "GET"):
        for origin, wanted, listed, network in product(origins, asked, headers, networks):
            values = {
                "Origin": origin,
                "Access-Control-Request-Method": wanted,
                "Access-Control-Request-Headers": listed,
                "Access-Control-Request-Private-Network": network,
            }
            answer = api.request(method, "/", headers={name: value for name, value in values.items() if value})
            assert answer.status_code == 200
            assert bool(told(answer)) == (origin == FRIEND)


def test_a_friend_s_page_may_change_things(api, ada):
    """The one list says who may read and who may write: the cross-site check takes no one else's word."""
    page = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
    assert preflight(api, "/user", headers="content-type").status_code == 200
    created = api.post("/user", json=ada, headers=page)
    assert created.status_code == 201
    assert told(created) == GRANTED
    assert api.post("/session", json=credentials(ada), headers=page).status_code == 200
    assert api.get("/whoami", headers=page).json()["name"] == "Ada"
    assert api.delete("/session", headers=page).status_code == 204


@pytest.mark.parametrize("origin", [each for each in STRANGERS if each not in NO_STRANGERS])
def test_a_stranger_s_page_changes_nothing_and_is_not_told_so(api, origin):
    refused = api.delete("/session", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert told(refused) == {}


@pytest.mark.in_process
def test_without_origins_there_is_no_cors(start):
    with own_world(cors_origins="") as world:
        api = start(world.services)
        for answer in (api.get("/", headers={"Origin": FRIEND}), preflight(api, "/user"), api.get("/nowhere")):
            assert told(answer) == {}
            assert varies_by(answer) == set()
        assert preflight(api, "/user").status_code == 200
        assert api.delete("/session", headers={"Origin": FRIEND}).status_code == 403


@pytest.mark.in_process
def test_each_of_several_friends_is_told_of_itself_alone(start):
    """Brackets are a regular expression's to Flask-CORS, and dots are any character's."""
    friends = ["https://app.example", "http://localhost:3000", "http://[::1]:3000"]
    with own_world(cors_origins=" , ".join(friends)) as world:
        api = start(world.services)
        for friend in friends:
            assert told(api.get(NOBODY, headers={"Origin": friend}))["access-control-allow-origin"] == friend
            assert api.delete("/session", headers={"Origin": friend}).status_code == 204
        for stranger in ("http://:", "http://:3000", "http://localhost", "https://app.example, http://localhost:3000"):
            assert told(api.get(NOBODY, headers={"Origin": stranger})) == {}
        assert told(api.get(NOBODY)) == {}
