"""A provider that is down or talks nonsense is unavailable until it is not, and the environment changes nothing."""

from __future__ import annotations

import socket
import warnings
from typing import Any

import pytest

from contract_tests.suite.provider import Provider
from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    CALLBACK,
    DISCOVERY,
    NOW,
    come_back,
    described,
    service,
    signed_in,
)
from shared_core.errors import Unavailable

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in

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
