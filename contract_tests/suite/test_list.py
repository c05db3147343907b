"""GET /users"""

import pytest

LAST_ID = 10**18 - 1


@pytest.fixture
def five(api, person):
    """Five people, registered in order: their ids."""
    return registered(api, person, "Ada", "Bea", "Cyd", "Dot", "Eve")


@pytest.fixture
def before(api, person):
    """The id of someone who registered before all others of a test: where its listing begins."""
    return registered(api, person, "Sam")[0]


def registered(api, person, *names):
    return [api.post("/user", json=person(name)).json()["id"] for name in names]


@pytest.mark.empty_world
def test_nobody_is_listed_in_an_empty_world(api):
    listed = api.get("/users")
    assert listed.status_code == 200
    assert listed.content == b'{"items":[],"next":null}'


def test_a_listed_user_has_id_name_and_email_only(api, before, ada):
    id = api.post("/user", json=ada).json()["id"]
    listed = api.get(f"/users?after={before}&limit=1")
    assert list(listed.json()["items"][0].items()) == [("id", id), ("name", "Ada"), ("email", ada["email"])]


def test_users_are_listed_in_the_order_of_their_ids(api, before, five):
    listed = api.get(f"/users?after={before}")
    assert [user["id"] for user in listed.json()["items"]] == five
    assert listed.json()["next"] is None


def test_pages_follow_each_other_to_the_end(api, before, five):
    pages, after = [], before
    while after is not None:
        page = api.get("/users", params={"limit": 2, "after": after}).json()
        pages.append([user["id"] for user in page["items"]])
        after = page["next"]
    assert pages == [five[0:2], five[2:4], five[4:5]]


@pytest.mark.in_process
def test_a_page_goes_by_ids_and_not_by_places(start, services, person):
    """Someone who left before the page or on it shifts nothing, whatever order rows lie in."""
    api = start(services)
    ids = registered(api, person, "Ada", "Bea", "Cyd", "Dot", "Eve")
    with services.database.begin() as db:
        db.exec_driver_sql("DELETE FROM users WHERE name IN ('Ada', 'Cyd')")
        db.exec_driver_sql("UPDATE users SET created_at = '2020-01-01' WHERE name = 'Eve'")
        db.exec_driver_sql("CREATE INDEX shuffled ON users (name DESC, id, email)")
    page = api.get("/users", params={"after": ids[1], "limit": 1}).json()
    assert [user["name"] for user in page["items"]] == ["Dot"]
    assert page["next"] == ids[3]
    assert [user["name"] for user in api.get("/users").json()["items"]] == ["Bea", "Dot", "Eve"]


def test_a_full_last_page_has_no_next(api, before, five):
    page = api.get("/users", params={"limit": 5, "after": before}).json()
    assert len(page["items"]) == 5
    assert page["next"] is None


def test_twenty_are_listed_where_no_limit_is_given(api, before, person):
    ids = registered(api, person, *(f"N{n}" for n in range(21)))
    page = api.get(f"/users?after={before}").json()
    assert len(page["items"]) == 20
    assert page["next"] == ids[19]


def test_nobody_comes_after_the_last_id(api, five):
    assert api.get(f"/users?after={LAST_ID}").json() == {"items": [], "next": None}


@pytest.mark.parametrize("limit", ["1", "100", "007"])
def test_a_limit_within_its_bounds_is_taken(api, before, five, limit):
    assert len(api.get(f"/users?limit={limit}&after={before}").json()["items"]) == min(int(limit), 5)


@pytest.mark.parametrize(
    ("query", "pointer", "kind"),
    [
        ("limit=0", "/query/limit", "greater_than_equal"),
        ("limit=101", "/query/limit", "less_than_equal"),
        ("limit=", "/query/limit", "digits"),
        ("limit", "/query/limit", "digits"),
        ("limit=abc", "/query/limit", "digits"),
        ("limit=-1", "/query/limit", "digits"),
        ("limit=5.0", "/query/limit", "digits"),
        ("limit=1_0", "/query/limit", "digits"),
        ("limit=%205", "/query/limit", "digits"),
        ("limit=%D9%A3", "/query/limit", "digits"),
        ("limit=%FF", "/query/limit", "digits"),
        ("limit=5%0A", "/query/limit", "digits"),
        ("limit=" + "9" * 19, "/query/limit", "digits"),
        ("after=-1", "/query/after", "digits"),
        ("after=null", "/query/after", "digits"),
        ("after=true", "/query/after", "digits"),
        ("after=" + "9" * 3000, "/query/after", "digits"),
    ],
    ids=lambda value: value[:24],
)
def test_a_query_that_does_not_fit_is_refused(api, query, pointer, kind):
    refused = api.get(f"/users?{query}")
    assert refused.status_code == 422
    assert [(error["pointer"], error["type"]) for error in refused.json()["errors"]] == [(pointer, kind)]


def test_every_unfit_query_value_is_told(api):
    refused = api.get("/users?after=x&limit=x")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/query/limit", "/query/after"]


def test_the_first_of_repeated_keys_counts(api, before, five):
    assert len(api.get(f"/users?after={before}&limit=2&limit=4").json()["items"]) == 2
    assert api.get(f"/users?after={before}&limit=2&limit=x").status_code == 200
    assert api.get(f"/users?after={before}&limit=x&limit=2").status_code == 422


def test_unknown_query_keys_are_ignored(api, before):
    assert api.get(f"/users?page=3&Limit=x&after={before}").status_code == 200
