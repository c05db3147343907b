"""Signing in proves who it is, and whatever else comes back from a provider proves nobody and leaks nothing."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from contract_tests.suite.provider import Provider
from shared_core.errors import NotConfigured, NotSignedIn, ServiceError, SignInFailed, Unavailable
from shared_core.signin import Identity, NoSignIn, Profile, SignIn, authority_of, id_tokens

CALLBACK = "https://testserver/signin/callback"
NOW = datetime(2026, 1, 2, tzinfo=UTC)  # the app's clock stands; the provider's runs
DISCOVERY = "/tenant/.well-known/openid-configuration"


class Clock:
    """The wall clock, and how far it is put forward."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(CALLBACK, folder=tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(_running: Provider) -> Provider:
    _running.reset()
    _running.expires_in = 3600
    return _running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_in(provider: Provider, clock: Clock) -> Iterator[SignIn]:
    built = service(provider, clock=clock)
    yield built
    built.close()


def service(provider: Provider, **differently: Any) -> SignIn:
    settings = {
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "authority": provider.authority,
        "redirect_uri": CALLBACK,
        "signed_out_uri": "https://testserver/",
        "clock": Clock(),
        "ca_file": str(provider.ca_file),
        "timeout": 5.0,
    }
    return SignIn(**{**settings, **differently})


def come_back(sign_in: SignIn, provider: Provider, session: dict[str, Any], **how: Any) -> list[tuple[str, str]]:
    """The pairs that the callback gets after an account signed in."""
    return pairs(provider.answer(sign_in.begin(session, now=NOW), **how))


def pairs(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def signed_in(sign_in: SignIn, provider: Provider, **how: Any) -> dict[str, Any]:
    session: dict[str, Any] = {}
    sign_in.finish(session, come_back(sign_in, provider, session, **how), now=NOW)
    return session


def test_signing_in_proves_who_it_is(sign_in, provider):
    session: dict[str, Any] = {}
    address = sign_in.begin(session, now=NOW, next="/me?tab=1")
    assert sign_in.finish(session, pairs(provider.answer(address)), now=NOW) == (
        Identity(issuer=provider.authority, subject="sub-ada", name="Ada", email="ada@contoso.example"),
        "/me?tab=1",
    )
    assert set(session) == {"tokens"}


def test_the_provider_is_asked_with_pkce_and_nonce_to_answer_in_a_query(sign_in):
    asked = dict(pairs(sign_in.begin({}, now=NOW)))
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_mode"] == "query"
    assert asked["redirect_uri"] == CALLBACK
    assert set(asked["scope"].split()) == {"openid", "profile", "offline_access", "email"}
    assert asked["nonce"]
    assert asked["state"]


def test_beginning_leaves_the_warnings_of_others_as_they_are(sign_in):
    before = warnings.filters[:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sign_in.begin({}, now=NOW)
    assert not caught
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("leave_out", "error"),
    [
        ("code_challenge", "invalid_request"),
        ("code_challenge_method", "invalid_request"),
        ("nonce", "invalid_request"),
    ],
)
def test_the_specimen_demands_what_it_may(sign_in, provider, leave_out, error):
    url = sign_in.begin({}, now=NOW)
    asked = [(name, value) for name, value in pairs(url) if name != leave_out]
    assert dict(pairs(provider.answer(f"{provider.authority}/authorize?{urlencode(asked)}")))["error"] == error


def test_the_specimen_sends_nobody_to_an_address_it_does_not_know(provider):
    stranger = service(provider, redirect_uri=f"{CALLBACK}/else")
    with pytest.raises(ValueError, match="the provider answers 400"):
        provider.answer(stranger.begin({}, now=NOW))
    stranger.close()


@pytest.mark.parametrize("path", ["/", "/me", "/files/1?page=2&size=5", "/" + "a" * 499])
def test_a_local_path_is_where_it_ends(sign_in, provider, path):
    session: dict[str, Any] = {}
    address = sign_in.begin(session, now=NOW, next=path)
    assert sign_in.finish(session, pairs(provider.answer(address)), now=NOW)[1] == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "me",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "/\t/evil.example",
        "/me\r\nSet-Cookie: a=b",
        "/me\x00",
        "/a//b",
        " /me",
        "/\u2028me",
        "/caf\u00e9",
        "/" + "a" * 500,
    ],
)
def test_any_other_path_becomes_the_root(sign_in, path):
    session: dict[str, Any] = {}
    sign_in.begin(session, now=NOW, next=path)
    assert session["signin"]["next"] == "/"


def refused(sign_in: SignIn, session: dict[str, Any], answer: list[tuple[str, str]], *, now: datetime = NOW) -> str:
    """The one sentence of a refusal, which leaves nothing behind in the session."""
    with pytest.raises(SignInFailed) as caught:
        sign_in.finish(session, answer, now=now)
    assert session == {}
    return caught.value.detail


def test_a_tampered_pkce_verifier_is_refused(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    session["signin"]["flow"]["code_verifier"] = "a" * 43
    assert "did not accept" in refused(sign_in, session, answer)


def test_a_tampered_nonce_is_refused(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    session["signin"]["flow"]["nonce"] = "another"
    assert "proves nobody" in refused(sign_in, session, answer)


@pytest.mark.parametrize("state", ["", "another", "caf\u00e9", "\udcff"])
def test_another_state_is_refused(sign_in, provider, state):
    session: dict[str, Any] = {}
    answer = dict(come_back(sign_in, provider, session)) | {"state": state}
    assert "not for this session" in refused(sign_in, session, list(answer.items()))


def test_a_missing_state_is_refused(sign_in, provider):
    session: dict[str, Any] = {}
    answer = [pair for pair in come_back(sign_in, provider, session) if pair[0] != "state"]
    assert "not for this session" in refused(sign_in, session, answer)


def test_an_answer_without_a_code_is_refused(sign_in, provider):
    session: dict[str, Any] = {}
    answer = [pair for pair in come_back(sign_in, provider, session) if pair[0] != "code"]
    assert "no code" in refused(sign_in, session, answer)


@pytest.mark.parametrize("name", ["code", "state", "session_state"])
def test_a_repeated_parameter_is_refused(sign_in, provider, name):
    session: dict[str, Any] = {}
    answer = [*come_back(sign_in, provider, session), ("session_state", "s")]
    answer.append((name, dict(answer)[name]))
    assert "repeats a parameter" in refused(sign_in, session, answer)


def test_declining_at_the_provider_is_refused(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session, account=None)
    assert dict(answer)["error"] == "access_denied"
    assert "declined" in refused(sign_in, session, answer)


def test_an_answer_of_another_issuer_is_refused(sign_in, provider):
    """RFC 9207."""
    session: dict[str, Any] = {}
    answer = [*come_back(sign_in, provider, session), ("iss", "https://other.example/tenant")]
    assert "another sign-in provider" in refused(sign_in, session, answer)


def test_an_answer_may_name_its_issuer(sign_in, provider):
    session: dict[str, Any] = {}
    answer = [*come_back(sign_in, provider, session), ("iss", provider.authority)]
    assert sign_in.finish(session, answer, now=NOW)[0].subject == "sub-ada"


def test_an_answer_counts_once(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    sign_in.finish(session, answer, now=NOW)
    session.clear()
    assert "used already" in refused(sign_in, session, answer)


def test_a_refused_answer_ends_the_sign_in(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    refused(sign_in, session, [*answer, ("state", "another")])
    assert "used already" in refused(sign_in, session, answer)


def test_a_replayed_code_is_refused_and_ends_what_came_of_it(sign_in, provider):
    provider.expires_in = 10
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    copy = dict(session)
    sign_in.finish(session, answer, now=NOW)
    assert "did not accept" in refused(sign_in, copy, answer)
    with pytest.raises(NotSignedIn):
        sign_in.access_token(session, now=NOW)


def test_a_sign_in_may_take_ten_minutes(sign_in, provider):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    assert sign_in.finish(session, answer, now=NOW + timedelta(minutes=10))[0].subject == "sub-ada"


@pytest.mark.parametrize("late", [timedelta(minutes=10, seconds=1), timedelta(minutes=-2)])
def test_a_sign_in_of_another_time_is_refused(sign_in, provider, late):
    session: dict[str, Any] = {}
    answer = come_back(sign_in, provider, session)
    assert "ten minutes" in refused(sign_in, session, answer, now=NOW + late)


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


def described(provider: Provider, **differently: Any) -> str:
    said = {**provider._metadata(), **differently}
    return json.dumps({name: value for name, value in said.items() if value is not None})


WRONG_ANSWERS = {
    "no JSON": (200, "<html>please sign in to the wireless network</html>"),
    "a list": (200, "[]"),
    "an empty object": (200, "{}"),
    "wrong types": (
        200,
        '{"issuer": 7, "id_token": 7, "access_token": 7, "expires_in": "x", "keys": 7, "sub": "sub-ada"}',
    ),
    "an error of its own": (503, '{"error": "invalid_grant"}'),
    "too many requests": (429, '{"error": "temporarily_unavailable"}'),
    "a client that is unknown": (401, '{"error": "invalid_client"}'),
    "a redirect": (307, "/tenant/elsewhere"),
}


@pytest.mark.parametrize(("status", "body"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
@pytest.mark.parametrize("path", [DISCOVERY, "/tenant/keys", "/tenant/token"])
def test_a_provider_that_talks_nonsense_is_unavailable_until_it_talks_sense(sign_in, provider, path, status, body):
    session: dict[str, Any] = {}
    with provider.answering(path, status, body), pytest.raises(Unavailable):
        sign_in.finish(session, come_back(sign_in, provider, session), now=NOW)
    assert "tokens" not in session
    assert "GET /tenant/elsewhere" not in provider.requests
    assert "POST /tenant/elsewhere" not in provider.requests
    assert signed_in(sign_in, provider)["tokens"]


@pytest.mark.parametrize(
    "differently",
    [
        {"issuer": "AUTHORITY/{tenantid}/v2.0"},
        {"issuer": "https://other.example/tenant"},
        {"token_endpoint": "http://localhost/tenant/token"},
        {"jwks_uri": "http://localhost/tenant/keys"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(sign_in, provider, differently):
    said = described(provider, **differently).replace("AUTHORITY", provider.authority)
    with provider.answering(DISCOVERY, 200, said), pytest.raises(Unavailable):
        sign_in.begin({}, now=NOW)


def test_a_wrong_client_secret_is_told_to_the_operator_and_not_to_the_client(provider, caplog):
    stranger = service(provider, client_secret="wrong")
    session: dict[str, Any] = {}
    with pytest.raises(Unavailable):
        stranger.finish(session, come_back(stranger, provider, session), now=NOW)
    assert "invalid_client" in caplog.text
    stranger.close()


def test_a_provider_that_is_down_is_unavailable(tmp_path):
    with Provider(CALLBACK, folder=tmp_path) as gone:
        known = service(gone)
        gone.expires_in = 10
        session = signed_in(known, gone)
        waiting: dict[str, Any] = {}
        answer = come_back(known, gone, waiting)
    unknown = service(gone)
    with pytest.raises(Unavailable):
        unknown.begin({}, now=NOW)
    with pytest.raises(Unavailable):
        unknown.signed_out_url()
    with pytest.raises(Unavailable):
        known.finish(waiting, answer, now=NOW)
    with pytest.raises(Unavailable):
        known.access_token(session, now=NOW)
    for built in (known, unknown):
        built.close()


def test_a_provider_that_does_not_answer_is_unavailable(provider):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        waiting = service(provider, authority=f"https://127.0.0.1:{silent.getsockname()[1]}/tenant", timeout=0.05)
        with pytest.raises(Unavailable):
            waiting.begin({}, now=NOW)
        waiting.close()


def test_a_provider_with_a_certificate_of_nobody_we_know_is_unavailable(provider):
    trusting = service(provider, ca_file=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that would go on all the same
        with pytest.raises(Unavailable):
            trusting.begin({}, now=NOW)
    trusting.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MSAL_FORCE_REGION", "westeurope"),
        ("REQUESTS_CA_BUNDLE", "/nonexistent"),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ],
)
def test_the_environment_changes_nothing(sign_in, provider, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert signed_in(sign_in, provider)["tokens"]


def test_what_a_session_holds_survives_its_store_and_is_small(sign_in, provider):
    session: dict[str, Any] = {}
    address = sign_in.begin(session, now=NOW, next="/" + "a" * 499)
    stored = msgspec.msgpack.encode(session)
    assert len(stored) < 4096
    session = msgspec.msgpack.decode(stored)
    sign_in.finish(session, pairs(provider.answer(address)), now=NOW)
    session = msgspec.msgpack.decode(msgspec.msgpack.encode(session))
    assert sign_in.access_token(session, now=NOW)


def test_one_service_signs_many_in_at_once_and_mixes_nobody_up(sign_in, provider):
    def one(name: str) -> tuple[str, str]:
        session: dict[str, Any] = {}
        answer = come_back(sign_in, provider, session, account=name)
        who, _ = sign_in.finish(session, answer, now=NOW)
        return who.subject, sign_in.profile(session, now=NOW).subject

    names = [f"person{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, names)) == [(f"sub-{name}", f"sub-{name}") for name in names]


def test_cookies_of_the_provider_are_not_kept_for_the_next_person(sign_in, provider):
    signed_in(sign_in, provider)
    signed_in(sign_in, provider, account="grace")
    assert "a cookie that was another's" not in provider.requests


def secrets_of(session: dict[str, Any]) -> set[str]:
    kept = json.loads(session["tokens"])
    return {entry["secret"] for kind in ("AccessToken", "RefreshToken", "IdToken") for entry in kept[kind].values()}


def test_nothing_secret_is_logged(sign_in, provider, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("msal", "msal.token_cache", "msal.application", "msal.oauth2cli.oauth2", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    provider.expires_in = 10
    session: dict[str, Any] = {}
    address = sign_in.begin(session, now=NOW)
    flow = session["signin"]["flow"]
    answer = pairs(provider.answer(address))
    sign_in.finish(session, answer, now=NOW)
    secret = secrets_of(session)
    sign_in.profile(session, now=NOW)
    secret |= secrets_of(session)
    provider.revoke("ada")
    with pytest.raises(NotSignedIn):
        sign_in.access_token(session, now=NOW)
    planted = '{"error": "invalid_grant", "error_description": "planted-description"}'
    with provider.answering("/tenant/token", 400, planted), pytest.raises(NotSignedIn):
        sign_in.access_token(session, now=NOW)
    with provider.answering("/tenant/token", 200, "access_token=planted-token"), pytest.raises(Unavailable):
        sign_in.access_token(session, now=NOW)
    with provider.answering("/tenant/token", 400, '{"error": "planted-error"}'), pytest.raises(Unavailable):
        sign_in.access_token(session, now=NOW)
    secret |= {flow["state"], flow["nonce"], flow["code_verifier"], dict(answer)["code"], provider.client_secret}
    secret |= {"planted-description", "planted-token", "planted-error"}
    assert caplog.records  # urllib3's, which may stay
    assert [word for word in secret if word in caplog.text] == []


def test_an_error_brings_nothing_of_its_cause_along(sign_in, provider):
    def told(**answer: str) -> str:
        session: dict[str, Any] = {}
        given = dict(come_back(sign_in, provider, session)) | answer
        with pytest.raises(ServiceError) as caught:
            sign_in.finish(session, list(given.items()), now=NOW)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return "".join(traceback.format_exception(caught.value))

    texts = [
        told(code="planted-secret"),
        told(state="planted-secret"),
        told(error="planted-secret"),
        told(iss="planted-secret"),
    ]
    for status, body in [
        (400, '{"error": "invalid_grant", "error_description": "planted-secret"}'),
        (200, "planted-secret"),
        (200, '{"id_token": "planted-secret"}'),
        (500, "planted-secret"),
    ]:
        with provider.answering("/tenant/token", status, body):
            texts.append(told())
    for how in ({"iss": "planted-secret"}, {"nonce": "planted-secret"}, {"kid": "planted-secret"}):
        with provider.forging(**how):
            texts.append(told())
    assert not any("planted-secret" in text for text in texts)


@pytest.mark.parametrize(
    ("setting", "authority"),
    [
        ("https://login.microsoftonline.com/contoso/v2.0", "https://login.microsoftonline.com/contoso/v2.0"),
        ("https://login.microsoftonline.com/contoso", "https://login.microsoftonline.com/contoso/v2.0"),
        ("https://login.microsoftonline.us/contoso/", "https://login.microsoftonline.us/contoso/v2.0"),
        ("https://id.example/tenant/", "https://id.example/tenant"),
        ("https://id.example:8443/a/b", "https://id.example:8443/a/b"),
    ],
)
def test_one_setting_names_microsoft_or_anyone(setting, authority):
    assert authority_of(setting) == authority


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "http://id.example/tenant",
        "https://id.example",
        "https://id.example/",
        "https:///tenant",
        "https://user@id.example/tenant",
        "https://id.example/tenant?a=b",
        "https://login.microsoftonline.com/common",
        "https://login.microsoftonline.com/organizations/v2.0",
    ],
)
def test_an_authority_that_cannot_work_is_refused_at_the_start(provider, setting):
    with pytest.raises(ValueError, match="the authority should"):
        service(provider, authority=setting)


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_a_client_without_credentials_is_refused_at_the_start(provider, missing):
    with pytest.raises(ValueError, match="must both be set"):
        service(provider, **{missing: ""})


def test_without_settings_each_method_says_that_it_is_not_configured():
    none = NoSignIn()
    for ask in (
        lambda: none.begin({}, now=NOW),
        lambda: none.finish({}, [], now=NOW),
        lambda: none.access_token({}, now=NOW),
        lambda: none.profile({}, now=NOW),
        none.signed_out_url,
    ):
        with pytest.raises(NotConfigured):
            ask()
    none.close()


def test_an_app_without_sign_in_pays_for_none_of_its_libraries():
    source = (
        "import sys; from shared_core.signin import NoSignIn, SignIn; from datetime import datetime;"
        "SignIn(client_id='a', client_secret='b', authority='https://id.example/t', redirect_uri='', signed_out_uri='',"
        " clock=datetime.now).close();"
        "print({'msal', 'jwt', 'requests', 'cryptography'} & set(sys.modules))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")
