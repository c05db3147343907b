"""Ids as real ports show them: behind a wrong status, in a redirect after a form, as a uuid, in links within bodies"""

import json
from itertools import count
from uuid import UUID

import pytest

from contract_tests.parity import Bindings, Pair, Request, Response

JSON = (b"Content-Type", b"application/json")


class Things:
    """Makes things under ids of its own; `status` and `location` are how it answers, `make` makes an id."""

    name = "things"

    def __init__(self, make, *, status=201, location="/things/{}", link="/things/{}"):
        self.make, self.status, self.location, self.link = make, status, location, link
        self.made = []

    def send(self, request):
        if request.method == "POST":
            self.made.append(self.make())
            id = self.made[-1]
            place = () if self.location is None else ((b"Location", self.location.format(id).encode()),)
            body = b"" if self.status == 303 else json.dumps({"id": id}).encode()
            return Response(self.status, (JSON, *place), body)
        wanted = request.target.decode().rpartition("/")[2]
        if wanted in map(str, self.made):
            return Response(200, (JSON,), json.dumps({"self": self.link.format(wanted)}).encode())
        return Response(404, (JSON,), b"{}")

    def reset(self):
        self.made.clear()

    def close(self):
        pass


def integers(first):
    return count(first).__next__


def uuids(salt):
    return (str(UUID(int=number * 7919 * salt)) for number in count(1)).__next__


def story(original, port, *, bindings):
    """Make two things and look at both; the fingerprints of what differs."""
    pair = Pair(original, port, bindings=bindings)
    steps = [("POST", b"/things")] * 2
    found = [pair.exchange(Request(method, target)) for method, target in steps]
    found += [pair.exchange(Request("GET", f"/things/{id}".encode())) for id in list(original.made)]
    return [print_ for exchange in found for print_ in exchange.fingerprints]


def test_a_wrong_success_status_is_one_difference_and_no_more():
    found = story(Things(integers(1)), Things(integers(50), status=200), bindings=Bindings())
    assert found == ["POST /things status status value"] * 2


def test_a_redirect_after_a_form_names_what_was_made():
    made = [Things(integers(first), status=303) for first in (1, 50)]
    assert story(*made, bindings=Bindings()) == []


@pytest.mark.parametrize("bindings", [Bindings, Bindings.opaque])
def test_uuids_are_bound_in_process_too(bindings):
    made = [Things(uuids(salt), location=None) for salt in (3, 5)]
    assert story(*made, bindings=bindings()) == []


@pytest.mark.parametrize("link", ["/things/{}", "https://shop.example/things/{}", "/things/{}/parts?of=1"])
def test_a_link_within_a_body_refers(link):
    made = [Things(integers(first), link=link) for first in (1, 50)]
    assert story(*made, bindings=Bindings()) == []


def test_a_link_to_another_thing_is_found():
    original, port = Things(integers(1)), Things(integers(50), link="/things/51")
    assert story(original, port, bindings=Bindings()) == ["GET /things/{id} json $.self binding"]


@pytest.mark.parametrize("name", ["token", "access_token", "csrf", "reset_token", "resetToken"])
def test_a_random_token_is_bound_by_its_usual_names(name):
    one, other = ("0123456789abcdef" * 2, "fedcba9876543210" * 2)
    answers = [Response(200, (JSON,), json.dumps({name: token}).encode()) for token in (one, other)]
    learned = Bindings.opaque().learn(Request("POST", b"/login"), *answers)
    assert learned.port.body == answers[0].body


def test_integers_in_process_stay_literal():
    found = story(Things(integers(1), location=None), Things(integers(2), location=None), bindings=Bindings.opaque())
    assert "POST /things json $.id value" in found
