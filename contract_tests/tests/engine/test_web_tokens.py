"""Two JSON Web Tokens are partners where they say the same: a lifetime, a claim or a rotation that differs is told."""

from __future__ import annotations

import base64
import json

import pytest

from contract_tests.parity.binding import Bindings
from contract_tests.parity.messages import Request, Response

NOW = 1_700_000_000
REFRESH = Request("POST", b"/refresh")


def jwt(side, claims):
    parts = (json.dumps(each).encode() for each in ({"alg": "HS256"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts), side * 43])


def in_body(token):
    return Response(200, ((b"Content-Type", b"application/json"),), json.dumps({"access_token": token}).encode())


def in_cookie(token):
    return Response(200, ((b"Set-Cookie", f"session={token}; Path=/".encode()),))


def told(bindings, original, port, given=in_body):
    ours, theirs = given(jwt("o", original)), given(jwt("p", port))
    learned = bindings.learn(REFRESH, ours, theirs)
    if not learned.differences:
        assert learned.port == ours
    assert all(each.kind == "binding" for each in learned.differences)
    return [(each.original, each.port) for each in learned.differences]


def issued(second=0, lives=3600, **claims):
    return {"sub": "7", "iat": NOW + second, "exp": NOW + second + lives, **claims}


@pytest.mark.parametrize("given", [in_body, in_cookie])
def test_a_token_that_is_issued_again_on_one_side_is_told(given):
    bindings = Bindings.opaque()
    port = issued(jti="zzzzzzz0")
    assert told(bindings, issued(jti="aaaaaaa0"), port, given) == []
    for number in (1, 2):
        assert told(bindings, issued(number, jti=f"aaaaaaa{number}"), port, given)


def test_a_token_whose_id_alone_is_given_again_is_told():
    bindings = Bindings.opaque()
    assert told(bindings, issued(jti="aaaaaaa0"), issued(jti="zzzzzzz0")) == []
    assert told(bindings, issued(1, jti="aaaaaaa1"), issued(1, jti="zzzzzzz0"))


@pytest.mark.parametrize("given", [in_body, in_cookie])
def test_another_lifetime_is_told(given):
    found = told(Bindings.opaque(), issued(), issued(lives=200_000_000), given)
    assert found == [("a token that lives 3600 s", "a token that lives 200000000 s")]


@pytest.mark.parametrize(
    ("original", "port"),
    [
        (issued(), issued(9)),
        ({"sub": "7", "exp": NOW}, {"sub": "7", "exp": NOW + 3600}),
        (issued(), issued(sub="8")),
        (issued(role=1), issued(role=2)),
        (issued(roles=["user"]), issued(roles=["root"])),
    ],
    ids=["issued long before", "ends later", "another subject", "another number", "another role"],
)
def test_what_two_tokens_say_otherwise_is_told(original, port):
    assert told(Bindings.opaque(), original, port)
    if original["sub"] == port["sub"]:
        # Also where each side makes ids of its own.
        assert told(Bindings(), original, port)


def test_a_claim_that_one_side_alone_has_is_told():
    assert told(Bindings.opaque(), issued(jti="aaaaaaa0"), issued(jtx="aaaaaaa0"))


def test_the_second_may_end_between_two_sides():
    bindings = Bindings.opaque()
    for ours, theirs in ((0, 0), (0, 1), (1, 1), (5, 6), (9, 9)):
        assert told(bindings, issued(ours), issued(theirs)) == []
    assert told(bindings, issued(11), issued(9))


@pytest.mark.parametrize("given", [in_body, in_cookie])
def test_the_second_may_end_between_two_sides_that_sign_with_one_key(given):
    """Then both give one text for one second, and may have given each other's before."""
    bindings = Bindings.opaque()
    for ours, theirs in ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2)):
        sides = (given(jwt("k", issued(second))) for second in (ours, theirs))
        assert bindings.learn(REFRESH, *sides).differences == (), (ours, theirs)


def test_random_claims_are_bound():
    bindings = Bindings.opaque()
    one, other = "0f" * 16, "e1" * 16
    assert told(bindings, issued(sid=one), issued(sid=other)) == []
    assert told(bindings, issued(1, sid="a7" * 16), issued(1, sid=other))


def test_a_subject_is_the_partner_that_its_own_place_told():
    bindings = Bindings()
    made = (Response(201, ((b"Content-Type", b"application/json"),), b'{"id": %d}' % number) for number in (7, 9))
    bindings.learn(Request("POST", b"/user"), *made)
    assert told(bindings, issued(), issued(sub="9")) == []
    assert told(bindings, issued(1), issued(1, sub="8"))


def test_a_subject_that_is_met_in_a_token_first_stays_a_partner():
    bindings = Bindings()
    assert told(bindings, issued(), issued(sub="9")) == []
    assert told(bindings, issued(1), issued(1, sub="9")) == []
    assert told(bindings, issued(3), issued(3, sub="8"))


def test_absurd_claims_are_compared_without_a_traceback():
    deep = [1]
    for _ in range(700):
        deep = [deep]
    assert told(Bindings.opaque(), issued(a=deep, n="aa"), issued(a=deep, n="bb"))
    assert told(Bindings.opaque(), {"exp": 10**400}, {"exp": 10**400 + 1})
