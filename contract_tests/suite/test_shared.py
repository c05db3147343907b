"""Both apps over one database and one session store: what begins on one goes on with the other, and back"""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from contract_tests.suite.test_session import session_of, with_cookie
from contract_tests.suite.test_signin import begin, come_back
from contract_tests.suite.visitors import credentials

pytestmark = pytest.mark.shared


def test_a_user_of_one_app_is_shown_and_listed_by_the_other(visitor, ada):
    anyone = visitor()
    created = anyone.here.post("/user", json=ada)
    assert anyone.there.get(created.headers["location"]).json() == {"name": "Ada", "email": ada["email"]}
    assert [user["name"] for user in anyone.there.get("/users").json()["items"]] == ["Ada"]


def test_an_email_taken_on_one_app_is_taken_on_the_other(visitor, ada):
    anyone = visitor()
    assert anyone.here.post("/user", json=ada).status_code == 201
    assert anyone.there.post("/user", json=ada).status_code == 409


def test_the_two_apps_count_ids_together(visitor, person):
    anyone = visitor()
    ids = [
        client.post("/user", json=person(f"N{n}{side}")).json()["id"]
        for n in range(2)
        for side, client in (("a", anyone.here), ("b", anyone.there))
    ]
    assert ids == list(range(ids[0], ids[0] + 4))


def test_who_signs_in_on_one_app_is_signed_in_on_the_other(visitor, ada, sign_up):
    browser = visitor()
    me = sign_up(browser.here, ada)
    cookie = session_of(browser.here)
    assert browser.there.get("/whoami").json() == me
    assert browser.there.patch(f"/user/{me['id']}", json={"name": "Bea"}).status_code == 200
    assert browser.here.get("/whoami").json() == me | {"name": "Bea"}
    # Going over changes nothing of the session.
    assert session_of(browser.here) == cookie


def test_values_kept_on_one_app_are_read_and_written_on_the_other(visitor):
    browser = visitor()
    browser.here.put("/session/data/colour", json={"value": ["blue", 1, None, 0.5, "\u00fc"]})
    assert browser.there.get("/session/data/colour").json() == {"value": ["blue", 1, None, 0.5, "\u00fc"]}
    browser.there.put("/session/data/size", json={"value": 2**64 - 1})
    assert browser.here.get("/session/data/size").json() == {"value": 2**64 - 1}
    browser.here.delete("/session/data/colour")
    assert browser.there.get("/session/data/colour").status_code == 404
    assert browser.there.get("/session/data/size").status_code == 200


def test_who_signs_out_on_one_app_is_signed_out_on_the_other(visitor, ada, sign_up):
    browser = visitor()
    sign_up(browser.here, ada)
    old = session_of(browser.here)
    assert browser.there.delete("/session").status_code == 204
    assert "__Host-session" not in browser.here.cookies
    for app in (browser.here, browser.there):
        assert app.get("/whoami", headers=with_cookie(app, old)).status_code == 401


def test_who_signs_out_everywhere_is_signed_out_on_both_apps(visitor, ada, sign_up):
    one, other = visitor(), visitor()
    sign_up(one.here, ada)
    other.there.post("/session", json=credentials(ada))
    assert one.there.delete("/sessions").status_code == 204
    answers = [app.get("/whoami").status_code for app in (one.here, one.there, other.here, other.there)]
    assert answers == [401] * 4


def test_the_id_of_before_a_sign_in_is_dead_on_both_apps(visitor, ada):
    browser = visitor()
    browser.here.post("/user", json=ada)
    browser.here.put("/session/data/colour", json={"value": "blue"})
    old = session_of(browser.here)
    assert browser.there.post("/session", json=credentials(ada)).status_code == 200
    new = session_of(browser.there)
    assert old != new
    for app in (browser.here, browser.there):
        assert app.get("/session/data/colour", headers=with_cookie(app, old)).status_code == 404
        assert app.get("/whoami", headers=with_cookie(app, new)).status_code == 200
        assert app.get("/session/data/colour", headers=with_cookie(app, new)).json() == {"value": "blue"}


def test_a_new_password_set_on_one_app_signs_out_on_the_other(visitor, ada, sign_up):
    one, other = visitor(), visitor()
    me = sign_up(one.here, ada)
    other.there.post("/session", json=credentials(ada))
    assert one.here.patch(f"/user/{me['id']}", json={"password": "new"}).status_code == 200
    assert other.there.get("/whoami").status_code == 401
    assert one.there.get("/whoami").json() == me
    assert other.there.post("/session", json=credentials(ada) | {"password": "new"}).status_code == 200


def test_a_user_deleted_on_one_app_is_gone_on_the_other(visitor, ada, sign_up):
    one, other = visitor(), visitor()
    me = sign_up(one.here, ada)
    other.there.post("/session", json=credentials(ada))
    assert one.here.delete(f"/user/{me['id']}").status_code == 204
    assert other.there.get("/whoami").status_code == 401
    assert other.there.get(f"/user/{me['id']}").status_code == 404


def test_attempts_to_sign_in_are_counted_together(visitor, ada):
    anyone = visitor()
    anyone.here.post("/user", json=ada)
    wrong = credentials(ada) | {"password": "wrong"}
    for _ in range(5):
        assert anyone.here.post("/session", json=wrong).status_code == 401
        assert anyone.there.post("/session", json=wrong).status_code == 401
    assert anyone.here.post("/session", json=credentials(ada)).status_code == 429
    assert anyone.there.post("/session", json=credentials(ada)).status_code == 429


@pytest.mark.provider
def test_a_sign_in_that_begins_on_one_app_is_finished_on_the_other(visitor, provider):
    browser = visitor()
    back = provider.answer(begin(browser.here, next="/users"))
    answer = come_back(browser.there, back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/users")
    assert browser.here.get("/whoami").json() == browser.there.get("/whoami").json()
    for app in (browser.here, browser.there):
        assert app.get("/signin/profile").json()["subject"] == "sub-ada"
    old = session_of(browser.here)
    assert urlsplit(browser.here.post("/signout").headers["location"]).netloc in provider.authority
    assert browser.there.get("/whoami", headers=with_cookie(browser.there, old)).status_code == 401


@pytest.mark.provider
def test_a_sign_in_that_was_finished_on_one_app_is_refused_on_the_other(visitor, provider):
    browser = visitor()
    back = provider.answer(begin(browser.here))
    assert come_back(browser.here, back).status_code == 303
    assert come_back(browser.there, back).status_code == 400


def test_two_people_who_use_both_apps_at_once_never_see_each_other(visitor, person, sign_up):
    """Each keeps values of their own, and asks both apps in turn who they are."""

    def live(name):
        browser = visitor()
        me = sign_up(browser.here, person(name))
        seen = []
        for turn in range(12):
            app = browser.here if turn % 2 else browser.there
            app.put("/session/data/mine", json={"value": f"{name}{turn}"})
            app = browser.there if turn % 3 else browser.here
            seen.append((app.get("/whoami").json() == me, app.get("/session/data/mine").json()["value"]))
        return seen

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(live, ["Ada", "Bea"]))
    assert both == [[(True, f"{name}{turn}") for turn in range(12)] for name in ("Ada", "Bea")]
