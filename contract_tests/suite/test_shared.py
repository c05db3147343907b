"""Both apps over one database: what begins on one goes on with the other, so that a cutover can be switched back"""

import httpx
import pytest

from contract_tests import targets
from contract_tests.parity.transport import TargetTransport
from contract_tests.world import World

pytestmark = pytest.mark.in_process


@pytest.fixture(params=[("original", "port"), ("port", "original")], ids=["original-then-port", "port-then-original"])
def pairing(request, services):
    """A client of one app and one of the other, over the same Services."""
    opened = [targets.open_target(role, World(services)) for role in request.param]
    clients = [httpx.Client(transport=TargetTransport(each), base_url="https://testserver") for each in opened]
    yield clients
    for each in [*clients, *opened]:
        each.close()


def test_a_user_of_one_app_is_shown_and_listed_by_the_other(pairing, ada):
    one, other = pairing
    created = one.post("/user", json=ada)
    assert other.get(created.headers["location"]).json() == {"name": "Ada", "email": ada["email"]}
    assert [user["name"] for user in other.get("/users").json()["items"]] == ["Ada"]


def test_an_email_taken_on_one_app_is_taken_on_the_other(pairing, ada):
    one, other = pairing
    assert one.post("/user", json=ada).status_code == 201
    assert other.post("/user", json=ada).status_code == 409


def test_the_two_apps_count_ids_together(pairing, person):
    one, other = pairing
    clients = [one, other, one, other]
    ids = [client.post("/user", json=person(f"N{n}")).json()["id"] for n, client in enumerate(clients)]
    assert ids == [1, 2, 3, 4]
