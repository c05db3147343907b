"""The security headers: the same fields in the same order on every answer, and each where it belongs"""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from contract_tests.suite.test_failures import failing, unmigrate
from contract_tests.suite.test_sessions_more import Breaking
from contract_tests.suite.test_signin import begin, come_back, sign_in
from contract_tests.suite.visitors import credentials
from contract_tests.suite.world import own_world

NOSNIFF = ("x-content-type-options", "nosniff")
REFERRER = ("referrer-policy", "no-referrer")
DATA = ("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
PAGE = (
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
HSTS = ("strict-transport-security", "max-age=31536000")
NO_STORE = ("cache-control", "no-store")
KEPT = ("cache-control", "private, no-cache")
NAMES = {name for name, _ in (NOSNIFF, REFERRER, DATA, HSTS, NO_STORE)}

ANY = [NOSNIFF, REFERRER, DATA, HSTS]
UNSTORED = [*ANY, NO_STORE]
# Where TLS ends at a proxy, and where there is none.
HTTPS, HTTP = {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "http"}
UNREADABLE = {"content": b"{", "headers": {**HTTPS, "Content-Type": "application/json"}}


def security(answer):
    """The security headers of an answer, in their order."""
    return [(name.lower(), value) for name, value in answer.headers.multi_items() if name.lower() in NAMES]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", ANY),
        ("HEAD", "/", ANY),
        ("OPTIONS", "/", ANY),
        ("GET", "/users?limit=1", ANY),
        ("GET", "/openapi.json", ANY),
        ("GET", "/docs/start.js", ANY),
        ("HEAD", "/docs/swagger-ui.css", ANY),
        ("GET", "/user//0", ANY),
        ("GET", "/docs", [NOSNIFF, REFERRER, PAGE, HSTS]),
        ("HEAD", "/docs", [NOSNIFF, REFERRER, PAGE, HSTS]),
        ("POST", "/docs", [NOSNIFF, REFERRER, PAGE, HSTS, NO_STORE]),
        ("GET", "/docs/", UNSTORED),
        ("GET", "/docs/nothing.js", UNSTORED),
        ("GET", "/nowhere", UNSTORED),
        ("HEAD", "/nowhere", UNSTORED),
        ("DELETE", "/", UNSTORED),
        ("GET", "/user/0", UNSTORED),
        ("GET", "/users?limit=x", UNSTORED),
        ("GET", "/healthz", UNSTORED),
        ("HEAD", "/readyz", UNSTORED),
        ("GET", "/whoami", UNSTORED),
        ("DELETE", "/session", UNSTORED),
        ("DELETE", "/sessions", UNSTORED),
        ("PUT", "/session/data/colour", UNSTORED),
        ("GET", "/files/1", UNSTORED),
        ("GET", "/users.csv", UNSTORED),
    ],
)
def test_every_answer_has_its_headers(api, method, path, expected):
    assert security(api.request(method, path, headers=HTTPS)) == expected


def test_metrics_are_kept_by_nobody(connect):
    assert security(connect().get("/metrics", headers=HTTPS)) == UNSTORED


def test_what_cannot_be_read_has_them(api):
    refused = api.post("/user", **UNREADABLE)
    assert refused.status_code == 400
    assert security(refused) == UNSTORED


def test_what_another_site_s_page_sends_has_them(api):
    refused = api.delete("/session", headers={**HTTPS, "Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert security(refused) == UNSTORED


def test_what_anyone_may_see_may_be_kept(api, ada):
    path = f"/user/{api.post('/user', json=ada).json()['id']}"
    assert "cache-control" not in api.get(path).headers


def test_what_depends_on_who_asks_is_kept_by_nobody(api, ada, sign_up):
    me = sign_up(api, ada)
    answers = [
        api.post("/session", json=credentials(ada), headers=HTTPS),
        api.get("/whoami", headers=HTTPS),
        api.head("/whoami", headers=HTTPS),
        api.patch(f"/user/{me['id']}", json={"name": "Ada King"}, headers=HTTPS),
        api.put("/session/data/colour", json={"value": "red"}, headers=HTTPS),
        api.get("/session/data/colour", headers=HTTPS),
        api.get("/session/data/other", headers=HTTPS),
        api.delete("/session", headers=HTTPS),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 200, 404, 204]
    assert [security(answer) for answer in answers] == [UNSTORED] * len(answers)


def test_everyone_s_emails_are_kept_by_nobody(connect, ada, sign_up):
    api = connect()
    sign_up(api, ada)
    answer = api.get("/users.csv", headers=HTTPS)
    assert answer.status_code == 200
    assert security(answer) == UNSTORED


def test_a_download_is_kept_by_its_own_browser_that_asks_before_each_use(api, ada, sign_up):
    """The 304 says what the 200 said (RFC 9110 section 15.4.5): a cache takes a 304's word for what it has."""
    sign_up(api, ada)
    url = api.post("/files", files={"file": ("a.txt", b"hello", "text/plain")}).headers["location"] + "/content"
    whole = api.get(url, headers=HTTPS)
    answers = [
        whole,
        api.head(url, headers=HTTPS),
        api.get(url, headers={**HTTPS, "Range": "bytes=0-1"}),
        api.get(url, headers={**HTTPS, "If-None-Match": whole.headers["etag"]}),
        api.get(url, headers={**HTTPS, "Range": "bytes=9-"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 206, 304, 416]
    assert [security(answer) for answer in answers] == [[KEPT, *ANY]] * 4 + [UNSTORED]


@pytest.mark.provider
def test_the_way_to_a_provider_and_back_is_kept_by_nobody(connect, provider):
    api = connect()
    asked = api.get("/signin", headers=HTTPS)
    refused = api.get("/signin/callback?state=x&code=y", headers=HTTPS)
    back = come_back(api, provider.answer(begin(api)))
    signed_out = api.post("/signout", headers=HTTPS)
    assert [answer.status_code for answer in (asked, refused, back, signed_out)] == [303, 400, 303, 303]
    assert [security(answer)[-1] for answer in (asked, refused, back, signed_out)] == [NO_STORE] * 4


@pytest.mark.provider
def test_a_profile_is_kept_by_nobody(connect, provider):
    api = connect()
    sign_in(api, provider)
    assert security(api.get("/signin/profile", headers=HTTPS)) == UNSTORED


@pytest.mark.parametrize("path", ["/", "/docs", "/nowhere", "/whoami", "/docs/start.js"])
def test_browsers_are_held_to_https_only_by_an_answer_over_https(api, path):
    by_https, by_http = api.get(path, headers=HTTPS), api.get(path, headers=HTTP)
    assert [header for header in security(by_https) if header != HSTS] == security(by_http)
    assert HSTS in security(by_https)


@pytest.mark.in_process
def test_whoever_is_no_trusted_proxy_does_not_say_which_scheme_it_is(start):
    with own_world(trusted_proxies="") as world:
        assert HSTS in security(start(world.services).get("/", headers=HTTP))


@pytest.mark.in_process
@pytest.mark.parametrize("seconds", [0, 300])
def test_how_long_browsers_are_held_to_https_is_the_setting_s(start, seconds):
    with own_world(hsts_seconds=seconds) as world:
        answer = start(world.services).get("/", headers=HTTPS)
    assert answer.headers.get_list("strict-transport-security") == [f"max-age={seconds}"]


@pytest.mark.in_process
def test_an_unforeseen_error_has_them(start, services):
    answer = start(failing(services)).get("/user/1")
    assert answer.status_code == 500
    assert security(answer) == UNSTORED


@pytest.mark.in_process
def test_a_database_that_is_not_migrated_has_them(start, services):
    unmigrate(services)
    answer = start(services).get("/users")
    assert answer.status_code == 503
    assert security(answer) == UNSTORED


@pytest.mark.in_process
def test_a_session_store_that_is_away_has_them(start, services):
    store = Breaking(":memory:", clock=lambda: 0.0)
    store.broken = True
    answer = start(replace(services, session_store=store)).get(
        "/whoami", headers={"Cookie": f"__Host-session={'x' * 43}"}
    )
    assert answer.status_code == 503
    assert security(answer) == UNSTORED


@pytest.mark.in_process
def test_one_request_too_many_has_them(start):
    with own_world(rate_limit="1/hour") as world:
        api = start(world.services)
        answers = [api.get("/users"), api.get("/users")]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert [security(answer) for answer in answers] == [ANY, UNSTORED]


class Markup(HTMLParser):
    """What a page would have a browser do by itself."""

    def __init__(self, page):
        super().__init__()
        self.inline, self.loaded, self.tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self.loaded += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        if self.tags and self.tags[-1] in {"script", "style"} and data.strip():
            self.inline.append(data)


def test_the_docs_page_has_nothing_that_its_policy_forbids(api):
    page = Markup(api.get("/docs").text)
    assert page.inline == []
    assert {"base", "form", "iframe", "object", "style"} & set(page.tags) == set()
    assert page.loaded == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"]
