"""Signing in proves who it is, and whatever else comes back from a provider proves nobody and leaks nothing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    CALLBACK,
    NOW,
    pairs,
    service,
)
from shared_core.errors import NotConfigured
from shared_core.signin import Identity, NoSignIn, authority_of

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in


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
