"""npm's oidc-provider is a provider to trust in tests: it gives what the standards say, and refuses what they refuse"""

import base64
import hashlib
import os
import secrets
import socket
import ssl
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from contract_tests.suite.node_provider import NodeProvider, unavailable
from contract_tests.tests.house.conftest import suite_passes

CALLBACK = "http://localhost:9/auth/callback"
SCOPE = "openid profile email offline_access"

pytestmark = pytest.mark.services


@pytest.fixture(scope="module", autouse=True)
def _available():
    """Required in CI, skipped elsewhere where it cannot run."""
    reason = unavailable()
    if reason is not None:
        if os.environ.get("CI") != "true":
            pytest.skip(reason)
        pytest.fail(reason)


@pytest.fixture(scope="module")
def provider(_available, tmp_path_factory):
    with NodeProvider(CALLBACK, folder=tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def http(provider):
    trust = ssl.create_default_context(cafile=provider.ca_file)
    with httpx.Client(verify=trust, trust_env=False) as client:
        yield client


@pytest.fixture
def found(provider, http):
    """The discovery document."""
    return http.get(f"{provider.authority}/.well-known/openid-configuration").raise_for_status().json()


@pytest.fixture
def ask(provider, found):
    """Signs in: gives the answer's parameters and the PKCE verifier. A parameter of None is left out."""

    def ask(*, account="ada", **changed):
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": provider.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        answer = urlsplit(provider.answer(f"{found['authorization_endpoint']}?{query}", account=account))
        assert answer._replace(query="").geturl() == CALLBACK
        return {name: value for name, [value] in parse_qs(answer.query).items()}, verifier

    return ask


@pytest.fixture
def redeem(provider, http, found):
    """Asks for tokens, as the client."""

    def redeem(grant_type, **fields):
        client = {"client_id": provider.client_id, "client_secret": provider.client_secret}
        return http.post(found["token_endpoint"], data={**client, "grant_type": grant_type, **fields})

    return redeem


@pytest.fixture
def tokens(ask, redeem):
    """Signs in and redeems the code; keeps the code for who redeems it again."""

    def tokens(**asked):
        answer, verifier = ask(**asked)
        code = {"code": answer["code"], "code_verifier": verifier, "redirect_uri": CALLBACK}
        return redeem("authorization_code", **code).raise_for_status().json(), code

    return tokens


def refused(response):
    return response.status_code == 400 and response.json()["error"] == "invalid_grant"


def test_it_is_found_over_tls_by_who_trusts_its_authority(provider, found):
    assert found["issuer"] == provider.authority == provider.settings()["msal_authority"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert all(url.startswith(f"{provider.authority}/") for name, url in found.items() if name.endswith("_endpoint"))
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"{provider.authority}/.well-known/openid-configuration", trust_env=False)


@pytest.mark.parametrize("account", ["ada", "zoë; x=ü"])
def test_a_sign_in_gives_an_id_token_about_the_account(provider, http, found, tokens, account):
    """OpenID Connect Core 3.1.3.7: what a client checks."""
    given, _ = tokens(account=account)
    keys = jwt.PyJWKSet.from_dict(http.get(found["jwks_uri"]).raise_for_status().json())
    key = keys[jwt.get_unverified_header(given["id_token"])["kid"]]
    claims = jwt.decode(
        given["id_token"],
        key,
        algorithms=["RS256"],
        audience=provider.client_id,
        issuer=provider.authority,
        options={"require": ["exp", "iat"]},
    )
    about = {"sub": f"sub-{account}", "name": account.capitalize(), "email": f"{account}@contoso.example"}
    assert claims.items() >= {**about, "nonce": "the-nonce"}.items()
    userinfo = http.get(found["userinfo_endpoint"], headers={"Authorization": f"Bearer {given['access_token']}"})
    assert userinfo.json().items() >= about.items()


def test_the_answer_returns_the_state(ask):
    assert ask(state="a state & more")[0]["state"] == "a state & more"


def test_who_declines_is_sent_back_with_that(ask):
    answer, _ = ask(account=None)
    assert "code" not in answer
    assert (answer["error"], answer["state"]) == ("access_denied", "the-state")


@pytest.mark.parametrize("missing", ["code_challenge", "nonce"])
def test_a_request_without_its_protection_is_refused(ask, missing):
    """RFC 7636 4.4.1; the nonce is this server's own demand."""
    answer, _ = ask(**{missing: None})
    assert "code" not in answer
    assert answer["error"] == "invalid_request"
    assert answer["state"] == "the-state"


def test_a_plain_challenge_is_refused(ask):
    assert ask(code_challenge_method="plain")[0]["error"] == "invalid_request"


def test_an_unknown_redirect_uri_is_never_sent_to(ask):
    """RFC 6749 4.1.2.1."""
    with pytest.raises(ValueError, match="redirect_uri"):
        ask(redirect_uri="http://localhost:9/elsewhere")


@pytest.mark.parametrize("verifier", [{}, {"code_verifier": "x" * 43}])
def test_a_code_without_its_verifier_is_refused(ask, redeem, verifier):
    """RFC 7636 4.6."""
    answer, _ = ask()
    assert refused(redeem("authorization_code", code=answer["code"], redirect_uri=CALLBACK, **verifier))


def test_a_wrong_client_secret_is_refused(redeem):
    response = redeem("refresh_token", refresh_token="x", client_secret="wrong")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_replayed_code_is_refused_and_takes_its_tokens_along(tokens, redeem):
    """RFC 6749 4.1.2."""
    given, code = tokens()
    assert refused(redeem("authorization_code", **code))
    assert refused(redeem("refresh_token", refresh_token=given["refresh_token"]))


@pytest.mark.parametrize("asked", [{}, {"scope": SCOPE}])
def test_a_refresh_token_serves_once_and_gives_the_next(tokens, redeem, asked):
    """RFC 9700 4.14.2; the client need not ask for consent to get one, and msal asks for all its scopes again."""
    first = tokens()[0]["refresh_token"]
    second = redeem("refresh_token", refresh_token=first, **asked).raise_for_status().json()
    assert {"id_token", "access_token"} <= second.keys()
    third = redeem("refresh_token", refresh_token=second["refresh_token"]).raise_for_status().json()
    assert len({first, second["refresh_token"], third["refresh_token"]}) == 3
    assert refused(redeem("refresh_token", refresh_token=first))
    assert refused(redeem("refresh_token", refresh_token=third["refresh_token"])), "a replay ends the whole family"


def test_there_is_no_refresh_token_without_offline_access(tokens):
    assert "refresh_token" not in tokens(scope="openid profile email")[0]


def test_a_sign_out_comes_back_to_the_site_and_nowhere_else(provider, found):
    """OpenID Connect RP-Initiated Logout 1.0, section 3."""

    def signed_out(uri):
        query = urlencode({"client_id": provider.client_id, "post_logout_redirect_uri": uri})
        return provider.answer(f"{found['end_session_endpoint']}?{query}")

    assert signed_out("http://localhost:9/") == "http://localhost:9/"
    with pytest.raises(ValueError, match="post_logout_redirect_uri"):
        signed_out("http://localhost:9/elsewhere")


@pytest.mark.usefixtures("_available")
def test_nothing_is_left_of_it():
    with NodeProvider(CALLBACK) as provider:
        address = "127.0.0.1", urlsplit(provider.authority).port
        socket.create_connection(address).close()
    assert not provider.ca_file.parent.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_the_suite_s_sign_in_holds_there_too():
    """What the provider in Python is told to forge, this one cannot."""
    options = ["--provider", "node", "-m", "provider", "-k", "not forged"]
    assert suite_passes(("signin", "shared"), *options) > 100
