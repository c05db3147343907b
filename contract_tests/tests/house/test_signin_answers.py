"""What comes back from a provider counts once, in time, and for the visitor who set out; all else is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contract_tests.tests.house import signing_in
from contract_tests.tests.house.signing_in import (
    NOW,
    come_back,
    refused,
)
from shared_core.errors import NotSignedIn

# pytest finds fixtures by the names of a module.
_running = signing_in._running
provider = signing_in.provider
clock = signing_in.clock
sign_in = signing_in.sign_in


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
