"""POST /session, GET /whoami, DELETE /session, DELETE /sessions"""

import re

import pytest

from contract_tests.suite.test_methods import NOBODY
from contract_tests.suite.visitors import credentials

NOT_SIGNED_IN = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Sign in first."}
WRONG = NOT_SIGNED_IN | {"detail": "The email or the password is wrong."}
COOKIE = re.compile(
    r"__Host-session=[A-Za-z0-9_-]{43}; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT;"
    r" Secure; HttpOnly; Path=/; SameSite=Lax"
)
DELETION = "__Host-session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; Path=/; SameSite=Lax"


# Each answer's own: when it was given, and how many may follow.
OWN = (b"date", b"x-request-id", b"x-ratelimit-remaining", b"x-ratelimit-reset")


def varies_by(answer):
    """The request headers that an answer depends on."""
    return {name.strip() for name in answer.headers.get("vary", "").split(",")} - {""}


def session_of(api):
    return api.cookies["__Host-session"]


def with_cookie(api, value):
    """A request's headers for another session than the client's own."""
    api.cookies.clear()
    return {"Cookie": f"__Host-session={value}"}


def test_whoever_signs_in_is_told_who_they_are(api, ada):
    id = api.post("/user", json=ada).json()["id"]
    answer = api.post("/session", json=credentials(ada))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json().items()) == [("id", id), ("name", "Ada"), ("email", ada["email"])]


def test_the_cookie_is_hardened(api, ada):
    """RFC 6265bis: no other host and no plain http can set a `__Host-` cookie, and no script reads an HttpOnly one."""
    api.post("/user", json=ada)
    answer = api.post("/session", json=credentials(ada))
    assert [bool(COOKIE.fullmatch(value)) for value in answer.headers.get_list("set-cookie")] == [True]
    assert varies_by(answer) == {"Cookie", "Origin"}


def test_whoever_is_signed_in_is_shown_to_themself(api, ada, sign_up):
    me = sign_up(api, ada)
    shown = api.get("/whoami")
    assert shown.status_code == 200
    assert shown.json() == me
    assert varies_by(shown) == {"Cookie", "Origin"}
    assert "set-cookie" not in shown.headers


def test_nobody_is_signed_in_at_first(api):
    refused = api.get("/whoami")
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"] == 'Cookie realm="Service"'
    assert refused.json() == NOT_SIGNED_IN
    assert "set-cookie" not in refused.headers


def test_an_email_is_the_same_in_any_case(api, ada):
    api.post("/user", json=ada)
    answer = api.post("/session", json=credentials(ada) | {"email": ada["email"].upper()})
    assert answer.status_code == 200
    assert answer.json()["email"] == ada["email"]


@pytest.mark.parametrize("password", ["Test", "test ", " test", "tes", "testt", "t\u00e9st", "test\x00", "0" * 1024])
def test_a_wrong_password_signs_nobody_in(api, ada, password):
    api.post("/user", json=ada)
    refused = api.post("/session", json=credentials(ada) | {"password": password})
    assert refused.status_code == 401
    assert refused.json() == WRONG
    assert "set-cookie" not in refused.headers
    assert api.get("/whoami").status_code == 401


def test_an_unknown_email_is_answered_as_a_wrong_password(api, ada, person):
    api.post("/user", json=ada)
    wrong = api.post("/session", json=credentials(ada) | {"password": "wrong"})
    unknown = api.post("/session", json=credentials(person("Nobody")))
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.content == wrong.content
    assert [field for field in unknown.headers.raw if field[0].lower() not in OWN] == [
        field for field in wrong.headers.raw if field[0].lower() not in OWN
    ]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/body/email", "/body/password"]),
        ({"email": "ada@example.com"}, ["/body/password"]),
        ({"email": "ada", "password": "test"}, ["/body/email"]),
        ({"email": "ada@example.com", "password": ""}, ["/body/password"]),
        ({"email": "ada@example.com", "password": "0" * 1025}, ["/body/password"]),
        ({"email": "ada@example.com", "password": 5}, ["/body/password"]),
        ([], ["/body"]),
    ],
)
def test_credentials_that_do_not_fit_are_told_where(api, body, pointers):
    refused = api.post("/session", json=body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers


def test_credentials_must_be_json(api):
    headers = {"Content-Type": "application/json"}
    assert api.post("/session", content=b"{", headers=headers).status_code == 400
    assert api.post("/session", content=b"", headers=headers).status_code == 400
    assert api.post("/session", data={"email": "ada@example.com", "password": "test"}).status_code == 415


def test_signing_out_ends_the_session_and_deletes_the_cookie(api, ada, sign_up):
    sign_up(api, ada)
    old = session_of(api)
    answer = api.delete("/session")
    assert answer.status_code == 204
    assert answer.content == b""
    assert "content-type" not in answer.headers
    assert answer.headers.get_list("set-cookie") == [DELETION]
    assert varies_by(answer) == {"Cookie", "Origin"}
    assert api.get("/whoami", headers=with_cookie(api, old)).status_code == 401


def test_signing_out_twice_is_no_error(api, ada, sign_up):
    sign_up(api, ada)
    assert [api.delete("/session").status_code for _ in range(2)] == [204, 204]


def test_signing_out_ends_no_other_session(connect, ada, sign_up):
    here, there = connect(), connect()
    me = sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    here.delete("/session")
    assert there.get("/whoami").json() == me


def test_signing_out_everywhere_ends_every_session_of_that_user(connect, ada, person, sign_up):
    here, there, other = connect(), connect(), connect()
    sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    bea = sign_up(other, person("Bea"))
    answer = here.delete("/sessions")
    assert answer.status_code == 204
    assert answer.headers.get_list("set-cookie") == [DELETION]
    assert [client.get("/whoami").status_code for client in (here, there)] == [401, 401]
    assert other.get("/whoami").json() == bea


def test_signing_out_everywhere_needs_someone_who_is_signed_in(api, ada, sign_up):
    assert api.delete("/sessions").status_code == 401
    sign_up(api, ada)
    old = session_of(api)
    api.delete("/session")
    assert api.delete("/sessions", headers=with_cookie(api, old)).status_code == 401


def test_a_session_gets_a_new_id_at_each_sign_in(api, ada):
    """Fixation: whoever planted or knew the id of before has nothing."""
    api.post("/user", json=ada)
    api.put("/session/data/colour", json={"value": "blue"})
    ids = [session_of(api)]
    for _ in range(2):
        assert api.post("/session", json=credentials(ada)).status_code == 200
        ids.append(session_of(api))
    assert len(set(ids)) == 3
    answers = [api.get("/whoami", headers=with_cookie(api, id)).status_code for id in ids]
    assert answers == [401, 401, 200]


def test_an_id_that_nobody_knows_is_never_adopted(api, ada):
    api.post("/user", json=ada)
    planted = "A" * 43
    api.post("/session", json=credentials(ada), headers=with_cookie(api, planted))
    assert session_of(api) != planted
    assert api.get("/whoami", headers=with_cookie(api, planted)).status_code == 401


@pytest.mark.parametrize(
    "value",
    ["", '""', '"', "A", "A" * 4000, "%00", "../x", "session:x", "a b", "a=b", "\xff", "\xc3\xa9", '"\\101"', "a,b"],
)
def test_a_cookie_that_is_no_session_is_nobody(api, value):
    headers = {"Cookie": b"__Host-session=" + value.encode("latin-1")}
    assert api.get("/whoami", headers=headers).json() == NOT_SIGNED_IN
    assert api.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("template", "status"),
    [
        ("__Host-session={id}; __Host-session=x", 200),
        ("__Host-session=x; __Host-session={id}", 401),
        ("other=1; __Host-session={id}", 200),
        ("other; =1;;  ; __Host-session={id}", 200),
        ('__Host-session="{id}"', 200),
        ("  __Host-session = {id}  ", 200),
        ("__host-session={id}", 401),
        ("session={id}", 401),
        ("__Host-session={id} x", 401),
        ('a="; __Host-session={id}', 200),
        ("$Version=1; __Host-session={id}; $Path=/", 200),
    ],
)
def test_the_first_cookie_of_the_name_counts(api, ada, sign_up, template, status):
    sign_up(api, ada)
    id = session_of(api)
    api.cookies.clear()
    answer = api.get("/whoami", headers={"Cookie": template.format(id=id)})
    assert answer.status_code == status


def test_routes_that_need_no_session_do_not_vary_with_it(api, ada, sign_up):
    created = api.post("/user", json=ada)
    sign_up(api, ada | {"email": f"b{ada['email']}"})
    for path in ("/", NOBODY, created.headers["location"], "/healthz", "/nowhere"):
        answer = api.get(path)
        assert varies_by(answer) == {"Origin"}
        assert "set-cookie" not in answer.headers


def test_signing_in_as_someone_else_ends_the_earlier_login(api, ada, person, sign_up):
    sign_up(api, ada)
    api.put("/session/data/colour", json={"value": "blue"})
    old = session_of(api)
    bea = sign_up(api, person("Bea"))
    assert api.get("/whoami").json() == bea
    assert api.get("/session/data/colour").status_code == 404
    assert api.get("/whoami", headers=with_cookie(api, old)).status_code == 401


@pytest.mark.empty_world
def test_attempts_to_sign_in_are_limited(api, ada, person):
    """Ten in five minutes; the password that would have been right does not help any more."""
    api.post("/user", json=ada)
    wrong = credentials(ada) | {"password": "wrong"}
    assert [api.post("/session", json=wrong).status_code for _ in range(10)] == [401] * 10
    refused = api.post("/session", json=credentials(ada) | {"email": ada["email"].upper()})
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 295 <= int(refused.headers["retry-after"]) <= 300
    assert refused.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many attempts to sign in; try again later.",
    }
    bea = person("Bea")
    api.post("/user", json=bea)
    assert api.post("/session", json=credentials(bea)).status_code == 200


def test_attempts_for_an_unknown_email_are_limited_alike(api, person):
    nobody = credentials(person("Nobody"))
    assert [api.post("/session", json=nobody).status_code for _ in range(11)] == [401] * 10 + [429]


def test_a_sign_in_forgives_the_attempts_before(api, ada):
    api.post("/user", json=ada)
    wrong = credentials(ada) | {"password": "wrong"}
    for _ in range(2):
        assert [api.post("/session", json=wrong).status_code for _ in range(9)] == [401] * 9
        assert api.post("/session", json=credentials(ada)).status_code == 200
