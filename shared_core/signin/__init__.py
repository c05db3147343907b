"""Signing in with Microsoft, or any OpenID provider: whoever is named was proved by a verified ID token.

msal runs the protocol (authorisation code with PKCE, state, nonce, refresh). Since 1.38 it reads ID tokens without
checking them, so id_tokens.py does. The session keeps what lies between two requests; nothing is kept in the process
but what the provider publishes. Times are wall-clock; `now` is the service's own and only measures how old a flow is.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Never, TypedDict
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from shared_core.errors import NotConfigured, NotSignedIn, SignInFailed, Unavailable
from shared_core.signin import id_tokens
from shared_core.signin.id_tokens import Identity
from shared_core.signin.provider import UNAVAILABLE, Provider, plainly
from shared_core.signin.renewals import Renewals, Unshared

__all__ = ["Identity", "NoSignIn", "Profile", "Renewals", "SignIn"]

FLOW_SECONDS = 600
# msal renews an access token that has less.
FRESH_SECONDS = 300
LONGEST_NEXT = 500

# msal itself adds openid, profile and offline_access, and refuses to be told them.
_SCOPES = ["email"]
# RFC 6749 section 5.2 and OpenID Connect Core 3.1.2.6: the person must sign in again. Any other error is between us
# and the provider.
_REFUSED = {"invalid_grant", "interaction_required", "login_required", "consent_required"}
_OURS = {"invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
# They log codes and PKCE verifiers at DEBUG, what a provider said of an error, and whole answers at ERROR.
_TALKATIVE = ("application", "authority", "token_cache", "oauth2cli.oauth2", "oauth2cli.oidc")

_NOT_BEGUN = "No sign-in is under way in this session, or its answer was used already; begin again."
_ENDED = "There is no sign-in in this session, or the provider has ended it; sign in again."

logger = logging.getLogger("service")

Session = MutableMapping[str, Any]


class Flow(TypedDict):
    """What msal needs of the request when the answer comes."""

    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    scope: list[str]


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way, as the session keeps it; `at` is in seconds since 1970."""

    at: int
    next: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider's userinfo endpoint says of who is signed in; name and email may be empty."""

    subject: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Held:
    """One person's tokens, as msal keeps them."""

    application: Any
    cache: Any
    account: dict[str, Any]

    @property
    def access_token(self) -> dict[str, Any]:
        return self._first(self.cache.CredentialType.ACCESS_TOKEN)

    @property
    def id_token(self) -> dict[str, Any]:
        return self._first(self.cache.CredentialType.ID_TOKEN)

    def is_fresh(self, now: datetime) -> bool:
        """Whether msal would give the access token without asking for another; in doubt, not."""
        token, at = self.access_token, now.timestamp()
        return int(token.get("expires_on", 0)) - at > FRESH_SECONDS and int(token.get("refresh_on", at + 1)) >= int(at)

    def _first(self, kind: str) -> dict[str, Any]:
        query = {"home_account_id": self.account["home_account_id"]}
        return next(iter(self.cache.search(kind, query=query)), {})


class SignIn:
    """Sign-in at one provider; safe to share between threads. The first use imports msal and opens connections.

    `authority` is the issuer's address with a tenant, as in https://login.microsoftonline.com/TENANT/v2.0;
    `clock` tells the wall-clock time that tokens are judged by; `timeout` is in seconds, for each step of a request: to
    connect, to be sent an answer's head, and its body. Without `renewals`, two requests that renew one session's tokens
    at once both ask the provider.
    Raises ValueError where the settings cannot work.

    Every method but `close` raises Unavailable while the provider gives no usable answer.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        authority: str,
        redirect_uri: str,
        signed_out_uri: str,
        clock: Callable[[], datetime],
        ca_file: str | None = None,
        timeout: float = 5.0,
        renewals: Renewals | None = None,
    ) -> None:
        if not client_id or not client_secret:
            raise ValueError("the client id and the client secret must both be set")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._signed_out_uri = signed_out_uri
        self._clock = clock
        self._renewals = renewals or Renewals(Unshared(), prefix="")
        self._provider = Provider(authority_of(authority), clock=clock, ca_file=ca_file, timeout=timeout)

    def begin(self, session: Session, *, now: datetime, next: str = "/") -> str:
        """The provider's address to send the browser to; `next` is the local path to end at.

        A second begin in the same session replaces the first.
        """
        address, flow = self._new_flow()
        session["signin"] = {"at": int(now.timestamp()), "next": local_path(next), "flow": flow}
        return address

    def finish(self, session: Session, answer: Sequence[tuple[str, str]], *, now: datetime) -> tuple[Identity, str]:
        """Who came back from the provider, and the local path to end at; `answer` is every pair of the query.

        Raises SignInFailed. An answer counts once, also where it is refused.
        """
        begun = _under_way(session.pop("signin", None), now=now)
        code = _code_of(answer, state=begun.flow["state"], issuer=lambda: self._provider.metadata().issuer)
        id_token, tokens = self._redeem(begun.flow, code)
        claims = id_tokens.verify(
            id_token,
            key_sets=self._provider.key_sets(),
            issuer=self._provider.metadata().issuer,
            client_id=self._client_id,
            nonce=begun.flow["nonce"],
            now=self._clock(),
        )
        session["tokens"] = tokens
        return id_tokens.identity_of(claims), begun.next

    def access_token(self, session: Session, *, now: datetime) -> str:  # noqa: ARG002 -- msal reads the wall clock
        """A token that is good for five minutes or more, fetched by the refresh token if need be.

        Raises NotSignedIn where the session has none, or the provider does not renew it.
        """
        return self._renew(session)[0]

    def profile(self, session: Session, *, now: datetime) -> Profile:  # noqa: ARG002 -- as above
        """What the provider now says of who is signed in. Raises NotSignedIn."""
        access_token, subject = self._renew(session)
        claims = self._provider.userinfo(access_token)
        # OpenID Connect Core 5.3.2: claims of another subject must not be used.
        if claims is None or claims.get("sub") != subject:
            raise NotSignedIn(_ENDED)
        return Profile(subject=subject, name=id_tokens.name_of(claims), email=id_tokens.email_of(claims))

    def signed_out_url(self) -> str:
        """Where to send the browser to end the session at the provider too; without an ID token, which URLs leak."""
        endpoint = self._provider.metadata().end_session_endpoint
        if endpoint is None:
            return self._signed_out_uri
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": self._signed_out_uri})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def close(self) -> None:
        self._provider.close()

    @plainly
    def _new_flow(self) -> tuple[str, Flow]:
        # msal warns of any other mode than form_post, and filtering a warning is not thread-safe. The answer must
        # come in a query: a Lax cookie does not travel on a POST from another site.
        begun = self._application(None).initiate_auth_code_flow(
            _SCOPES, redirect_uri=self._redirect_uri, response_mode="form_post"
        )
        address = begun["auth_uri"].replace("response_mode=form_post", "response_mode=query")
        return address, {
            "state": begun["state"],
            "nonce": begun["nonce"],
            "code_verifier": begun["code_verifier"],
            "redirect_uri": begun["redirect_uri"],
            "scope": begun["scope"],
        }

    @plainly
    def _redeem(self, flow: Flow, code: str) -> tuple[str, str]:
        """The ID token, not verified yet, and the token cache to keep. Raises SignInFailed."""
        cache = _token_cache(None)
        try:
            result = self._application(cache).acquire_token_by_auth_code_flow(
                dict(flow), {"code": code, "state": flow["state"]}
            )
        except RuntimeError:
            # msal's word for a nonce that is not the flow's.
            raise SignInFailed(id_tokens.UNPROVED) from None
        if "id_token" not in result:
            raise _refusal(result, SignInFailed("The sign-in provider did not accept the answer; begin again."))
        return result["id_token"], cache.serialize()

    @plainly
    def _renew(self, session: Session) -> tuple[str, str]:
        """An access token and its subject, with the session's token cache brought up to date."""
        stored = session.get("tokens")
        if not isinstance(stored, str):
            raise NotSignedIn(_ENDED)
        held = self._held(stored)
        if not held.is_fresh(self._clock()):
            tokens = self._renewals.newest(stored, is_fresh=self._is_fresh, renew=self._renewed)
            if tokens != stored:
                session["tokens"] = tokens
            held = self._held(tokens)
        return held.access_token["secret"], id_tokens.subject_of(held.id_token["secret"])

    def _renewed(self, tokens: str) -> str:
        """A token cache with a new access token, by the refresh token of this one. Raises NotSignedIn, Unavailable."""
        held = self._held(tokens)
        result = held.application.acquire_token_silent_with_error(_SCOPES, account=held.account)
        if not result or "access_token" not in result:
            raise _refusal(result or {"error": "invalid_grant"}, NotSignedIn(_ENDED))
        renewed: str = held.cache.serialize() if held.cache.has_state_changed else tokens
        return renewed

    def _is_fresh(self, tokens: str) -> bool:
        return self._held(tokens).is_fresh(self._clock())

    def _held(self, tokens: str) -> Held:
        """What a session's token cache holds. Raises NotSignedIn."""
        cache = _token_cache(tokens)
        application = self._application(cache)
        accounts = _accounts(application)
        if not accounts:
            raise NotSignedIn(_ENDED)
        return Held(application, cache, accounts[0])

    def _application(self, token_cache: Any) -> Any:
        """A msal application for one request, because its token cache is one user's.

        It makes no request: the provider's description comes from ours. Its http_cache is its own, since
        each application brings its own lock to it, so that a shared one would be guarded by none.
        """
        return _msal().ConfidentialClientApplication(
            self._client_id,
            self._client_secret,
            oidc_authority=self._provider.authority,
            instance_discovery=False,
            azure_region=False,  # or it reads the environment
            http_client=self._provider,
            http_cache={},
            token_cache=token_cache,
        )


class NoSignIn:
    """Stands where sign-in has no settings. Every method but `close` raises NotConfigured."""

    def begin(self, *_: object, **__: object) -> Never:
        raise NotConfigured("Sign-in with Microsoft is not configured here.")

    finish = access_token = profile = signed_out_url = begin

    def close(self) -> None:
        pass


def authority_of(setting: str) -> str:
    """The address that `/.well-known/openid-configuration` is appended to. Raises ValueError where it cannot work."""
    url = urlsplit(setting.rstrip("/"))
    tenant, *rest = url.path.split("/")[1:] or [""]
    if url.scheme != "https" or not url.hostname or url.username or not tenant or url.query or url.fragment:
        raise ValueError("the authority should be as https://login.microsoftonline.com/TENANT/v2.0, with a tenant")
    if not url.hostname.startswith(("login.microsoftonline.", "login.partner.microsoftonline.")):
        return url.geturl()
    if tenant.lower() in {"common", "organizations"}:
        raise ValueError("the authority should name one tenant: the issuer of a multi-tenant one cannot be verified")
    # Without the version Microsoft describes its old endpoints, which know no scopes.
    return url.geturl() if rest else f"{url.geturl()}/v2.0"


def local_path(next: str) -> str:
    """`next` where it is a path on this host, else "/": browsers read //, \\ and control characters as another host."""
    plain = next.isascii() and next.isprintable() and not set(next) & set("\\ ")
    return next if plain and next.startswith("/") and "//" not in next and len(next) <= LONGEST_NEXT else "/"


def _under_way(stored: Any, *, now: datetime) -> Begun:
    try:
        begun = msgspec.convert(stored, Begun)
    except msgspec.ValidationError:
        raise SignInFailed(_NOT_BEGUN) from None
    if not -60 <= now.timestamp() - begun.at <= FLOW_SECONDS:
        raise SignInFailed("The sign-in took longer than ten minutes; begin again.")
    return begun


def _code_of(answer: Sequence[tuple[str, str]], *, state: str, issuer: Callable[[], str]) -> str:
    given = dict(answer)
    if len(given) != len(answer):
        raise SignInFailed("The answer of the sign-in provider repeats a parameter; begin again.")
    if not hmac.compare_digest(quote(given.get("state", ""), errors="replace"), state):
        raise SignInFailed("The answer of the sign-in provider is not for this session; begin again.")
    # RFC 9207: an answer that names another issuer was meant for another provider.
    if "iss" in given and given["iss"] != issuer():
        raise SignInFailed("The answer comes from another sign-in provider; begin again.")
    if "error" in given:
        raise SignInFailed("The sign-in was declined at the provider; begin again.")
    if not given.get("code"):
        raise SignInFailed("The answer of the sign-in provider holds no code; begin again.")
    return given["code"]


def _refusal(result: dict[str, Any], refused: SignInFailed | NotSignedIn) -> SignInFailed | NotSignedIn | Unavailable:
    if result.get("error") in _REFUSED:
        return refused
    # Only these words are known to hold nothing that was sent.
    error = result.get("error") if result.get("error") in _OURS else "no usable answer"
    logger.warning("the sign-in provider refuses this service: %s", error)
    return Unavailable(UNAVAILABLE)


def _token_cache(stored: str | None) -> Any:
    """msal's cache of one user's tokens. Raises NotSignedIn for what is none."""
    cache = _msal().SerializableTokenCache()
    try:
        cache.deserialize(stored)
    except ValueError:
        raise NotSignedIn(_ENDED) from None
    return cache


def _accounts(application: Any) -> list[dict[str, Any]]:
    try:
        accounts: list[dict[str, Any]] = application.get_accounts()
    except (AttributeError, KeyError, TypeError):
        # JSON, and yet no token cache.
        raise NotSignedIn(_ENDED) from None
    return accounts


def _msal() -> Any:
    import msal

    for name in _TALKATIVE:
        logging.getLogger(f"msal.{name}").disabled = True
    return msal
