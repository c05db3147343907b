"""The sign-in provider over HTTPS: what it says of itself, and its keys; nothing that belongs to one user is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared_core.errors import ServiceError, Unavailable
from shared_core.signin.id_tokens import keys_of

if TYPE_CHECKING:
    import requests

    from shared_core.signin.id_tokens import Keys

UNAVAILABLE = "The sign-in provider cannot answer just now; try again soon."

# As long as msal keeps it.
METADATA_LIFETIME = timedelta(days=1)
# A token with an unknown key id is free to make; asking for keys is not.
KEYS_PAUSE = timedelta(seconds=60)

# What OAuth says no with; anything else is an outage, or another server.
_REFUSALS = {400, 401, 403}

logger = logging.getLogger("service")

P = ParamSpec("P")
T = TypeVar("T")


def plainly(function: Callable[P, T]) -> Callable[P, T]:
    """Turn whatever fails while the provider is asked into Unavailable; a business error stays what it is.

    Raised where nothing is being handled, so that no cause is attached: causes quote codes, tokens and the provider.
    """

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ServiceError as error:
            failure = type(error)(error.detail)
        except Exception as error:
            logger.warning("the sign-in provider cannot be used: %s", type(error).__qualname__)
            failure = Unavailable(UNAVAILABLE)
        raise failure

    return told


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of the discovery document (OpenID Connect Discovery 1.0), as it came in `answer`."""

    issuer: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    answer: requests.Response
    fetched: datetime


class Provider:
    """One provider, safe to share between threads. It is also the `http_client` of msal."""

    def __init__(self, authority: str, *, clock: Callable[[], datetime], ca_file: str | None, timeout: float) -> None:
        self.authority = authority
        self._clock = clock
        self._ca_file = ca_file
        self._timeout = timeout
        self._lock = Lock()
        self._session: requests.Session | None = None
        self._metadata: Metadata | None = None
        self._keys: Keys | None = None
        self._keys_asked: datetime | None = None

    @plainly
    def metadata(self) -> Metadata:
        """What the provider says of itself, up to a day old. Raises Unavailable."""
        known = self._metadata
        if known is None or self._clock() - known.fetched > METADATA_LIFETIME:
            answer = self._send("GET", f"{self.authority}/.well-known/openid-configuration")
            self._metadata = known = _metadata_of(answer, fetched=self._clock())
        return known

    def key_sets(self) -> Iterator[Keys]:
        """The keys as they were last seen, then as they are now, unless they were fetched a moment ago."""
        known = self._keys
        if known is not None:
            yield known
        if self._may_ask_for_keys(first=known is None):
            yield self._fetch_keys()

    @plainly
    def userinfo(self, access_token: str) -> dict[str, Any] | None:
        """The claims of the userinfo endpoint, or None where it refuses the token."""
        endpoint = self.metadata().userinfo_endpoint
        if endpoint is None:
            raise LookupError("no userinfo endpoint")
        answer = self._send("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        return answer.json() if answer.status_code == 200 else None

    def get(self, url: str, **content: Any) -> requests.Response:
        # msal asks for nothing else: we leave out all it would fetch from elsewhere.
        if url == f"{self.authority}/.well-known/openid-configuration":
            return self.metadata().answer
        return self._send("GET", url, **content)

    def post(self, url: str, **content: Any) -> requests.Response:
        return self._send("POST", url, **content)

    def close(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    @plainly
    def _fetch_keys(self) -> Keys:
        answer = self._send("GET", self.metadata().jwks_uri)
        answer.raise_for_status()
        self._keys = keys_of(answer.json())
        return self._keys

    def _may_ask_for_keys(self, *, first: bool) -> bool:
        now = self._clock()
        with self._lock:
            if not first and self._keys_asked is not None and now - self._keys_asked < KEYS_PAUSE:
                return False
            self._keys_asked = now
            return True

    def _send(self, method: str, url: str, **content: Any) -> requests.Response:
        """The answer, which is a JSON object. Raises what requests raises, which msal knows to get over."""
        import requests

        from shared_core.signin.connections import read_whole

        if not url.startswith("https://"):
            raise requests.exceptions.InvalidURL
        # A redirect could take the client secret elsewhere.
        answer = self._connected().request(
            method, url, timeout=self._timeout, allow_redirects=False, stream=True, **content
        )
        read_whole(answer, seconds=self._timeout)
        if answer.status_code != 200 and answer.status_code not in _REFUSALS:
            raise requests.exceptions.HTTPError
        answer.encoding = "utf-8"
        # msal would log an answer that is none, tokens and all.
        if not isinstance(answer.json(), dict):
            raise requests.exceptions.InvalidJSONError
        return answer

    def _connected(self) -> requests.Session:
        """One session for all threads: it is never changed after this, and its connection pool has its own locks.

        Cookies would change it, and would be one user's, sent with the next one's requests.
        """
        with self._lock:
            if self._session is None:
                import requests

                from shared_core.signin.connections import Adapter

                session = requests.Session()
                session.mount("https://", Adapter())
                session.trust_env = False  # or REQUESTS_CA_BUNDLE beats `verify`, and .netrc our credentials
                session.verify = self._ca_file or True
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                self._session = session
            return self._session


def _metadata_of(answer: requests.Response, *, fetched: datetime) -> Metadata:
    answer.raise_for_status()
    said = answer.json()
    addresses = [said["issuer"], said["jwks_uri"], said["authorization_endpoint"]]
    optional = [said.get("userinfo_endpoint"), said.get("end_session_endpoint")]
    # A template, as {tenantid}, is the issuer of nobody.
    if "{" in said["issuer"] or not all(url.startswith("https://") for url in (*addresses, *filter(None, optional))):
        raise ValueError("not addresses")
    issuer, jwks_uri, _ = addresses
    userinfo_endpoint, end_session_endpoint = optional
    return Metadata(issuer, jwks_uri, userinfo_endpoint, end_session_endpoint, answer=answer, fetched=fetched)
