"""POST /user"""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

MEBIBYTE = 1 << 20


def post(api, body, content_type="application/json"):
    headers = {} if content_type is None else {"Content-Type": content_type}
    return api.post("/user", content=body, headers=headers)


def padded(person, size):
    """A person as JSON, with white space up to an exact size."""
    return json.dumps(person).encode().ljust(size)


def test_a_created_user_is_returned_without_the_password(api, ada):
    created = api.post("/user", json=ada)
    assert created.status_code == 201
    assert created.json()["message"] == "User created successfully"
    assert api.get(f"/user/{created.json()['id']}").json() == {"name": "Ada", "email": ada["email"]}


@pytest.mark.empty_world
def test_the_slides_own_requests_work_word_for_word(api):
    headers = {"accept": "application/json", "Content-Type": "application/json"}
    body = '{"name": "Ada", "email": "ada@example.com", "password": "test"}'
    created = api.post("/user", content=body, headers=headers)
    assert created.status_code == 201
    assert created.content == b'{"message":"User created successfully","id":1}'
    shown = api.get("/user/1")
    assert shown.status_code == 200
    assert shown.content == b'{"name":"Ada","email":"ada@example.com"}'


def test_location_names_the_created_user(api, ada):
    created = api.post("/user", json=ada)
    assert created.headers["location"] == f"/user/{created.json()['id']}"


@pytest.mark.empty_world
def test_ids_count_up(api, person):
    assert [api.post("/user", json=person(name)).json()["id"] for name in ("Ada", "Bea", "Cyd")] == [1, 2, 3]


@pytest.mark.parametrize(
    "name", ["Ольга", "李", "Zoë 🦊", " ", "\u200b", "a" * 200, '"\\/', "\x01\x7f", "e\u0301\u212b\ufb01", " Ada "]
)
def test_a_name_comes_back_as_it_was_sent(api, ada, name):
    created = api.post("/user", json=ada | {"name": name})
    assert created.status_code == 201
    assert api.get(created.headers["location"]).json()["name"] == name


def test_an_email_comes_back_as_it_was_sent(api, person):
    email = "Ada.LOVELACE+e\u0301" + person()["email"]
    created = api.post("/user", json=person(email=email))
    assert api.get(created.headers["location"]).json()["email"] == email


def test_registering_an_email_twice_conflicts(api, person, ada):
    assert api.post("/user", json=ada).status_code == 201
    refused = api.post("/user", json=ada | {"name": "Eve"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "This email is already registered."


@pytest.mark.parametrize(("first", "second"), [("ada", "ADA"), ("straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος")])
def test_an_email_is_taken_in_whatever_case_its_letters_are(api, person, first, second):
    email = person("Zed")["email"]
    assert api.post("/user", json=person(email=first + email)).status_code == 201
    assert api.post("/user", json=person(email=second + email)).status_code == 409


def test_a_conflict_changes_nothing(api, ada):
    created = api.post("/user", json=ada)
    api.post("/user", json=ada | {"name": "Eve"})
    assert api.get(created.headers["location"]).json()["name"] == "Ada"


def test_two_requests_that_race_for_an_email_cannot_both_win(connect, ada):
    runners = 4
    barrier = Barrier(runners)

    def register(client):
        barrier.wait(timeout=10)
        return client.post("/user", json=ada).status_code

    clients = [connect() for _ in range(runners)]
    with ThreadPoolExecutor(runners) as pool:
        statuses = sorted(pool.map(register, clients))
    assert statuses == [201, 409, 409, 409]


def test_unknown_fields_are_ignored(api, ada):
    assert api.post("/user", json=ada | {"id": 77, "admin": True}).status_code == 201


def test_the_last_of_repeated_keys_counts(api, ada):
    body = json.dumps(ada)[:-1] + ', "name": "Bea"}'
    created = post(api, body)
    assert created.status_code == 201
    assert api.get(created.headers["location"]).json()["name"] == "Bea"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"{'name': 'Ada'}",
        b'{"name": "Ada",}',
        b'{"name": "Ada"} {}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'{"name": "a\x00b"}',
        b'\xef\xbb\xbf{"name": "Ada"}',
        '{"name": "Ada"}'.encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_not_json_is_malformed(api, body):
    refused = post(api, body)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The request body is not well-formed JSON.",
    }


@pytest.mark.parametrize("body", [b"null", b"true", b"1", b'"Ada"', b"[]", b'[{"name": "Ada"}]'], ids=repr)
def test_a_body_that_is_no_object_does_not_fit(api, body):
    refused = post(api, body)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": "/body", "detail": "Input should be an object", "type": "object_type"}
    ]


@pytest.mark.parametrize("field", ["name", "email", "password"])
def test_every_field_is_required(api, ada, field):
    del ada[field]
    refused = api.post("/user", json=ada)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": f"/body/{field}", "detail": "Field required", "type": "missing"}]


@pytest.mark.parametrize("value", [3, 1.5, True, False, None, [], {}, ["Ada"]], ids=repr)
@pytest.mark.parametrize("field", ["name", "email", "password"])
def test_nothing_becomes_a_string_by_coercion(api, ada, field, value):
    refused = api.post("/user", json=ada | {field: value})
    assert refused.status_code == 422
    assert [(error["pointer"], error["type"]) for error in refused.json()["errors"]] == [
        (f"/body/{field}", "string_type")
    ]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("name", "", "string_too_short"),
        ("name", "a" * 201, "string_too_long"),
        ("name", "a\x00b", "string_pattern_mismatch"),
        ("email", "", "string_too_short"),
        ("email", "ada", "string_pattern_mismatch"),
        ("email", "a@b@c", "string_pattern_mismatch"),
        ("email", "a b@c", "string_pattern_mismatch"),
        ("email", "ada@example.com\n", "string_pattern_mismatch"),
        ("email", "a@" + "b" * 253, "string_too_long"),
        ("password", "", "string_too_short"),
        ("password", "a" * 1025, "string_too_long"),
    ],
)
def test_a_value_outside_its_bounds_does_not_fit(api, ada, field, value, kind):
    refused = api.post("/user", json=ada | {field: value})
    assert refused.status_code == 422
    assert [(error["pointer"], error["type"]) for error in refused.json()["errors"]] == [(f"/body/{field}", kind)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a"),
        ("name", "a" * 200),
        ("email", "a@b"),
        ("email", "ö@ü"),
        ("email", "a@" + "b" * 252),
        ("password", "x"),
        ("password", "x" * 1024),
        ("password", "\x00 "),
    ],
    ids=lambda value: repr(value[:12]),
)
@pytest.mark.empty_world
def test_a_value_at_its_bounds_fits(api, ada, field, value):
    assert api.post("/user", json=ada | {field: value}).status_code == 201


@pytest.mark.parametrize(
    ("status", "body", "content_type", "detail"),
    [
        (413, b" " * (MEBIBYTE + 1), "application/json", "The request body is too large."),
        (415, b"{}", "text/plain", "The request body is not declared as a media type that is taken here."),
        (422, b"{}", "application/json", "The request does not fit."),
    ],
    ids=["413", "415", "422"],
)
def test_a_refused_body_is_told_as_a_problem(api, status, body, content_type, detail):
    refused = post(api, body, content_type)
    told = refused.json()
    assert (refused.status_code, told["status"], told["type"], told["detail"]) == (
        status,
        status,
        "about:blank",
        detail,
    )
    assert refused.headers["content-type"] == "application/problem+json"


def test_every_violation_is_told_in_the_order_of_the_fields(api):
    refused = api.post("/user", json={"password": 1, "email": "nowhere"})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/name", "/body/email", "/body/password"]
    assert refused.json()["title"] == "Unprocessable Content"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.api+json",
        " application/json ; x=y",
    ],
)
def test_json_may_be_declared_in_many_ways(api, ada, content_type):
    assert post(api, json.dumps(ada), content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream; application/json",
        "*/*",
        "text/vnd.api+json",
        "image/svg+json",
        "application/x-json",
        "application/json, text/plain",
    ],
)
@pytest.mark.parametrize("body", [b"{}", b""])
def test_a_body_that_is_not_declared_as_json_is_unsupported(api, content_type, body):
    refused = post(api, body, content_type)
    assert refused.status_code == 415
    assert refused.json()["title"] == "Unsupported Media Type"


def test_a_body_of_exactly_the_limit_is_read(api, ada):
    assert post(api, padded(ada, MEBIBYTE)).status_code == 201


def test_a_chunked_body_of_exactly_the_limit_is_read(api, ada):
    assert post(api, iter([padded(ada, MEBIBYTE)])).status_code == 201


@pytest.mark.parametrize("size", [MEBIBYTE + 1, MEBIBYTE + 2, 4 * MEBIBYTE])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(api, ada, size, chunked):
    body = padded(ada, size)
    refused = post(api, iter([body[:1000], body[1000:]]) if chunked else body)
    assert refused.status_code == 413
    assert refused.json()["title"] == "Content Too Large"


def test_the_service_answers_on_after_a_body_over_the_limit(api, ada):
    assert post(api, padded(ada, 4 * MEBIBYTE)).status_code == 413
    assert api.post("/user", json=ada).status_code == 201


def test_the_media_type_is_judged_before_the_size(api, ada):
    assert post(api, padded(ada, 2 * MEBIBYTE), "text/plain").status_code == 415
