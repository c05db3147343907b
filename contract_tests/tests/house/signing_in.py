"""What tests of signing in share: a provider, a service that signs in at it, and a visitor who comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from contract_tests.suite.provider import Provider
from shared_core.errors import SignInFailed
from shared_core.signin import SignIn

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


def refused(sign_in: SignIn, session: dict[str, Any], answer: list[tuple[str, str]], *, now: datetime = NOW) -> str:
    """The one sentence of a refusal, which leaves nothing behind in the session."""
    with pytest.raises(SignInFailed) as caught:
        sign_in.finish(session, answer, now=now)
    assert session == {}
    return caught.value.detail


def described(provider: Provider, **differently: Any) -> str:
    said = {**provider._metadata(), **differently}
    return json.dumps({name: value for name, value in said.items() if value is not None})
