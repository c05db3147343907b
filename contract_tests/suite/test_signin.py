"""GET /signin, GET /signin/callback, GET /signin/profile, POST /signout: sign-in at an OpenID provider, over TLS"""

import re
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from contract_tests.suite.test_session import DELETION, NOT_SIGNED_IN, session_of, with_cookie
from contract_tests.suite.visitors import credentials
from shared_core.signin import NoSignIn

pytestmark = pytest.mark.provider

NEXT = ["/whoami", "/users?limit=5&after=1", "/a/b%20c"]
ELSEWHERE = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "whoami",
    "", "/a\nb", "/a\tb", "/ b", "///evil.example", "/\u00e9", "/\x00",
]  # fmt: skip


def begin(api, **query):
    """Where the service sends a browser that wants to sign in."""
    answer = api.get("/signin", params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_back(api, url):
    """Follow the provider's redirect to the service, whatever its address."""
    parts = urlsplit(url)
    return api.get(f"{parts.path}?{parts.query}")


def sign_in(api, provider, account="ada", **query):
    answer = come_back(api, provider.answer(begin(api, **query), account=account))
    assert answer.status_code == 303, answer.text
    return answer


def changed(url, **values):
    """A callback's address with other values; None leaves one out."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | values
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def refused(answer):
    """What a refused callback tells; the session is nobody's."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Bad Request"
    return answer.json()["detail"]


def test_whoever_wants_to_sign_in_is_sent_to_the_provider(api, provider):
    answer = api.get("/signin")
    assert answer.status_code == 303
    assert answer.content == b""
    assert "__Host-session=" in answer.headers["set-cookie"]
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(provider.authority)
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [provider.client_id]
    assert asked["redirect_uri"] == ["https://testserver/signin/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_mode"] == ["query"]
    assert {"openid", "offline_access", "email"} <= set(asked["scope"][0].split())
    assert all(len(asked[name][0]) > 15 for name in ("state", "nonce", "code_challenge"))


def test_the_address_to_come_back_to_is_no_client_s_choice(api):
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    answer = api.get("/signin", headers=headers)
    assert "evil" not in answer.headers["location"]


def test_each_sign_in_has_a_state_nonce_and_verifier_of_its_own(connect):
    asked = [parse_qs(urlsplit(begin(connect())).query) for _ in range(3)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({query[name][0] for query in asked}) == 3


def test_whoever_comes_back_is_signed_in(connect, provider):
    api = connect()
    answer = sign_in(api, provider)
    assert answer.headers["location"] == "/"
    me = api.get("/whoami").json()
    assert (me["name"], me["email"]) == ("Ada", "ada@contoso.example")
    assert api.get(f"/user/{me['id']}").json() == {"name": "Ada", "email": "ada@contoso.example"}


def test_the_second_sign_in_is_the_same_user_s(connect, provider):
    one, other, bea = connect(), connect(), connect()
    sign_in(one, provider)
    sign_in(other, provider)
    sign_in(bea, provider, account="bea")
    assert one.get("/whoami").json() == other.get("/whoami").json()
    assert one.get("/whoami").json()["id"] != bea.get("/whoami").json()["id"]


@pytest.mark.parametrize("next", NEXT)
def test_a_sign_in_ends_where_it_was_wanted(connect, provider, next):
    assert sign_in(connect(), provider, next=next).headers["location"] == next


@pytest.mark.parametrize("next", ELSEWHERE)
def test_a_sign_in_ends_nowhere_else(connect, provider, next):
    """An open redirect would lend this service's good name to another site."""
    assert sign_in(connect(), provider, next=next).headers["location"] == "/"


def test_a_place_to_end_at_has_five_hundred_characters_at_most(api):
    assert api.get("/signin", params={"next": "/" + "x" * 500}).status_code == 422


def test_the_session_has_another_id_once_somebody_is_signed_in(connect, provider):
    api = connect()
    back = provider.answer(begin(api))
    before = session_of(api)
    come_back(api, back)
    assert session_of(api) != before
    assert api.get("/whoami", headers=with_cookie(api, before)).status_code == 401


def test_what_a_visitor_kept_stays_over_the_sign_in(connect, provider):
    api = connect()
    api.put("/session/data/colour", json={"value": "blue"})
    sign_in(api, provider)
    assert api.get("/session/data/colour").json() == {"value": "blue"}


def test_an_email_that_is_registered_here_lets_nobody_in(connect, provider, person):
    """A tenant's administrator can write any email: to link by it would hand out accounts."""
    api = connect()
    api.post("/user", json=person() | {"email": "Ada@contoso.example"})
    answer = come_back(api, provider.answer(begin(api)))
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This email is already registered."
    assert api.get("/whoami").status_code == 401


def test_who_signs_in_elsewhere_has_no_password_here(connect, provider, person):
    api = connect()
    sign_in(api, provider)
    for password in ("", "!", "test"):
        answer = connect().post("/session", json={"email": "ada@contoso.example", "password": password})
        assert answer.status_code == (401 if password else 422)


def test_an_answer_counts_once(connect, provider):
    api = connect()
    back = provider.answer(begin(api))
    assert come_back(api, back).status_code == 303
    told = refused(come_back(api, back))
    assert told == "No sign-in is under way in this session, or its answer was used already; begin again."


def test_a_code_that_was_used_is_refused_in_another_session_too(connect, provider):
    thief = connect()
    stolen = provider.answer(begin(connect()))
    begin(thief)
    assert "not for this session" in refused(come_back(thief, stolen))
    assert thief.get("/whoami").status_code == 401


def test_an_answer_to_an_earlier_attempt_is_refused(connect, provider):
    api = connect()
    back = provider.answer(begin(api))
    begin(api)
    assert "not for this session" in refused(come_back(api, back))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"state": "x"}, "not for this session"),
        ({"state": ""}, "not for this session"),
        ({"state": None}, "not for this session"),
        ({"state": "\u00e9"}, "not for this session"),
        ({"code": None}, "holds no code"),
        ({"code": ""}, "holds no code"),
        ({"code": "hunter2-s3cret"}, "did not accept"),
        ({"error": "access_denied", "error_description": "hunter2-s3cret"}, "declined"),
        ({"iss": "https://evil.example/tenant"}, "another sign-in provider"),
    ],
)
def test_an_answer_that_was_changed_is_refused(connect, provider, caplog, values, told):
    api = connect()
    back = provider.answer(begin(api))
    answer = api.get(changed(back, **values))
    assert told in refused(answer)
    assert "hunter2" not in answer.text + caplog.text.replace("HTTP Request", "")
    assert api.get("/whoami").status_code == 401
    assert "No sign-in is under way" in refused(come_back(api, back))


@pytest.mark.parametrize("name", ["code", "state"])
def test_an_answer_that_repeats_a_parameter_is_refused(connect, provider, name):
    api = connect()
    back = provider.answer(begin(api))
    value = dict(parse_qsl(urlsplit(back).query))[name]
    for twice in (f"{name}=x&{urlsplit(back).query}", f"{urlsplit(back).query}&{name}={value}"):
        begin_again = api.get(f"/signin/callback?{twice}")
        assert refused(begin_again) in {
            "The answer of the sign-in provider repeats a parameter; begin again.",
            "No sign-in is under way in this session, or its answer was used already; begin again.",
        }
    assert api.get("/whoami").status_code == 401


def test_an_answer_without_a_sign_in_is_refused(api):
    told = refused(api.get("/signin/callback?code=x&state=y"))
    assert told == "No sign-in is under way in this session, or its answer was used already; begin again."
    assert refused(api.get("/signin/callback")) == told


def test_who_declines_at_the_provider_is_not_signed_in(connect, provider):
    api = connect()
    assert "declined" in refused(come_back(api, provider.answer(begin(api), account=None)))
    assert api.get("/whoami").status_code == 401


@pytest.mark.parametrize(
    "how",
    [
        {"key": "foreign"}, {"alg": "none"}, {"alg": "HS256"}, {"kid": "unknown"}, {"exp": 1}, {"exp": None},
        {"iss": "https://evil.example/tenant"}, {"aud": "another"}, {"nonce": "another"}, {"nonce": None},
        {"sub": None}, {"token": "a.b.c"}, {"token": None},
    ],
    ids=lambda how: "-".join(f"{name}-{value}" for name, value in how.items()).replace("/", ""),
)  # fmt: skip
def test_a_forged_id_token_signs_nobody_in(connect, provider, caplog, how):
    api = connect()
    with provider.forging(**how):
        answer = come_back(api, provider.answer(begin(api)))
    assert answer.status_code in {400, 503}
    assert api.get("/whoami").json() == NOT_SIGNED_IN
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert not [line for line in lines if "evil" in line or "eyJ" in line]


def test_the_profile_is_what_the_provider_says_now(connect, provider):
    api = connect()
    sign_in(api, provider)
    shown = api.get("/signin/profile")
    assert shown.status_code == 200
    assert shown.json() == {"subject": "sub-ada", "name": "Ada", "email": "ada@contoso.example"}


def test_who_signed_in_with_a_password_has_no_profile_elsewhere(api, ada, sign_up):
    assert api.get("/signin/profile").json() == NOT_SIGNED_IN
    sign_up(api, ada)
    told = api.get("/signin/profile")
    assert told.status_code == 401
    assert told.json()["detail"] == (
        "There is no sign-in in this session, or the provider has ended it; sign in again."
    )


def test_a_sign_in_with_a_password_forgets_the_tokens_of_the_one_before(connect, provider, ada, sign_up):
    api = connect()
    sign_in(api, provider)
    sign_up(api, ada)
    assert api.get("/signin/profile").status_code == 401


def test_signing_out_ends_the_session_here_and_leads_to_the_provider(connect, provider):
    api = connect()
    sign_in(api, provider)
    old = session_of(api)
    answer = api.post("/signout")
    assert answer.status_code == 303
    assert answer.headers.get_list("set-cookie") == [DELETION]
    url = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(provider.authority)
    assert parse_qs(url.query)["post_logout_redirect_uri"] == ["https://testserver/"]
    assert not re.search("id_token|eyJ", url.query)
    assert api.get("/whoami", headers=with_cookie(api, old)).status_code == 401


def test_signing_out_leads_to_the_provider_whoever_is_signed_in(api, ada, sign_up):
    sign_up(api, ada)
    assert api.post("/signout").status_code == 303
    assert api.get("/whoami").status_code == 401
    assert api.post("/signout").status_code == 303


def test_a_link_signs_nobody_out(api, ada, sign_up):
    me = sign_up(api, ada)
    assert api.get("/signout").status_code == 405
    assert api.get("/whoami").json() == me


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/signin"), ("GET", "/signin/callback?code=x&state=y"), ("POST", "/signout"), ("GET", "/signin/profile")],
)
def test_without_settings_sign_in_is_not_offered(start, services, ada, sign_up, method, path):
    assert isinstance(services.signin, NoSignIn)
    api = start(services)
    sign_up(api, ada)
    answer = api.request(method, path)
    assert answer.status_code == 501
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Implemented",
        "status": 501,
        "detail": "Sign-in with Microsoft is not configured here.",
    }
    assert api.post("/session", json=credentials(ada)).status_code == 200
