"""Who is signed in may ask the provider for more, with tokens that are renewed, until they sign out."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    DISCOVERY,
    NOW,
    described,
    pairs,
    signed_in,
)
from shared_core.errors import NotSignedIn, Unavailable
from shared_core.signin import Profile

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in


def test_an_access_token_comes_from_the_session_while_it_is_good(sign_in, provider):
    session = MappingProxyType(signed_in(sign_in, provider))  # which cannot be written to
    asked = len(provider.requests)
    assert sign_in.access_token(session, now=NOW) == sign_in.access_token(session, now=NOW)
    assert provider.requests[asked:] == []


def test_an_access_token_that_ran_out_is_renewed_each_time_by_a_new_refresh_token(sign_in, provider):
    provider.expires_in = 10
    session = signed_in(sign_in, provider)
    assert len({sign_in.access_token(session, now=NOW) for _ in range(4)}) == 4
    assert provider.requests.count("POST /tenant/token") == 5


def test_a_renewed_access_token_is_kept_in_the_session(sign_in, provider):
    provider.expires_in = 10
    session = signed_in(sign_in, provider)
    provider.expires_in = 3600
    token = sign_in.access_token(session, now=NOW)
    assert sign_in.access_token(dict(session), now=NOW) == token


def test_a_refused_refresh_is_not_signed_in(sign_in, provider):
    provider.expires_in = 10
    session = signed_in(sign_in, provider)
    provider.revoke("ada")
    before = dict(session)
    with pytest.raises(NotSignedIn):
        sign_in.access_token(session, now=NOW)
    assert session == before  # another request may just have renewed them


@pytest.mark.parametrize("session", [{}, {"tokens": "{}"}, {"tokens": 7}, {"signin": {}}])
def test_a_session_without_tokens_is_not_signed_in(sign_in, session):
    with pytest.raises(NotSignedIn):
        sign_in.access_token(session, now=NOW)


def test_the_profile_is_what_the_provider_says_now(sign_in, provider):
    session = signed_in(sign_in, provider, account="grace")
    assert sign_in.profile(session, now=NOW) == Profile("sub-grace", "Grace", "grace@contoso.example")


def test_the_profile_follows_a_refresh(sign_in, provider):
    provider.expires_in = 10
    session = signed_in(sign_in, provider)
    assert sign_in.profile(session, now=NOW).subject == "sub-ada"


def test_the_profile_of_another_subject_is_not_used(sign_in, provider):
    session = signed_in(sign_in, provider)
    with (
        provider.answering("/tenant/userinfo", 200, '{"sub": "sub-grace", "name": "Grace"}'),
        pytest.raises(NotSignedIn),
    ):
        sign_in.profile(session, now=NOW)


def test_a_profile_that_the_provider_refuses_is_not_signed_in(sign_in, provider):
    session = signed_in(sign_in, provider)
    provider.revoke("ada")
    with pytest.raises(NotSignedIn):
        sign_in.profile(session, now=NOW)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<html>"), (200, "[]"), (503, '{"sub": "sub-ada"}'), (307, "/tenant/elsewhere")],
)
def test_a_profile_of_nonsense_is_unavailable(sign_in, provider, status, body):
    session = signed_in(sign_in, provider)
    with provider.answering("/tenant/userinfo", status, body), pytest.raises(Unavailable):
        sign_in.profile(session, now=NOW)


def test_signing_out_goes_to_the_provider_without_a_token(sign_in, provider):
    signed_in(sign_in, provider)
    url = sign_in.signed_out_url()
    assert url.startswith(f"{provider.authority}/logout?")
    assert dict(pairs(url)) == {"client_id": provider.client_id, "post_logout_redirect_uri": "https://testserver/"}
    assert provider.answer(url) == "https://testserver/"


def test_signing_out_stays_here_where_the_provider_has_no_such_page(sign_in, provider):
    with provider.answering(DISCOVERY, 200, described(provider, end_session_endpoint=None)):
        assert sign_in.signed_out_url() == "https://testserver/"
