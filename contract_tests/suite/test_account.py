"""PATCH /user/{id}, DELETE /user/{id}: one's own account, and nobody else's"""

import pytest

from contract_tests.suite.visitors import credentials

METHODS = ["PATCH", "DELETE"]
FORBIDDEN = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "This is someone else's account."}


def send(api, method, path, **body):
    return api.request(method, path, json={"name": "Eve"} | body if method == "PATCH" else None)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"name": "Ada Lovelace"}, {"name": "Ada Lovelace"}),
        ({}, {}),
        ({"name": None, "email": None, "password": None}, {}),
        ({"id": 7, "email_key": "x", "password_hash": "x"}, {}),
    ],
)
def test_what_is_given_changes_and_the_rest_stays(api, ada, sign_up, changes, shown):
    me = sign_up(api, ada)
    answer = api.patch(f"/user/{me['id']}", json=changes)
    assert answer.status_code == 200
    assert answer.json() == {"name": "Ada", "email": ada["email"]} | shown
    assert api.get(f"/user/{me['id']}").json() == answer.json()
    assert api.get("/whoami").json() == me | shown


def test_a_new_email_is_the_one_to_sign_in_with(api, ada, sign_up):
    me = sign_up(api, ada)
    new = f"new.{ada['email']}"
    assert api.patch(f"/user/{me['id']}", json={"email": new}).json()["email"] == new
    assert api.post("/session", json=credentials(ada)).status_code == 401
    assert api.post("/session", json=credentials(ada) | {"email": new}).json() == me | {"email": new}


def test_an_email_of_someone_else_conflicts(api, ada, person, sign_up):
    bea = person("Bea")
    api.post("/user", json=bea)
    me = sign_up(api, ada)
    refused = api.patch(f"/user/{me['id']}", json={"email": bea["email"].upper(), "name": "Eve"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "This email is already registered."
    assert api.get("/whoami").json() == me


def test_one_s_own_email_in_another_case_is_no_conflict(api, ada, sign_up):
    me = sign_up(api, ada)
    shouted = ada["email"].upper()
    assert api.patch(f"/user/{me['id']}", json={"email": shouted}).json()["email"] == shouted


def test_a_new_password_counts_and_signs_out_everywhere_else(connect, ada, person, sign_up):
    here, there, other = connect(), connect(), connect()
    me = sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    bea = sign_up(other, person("Bea"))
    assert here.patch(f"/user/{me['id']}", json={"password": "new"}).status_code == 200
    assert here.get("/whoami").json() == me
    assert there.get("/whoami").status_code == 401
    assert other.get("/whoami").json() == bea
    assert there.post("/session", json=credentials(ada)).status_code == 401
    assert there.post("/session", json=credentials(ada) | {"password": "new"}).status_code == 200


def test_another_name_signs_nobody_out(connect, ada, sign_up):
    here, there = connect(), connect()
    me = sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    here.patch(f"/user/{me['id']}", json={"name": "Bea"})
    assert there.get("/whoami").json() == me | {"name": "Bea"}


def test_a_deleted_user_is_gone_and_signed_out_everywhere(connect, ada, sign_up):
    here, there = connect(), connect()
    me = sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    answer = here.delete(f"/user/{me['id']}")
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["set-cookie"].startswith("__Host-session=; Expires=Thu, 01 Jan 1970")
    assert here.get(f"/user/{me['id']}").status_code == 404
    assert [client.get("/whoami").status_code for client in (here, there)] == [401, 401]
    assert here.post("/session", json=credentials(ada)).status_code == 401


def test_the_id_of_a_deleted_user_is_given_to_nobody(api, ada, sign_up):
    me = sign_up(api, ada)
    api.delete(f"/user/{me['id']}")
    assert api.post("/user", json=ada).json()["id"] > me["id"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("id", ["1", "999999999999999"])
def test_first_of_all_one_must_be_signed_in(api, method, id):
    refused = send(api, method, f"/user/{id}")
    assert refused.status_code == 401
    assert refused.json()["detail"] == "Sign in first."


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"Content-Type": "application/json"}, b"{"),
        ({"Content-Type": "application/json"}, b'{"name": 5}'),
        ({"Content-Type": "application/json"}, b""),
        ({"Content-Type": "text/plain"}, b"name=Eve"),
        ({"Content-Type": "application/json"}, b'"' + b"x" * (1 << 21) + b'"'),
        ({}, b""),
    ],
    ids=["malformed", "unfit", "empty", "no json", "too large", "none"],
)
def test_who_is_not_signed_in_is_told_so_before_the_body_is_looked_at(api, headers, content):
    assert api.patch("/user/1", headers=headers, content=content).status_code == 401


@pytest.mark.parametrize("method", METHODS)
def test_nobody_changes_someone_else(api, ada, person, sign_up, method):
    path = api.post("/user", json=person("Bea")).headers["location"]
    sign_up(api, ada)
    refused = send(api, method, path)
    assert refused.status_code == 403
    assert refused.json() == FORBIDDEN
    assert api.get(path).json()["name"] == "Bea"


@pytest.mark.parametrize("method", METHODS)
def test_a_user_who_is_not_there_is_not_found(api, ada, sign_up, method):
    sign_up(api, ada)
    refused = send(api, method, "/user/999999999999999")
    assert refused.status_code == 404
    assert refused.json()["detail"] == "There is no such user."


@pytest.mark.parametrize("method", METHODS)
def test_a_session_whose_login_is_over_changes_nothing(connect, ada, sign_up, method):
    here, there = connect(), connect()
    me = sign_up(here, ada)
    there.post("/session", json=credentials(ada))
    there.delete("/sessions")
    assert send(here, method, f"/user/{me['id']}").status_code == 401
    assert here.get(f"/user/{me['id']}").json()["name"] == "Ada"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/body/name"),
        ({"name": 5}, "/body/name"),
        ({"email": "ada"}, "/body/email"),
        ({"password": ""}, "/body/password"),
        ([], "/body"),
        (None, "/body"),
    ],
)
def test_changes_that_do_not_fit_are_told_where(api, ada, sign_up, changes, pointer):
    me = sign_up(api, ada)
    refused = api.request("PATCH", f"/user/{me['id']}", json=changes, headers={"Content-Type": "application/json"})
    assert refused.status_code == (422 if changes is not None else 400)
    assert [error["pointer"] for error in refused.json().get("errors", [])] == (
        [pointer] if changes is not None else []
    )
    assert api.get("/whoami").json() == me


def test_changes_must_be_json(api, ada, sign_up):
    me = sign_up(api, ada)
    path, headers = f"/user/{me['id']}", {"Content-Type": "application/json"}
    assert api.patch(path, content=b"{", headers=headers).status_code == 400
    assert api.patch(path, content=b"{}").status_code == 415
    assert api.patch(path, content=b'"' + b"x" * (1 << 20) + b'"', headers=headers).status_code == 413
