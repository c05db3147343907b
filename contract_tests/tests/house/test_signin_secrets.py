"""Signing in keeps little, mixes nobody up and leaks nothing."""

from __future__ import annotations

import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    NOW,
    come_back,
    pairs,
    signed_in,
)
from shared_core.errors import NotSignedIn, ServiceError, Unavailable

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in


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
