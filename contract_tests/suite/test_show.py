"""GET /user/{id}"""

import pytest


def test_a_user_is_shown_with_name_and_email_only(api, ada):
    created = api.post("/user", json=ada)
    shown = api.get(created.headers["location"])
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "application/json"
    assert list(shown.json().items()) == [("name", "Ada"), ("email", ada["email"])]


@pytest.mark.empty_world
def test_an_id_may_have_leading_zeros(api, ada):
    id = api.post("/user", json=ada).json()["id"]
    assert api.get(f"/user/{id:07}").json()["name"] == "Ada"


@pytest.mark.parametrize("id", ["0", "999999999999", "9" * 18])
def test_an_unknown_id_is_not_found(api, id):
    refused = api.get(f"/user/{id}")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such user.",
    }


@pytest.mark.parametrize(
    "id",
    (
        ["", "abc", "-1", "+1", "1.0", "1e0", "1_0", "0x1", "1 ", "%201", "1%0A", "1%00", "%D9%A3", "%EF%BC%91", "true"]
        + ["null", "9" * 19, "9" * 3000, "1/", "1/x", "1%2F2", "%31%2", "1;x=1"]
    ),
)
def test_what_is_no_id_is_not_found(api, id):
    refused = api.get(f"/user/{id}")
    assert refused.status_code == 404
    assert refused.json()["detail"] == "There is nothing here."


@pytest.mark.empty_world
def test_a_percent_encoded_digit_is_that_digit(api, ada):
    id = api.post("/user", json=ada).json()["id"]
    encoded = "".join(f"%3{digit}" for digit in str(id))
    assert api.get(f"/user/{encoded}").json()["name"] == "Ada"


def test_query_values_do_not_matter_to_a_user(api, ada):
    created = api.post("/user", json=ada)
    assert api.get(created.headers["location"] + "?id=0&limit=x").json()["name"] == "Ada"
