"""An ID token proves who it is, whatever is unusual about it, and a wrong one proves nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract_tests.suite.provider import Provider
from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    DISCOVERY,
    NOW,
    come_back,
    refused,
    signed_in,
)
from shared_core.errors import SignInFailed, Unavailable
from shared_core.signin import id_tokens

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in


def shifted(seconds: int) -> Any:
    return lambda honest: (honest or int(datetime.now(UTC).timestamp())) + seconds


def with_other(audience: str) -> list[str]:
    return [audience, "another"]


FORGED = {
    "of another issuer": {"iss": "https://localhost/tenant"},
    "without an issuer": {"iss": None},
    "for another client": {"aud": "another"},
    "for several clients": {"aud": with_other},
    "for several clients, issued to another": {"aud": with_other, "azp": "another"},
    "issued to another": {"azp": "another"},
    "expired": {"exp": shifted(-3600 - 61)},
    "that never expires": {"exp": None},
    "that expires in words": {"exp": "tomorrow"},
    "that expires at no number": {"exp": float("nan")},
    "that expires at true": {"exp": True},
    "for another, issued to us": {"aud": "another", "azp": Provider.client_id},
    "issued at true": {"iat": True},
    "of the future": {"iat": shifted(120)},
    "not valid yet": {"nbf": shifted(120)},
    "with another nonce": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "of an empty subject": {"sub": ""},
    "of a subject with NUL": {"sub": "sub-ada\x00"},
    "of a subject that is not ASCII": {"sub": "sub-ad\u00e4"},
    "of an endless subject": {"sub": "s" * 256},
    "signed by another key": {"key": "foreign"},
    "signed by nobody": {"alg": "none"},
    "signed with the public key as a secret": {"alg": "HS256"},
    "of an unknown key": {"kid": "unknown"},
    "of an unknown key, signed by another": {"kid": "unknown", "key": "foreign"},
    "without a key id, signed by another": {"kid": None, "key": "foreign"},
}


@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_a_wrong_id_token_proves_nobody(sign_in, provider, how):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    with provider.forging(**how):
        assert "proves nobody" in refused(sign_in, session, answer)


@pytest.mark.parametrize(
    "how", [{"token": None}, {"token": ""}, {"token": "garbage"}, {"token": "a.b.c"}, {"sub": None}, {"sub": 7}]
)
def test_an_answer_without_a_readable_id_token_is_an_outage(sign_in, provider, how):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    with provider.forging(**how), pytest.raises(Unavailable):
        sign_in.finish(session, answer, now=NOW)
    assert session == {}


def test_a_nonce_is_verified_whatever_msal_thinks_of_it(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    nonce = session["signin"]["flow"]["nonce"]
    sign_in.finish(session, answer, now=NOW)
    (id_token,) = json.loads(session["tokens"])["IdToken"].values()

    def verify(nonce: str) -> Any:
        return id_tokens.verify(
            id_token["secret"],
            key_sets=[id_tokens.keys_of(provider._jwks())],
            issuer=provider.authority,
            client_id=provider.client_id,
            nonce=nonce,
            now=datetime.now(UTC),
        )

    assert verify(nonce)["sub"] == "sub-ada"
    with pytest.raises(SignInFailed):
        verify("another")


RIGHT = {
    "without a key id, of the only key": {"kid": None},
    "for a list of us alone": {"aud": lambda audience: [audience]},
    "for several clients, issued to us": {"aud": with_other, "azp": Provider.client_id},
    "expired within the leeway": {"exp": shifted(-3600 - 30)},
    "issued within the leeway": {"iat": shifted(30)},
}


@pytest.mark.parametrize("how", RIGHT.values(), ids=RIGHT)
def test_an_unusual_id_token_that_is_right_proves_who_it_is(sign_in, provider, how):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    with provider.forging(**how):
        assert sign_in.finish(session, answer, now=NOW)[0].subject == "sub-ada"


def test_a_token_is_judged_by_the_wall_clock_given(sign_in, provider, clock):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    clock.ahead = timedelta(hours=1, minutes=2)
    assert "proves nobody" in refused(sign_in, session, answer)


NAMED = {
    "its name and address": ({}, "Ada", "ada@contoso.example"),
    "a user name with an address in it": (
        {"name": None, "email": None, "preferred_username": "ada@other.example"},
        "ada@other.example",
        "ada@other.example",
    ),
    "a user name that is no address": ({"email": None, "preferred_username": "ada"}, "Ada", ""),
    "an old user name": ({"name": " ", "email": 7, "upn": "ada@upn.example"}, "ada@upn.example", "ada@upn.example"),
    "nothing": ({"name": None, "email": None}, "", ""),
    "a long name, cut, and an address that is too long, left out": (
        {"name": "n" * 300, "email": "a" * 250 + "@contoso.example"},
        "n" * 200,
        "",
    ),
    "control characters, left out": (
        {"name": "A\x00d\na", "email": "ada\x00@contoso.example"},
        "Ada",
        "ada@contoso.example",
    ),
}


@pytest.mark.parametrize(("claims", "name", "email"), NAMED.values(), ids=NAMED)
def test_a_person_is_named_by(sign_in, provider, claims, name, email):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    with provider.forging(**claims):
        who, _ = sign_in.finish(session, answer, now=NOW)
    assert (who.name, who.email) == (name, email)


def test_rotated_keys_are_fetched_once_a_token_needs_them(sign_in, provider, clock):
    signed_in(sign_in, provider)
    provider.rotate_keys()
    clock.ahead = timedelta(seconds=61)
    signed_in(sign_in, provider)
    signed_in(sign_in, provider)
    assert provider.requests.count("GET /tenant/keys") == 2


def test_rotated_keys_are_found_where_tokens_name_none(sign_in, provider, clock):
    with provider.forging(kid=None):
        signed_in(sign_in, provider)
        provider.rotate_keys()
        clock.ahead = timedelta(seconds=61)
        signed_in(sign_in, provider)


def test_unknown_key_ids_do_not_make_us_ask_for_keys_again_and_again(sign_in, provider, clock):
    for seconds in (0, 1, 59, 61, 62):
        clock.ahead = timedelta(seconds=seconds)
        session: dict[str, Any] = {}
        answer = come_back(sign_in, provider, session)
        with provider.forging(kid="unknown"):
            refused(sign_in, session, answer)
    assert provider.requests.count("GET /tenant/keys") == 2


def test_what_the_provider_says_of_itself_is_asked_once_a_day(sign_in, provider, clock):
    for hours in (0, 1, 23, 25):
        clock.ahead = timedelta(hours=hours)
        sign_in.begin({}, now=NOW)
    assert provider.requests.count(f"GET {DISCOVERY}") == 2
