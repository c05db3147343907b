"""An OpenID provider over TLS on loopback that demands all it may: PKCE, nonce, exact addresses, codes used once.

Its protocol is Authlib's; what it is told to get wrong (`forging`, `answering`), it gets wrong on purpose.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from contract_tests.suite.provider_endpoints import serve
from contract_tests.suite.provider_protocol import SCOPES, silence_authlib


@dataclass
class _Code:
    """An authorisation code, and what it was given out for."""

    account: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    family: str = field(default_factory=lambda: secrets.token_hex(8))
    auth_time: int = field(default_factory=lambda: int(time.time()))
    used: bool = False

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class _Token:
    """An access token with its refresh token; all that come from one sign-in are one family."""

    account: str
    scope: str
    family: str
    access_token: str
    refresh_token: str | None
    expires_at: float
    revoked: bool = False
    rotated: bool = False

    def check_client(self, client: Any) -> bool:
        return client is not None

    def get_scope(self) -> str:
        return self.scope


class Provider:
    """An OpenID provider with one client and every account; entering the context starts it, leaving it ends it.

    Account `ada` is subject sub-ada, named Ada, with ada@contoso.example. `redirect_uri` and `more` are the only
    addresses that it sends anyone to. `folder` holds its certificate authority.
    """

    client_id = "11112222-bbbb-3333-cccc-4444dddd5555"
    client_secret = "A~client.secret+with/signs=&%"

    def __init__(self, redirect_uri: str, *more: str, folder: Path | None = None) -> None:
        self.redirect_uris = (redirect_uri, *more)
        self.requests: list[str] = []
        self.expires_in = 3600
        self.authority = ""
        self._own_folder = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="provider-"))
        self.ca_file = self._folder / "provider-ca.pem"
        self._codes: dict[str, _Code] = {}
        self._tokens: list[_Token] = []
        self._lock = threading.RLock()
        self._forgery: dict[str, Any] | None = None
        self._answers: dict[str, tuple[int, str]] = {}
        self._pauses: dict[str, float] = {}
        self._server: Any = None

    def start(self) -> None:
        """Bind a port and serve it in daemon threads."""
        from joserfc.jwk import RSAKey

        silence_authlib()
        self._new_key: Callable[[], Any] = lambda: RSAKey.generate_key(2048, auto_kid=True)
        self._key = self._new_key()
        self._server = serve(self)
        self.authority = f"https://localhost:{self._server.server_port}/tenant"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End it; a second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            if self._own_folder:
                shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Provider:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def settings(self) -> dict[str, str]:
        """The service's settings to sign in here."""
        return {
            "msal_client_id": self.client_id,
            "msal_client_secret": self.client_secret,
            "msal_authority": self.authority,
            "msal_ca_file": str(self.ca_file),
        }

    def answer(self, url: str, *, account: str | None = "ada") -> str:
        """Where the provider sends a browser that asked for `url` once `account` signs in; None declines.

        Raises ValueError where the provider shows an error instead of its sign-in page.
        """
        with contextlib.closing(_Browser(url, self.ca_file)) as browser:
            status, location, body = browser.send("GET", "")
            if status == 200:
                form = {} if account is None else {"account": account}
                status, location, body = browser.send("POST", urlencode(form))
        if status != 302:
            raise ValueError(f"the provider answers {status}: {body}")
        return location

    @contextlib.contextmanager
    def forging(self, **how: Any) -> Iterator[None]:
        """The ID tokens given out meanwhile are wrong.

        `alg` is RS256, HS256 (with the public key as its secret) or none, `key` "own" or "foreign", `kid` what the
        header says (None: nothing), `token` the whole text (None: no token at all). Everything else is a claim: its
        value, None to leave it out, or a function of the honest value.
        """
        self._forgery = how
        try:
            yield
        finally:
            self._forgery = None

    @contextlib.contextmanager
    def answering(self, path: str, status: int, body: str = "") -> Iterator[None]:
        """Requests to `path`, as "/tenant/token", meanwhile get this and nothing happens; a redirect goes to `body`."""
        self._answers[path] = (status, body)
        try:
            yield
        finally:
            del self._answers[path]

    @contextlib.contextmanager
    def slowly(self, path: str, seconds: float) -> Iterator[None]:
        """Requests to `path` meanwhile wait so long before anything happens."""
        self._pauses[path] = seconds
        try:
            yield
        finally:
            del self._pauses[path]

    def rotate_keys(self) -> None:
        """Sign with a new key from now on, and publish no other."""
        self._key = self._new_key()

    def revoke(self, account: str) -> None:
        """Let the account's tokens be good for nothing."""
        with self._lock:
            for token in self._tokens:
                token.revoked |= token.account == account

    def reset(self) -> None:
        """Forget codes, tokens and requests."""
        with self._lock:
            self._codes.clear()
            self._tokens.clear()
            self.requests.clear()

    # What the endpoints do, below.

    def _metadata(self) -> dict[str, Any]:
        at = self.authority
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "userinfo_endpoint": f"{at}/userinfo",
            "end_session_endpoint": f"{at}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": list(SCOPES),
        }

    def _jwks(self) -> dict[str, Any]:
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig"}]}

    def _claims(self, account: str) -> dict[str, str]:
        return {"sub": f"sub-{account}", "name": account.capitalize(), "email": f"{account}@contoso.example"}

    def _keep_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        with self._lock:
            self._codes[code] = _Code(
                account=request.user,
                redirect_uri=asked["redirect_uri"],
                scope=request.scope,
                nonce=asked["nonce"],
                code_challenge=asked["code_challenge"],
                code_challenge_method=asked["code_challenge_method"],
            )

    def _take_code(self, code: str) -> _Code | None:
        """The code, once. RFC 6749 4.1.2: used again, it takes all that came of it along."""
        with self._lock:
            found = self._codes.get(code)
            if found is None:
                return None
            if found.used:
                self._revoke_family(found.family)
                return None
            found.used = True
            return found

    def _take_refresh_token(self, text: str) -> _Token | None:
        """The live refresh token. RFC 9700 4.14.2: one that was used before takes its family along."""
        with self._lock:
            found = next((token for token in self._tokens if token.refresh_token == text), None)
            if found is None or found.revoked:
                return None
            if found.rotated:
                self._revoke_family(found.family)
                return None
            found.rotated = True
            return found

    def _keep_token(self, token: dict[str, Any], request: Any) -> None:
        origin = request.refresh_token or request.authorization_code
        with self._lock:
            self._tokens.append(
                _Token(
                    account=request.user,
                    scope=token["scope"],
                    family=origin.family,
                    access_token=token["access_token"],
                    refresh_token=token.get("refresh_token"),
                    expires_at=time.time() + token["expires_in"],
                )
            )

    def _revoke_family(self, family: str) -> None:
        for token in self._tokens:
            token.revoked |= token.family == family

    def _bearer(self, header: str) -> _Token | None:
        with self._lock:
            found = (token for token in self._tokens if header == f"Bearer {token.access_token}")
            return next((token for token in found if not token.revoked and time.time() < token.expires_at), None)

    def _id_token(self, claims: dict[str, Any]) -> str | None:
        how = dict(self._forgery or {})
        alg, key, kid = how.pop("alg", "RS256"), how.pop("key", "own"), how.pop("kid", self._key.kid)
        if "token" in how:
            return how["token"]
        for claim, value in how.items():
            claims[claim] = value(claims.get(claim)) if callable(value) else value
        header = {"alg": alg, "kid": kid}
        return _signed(header, claims, self._key if key == "own" else self._new_key())


def _signed(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    """The compact token; by hand, because libraries will not sign as an attacker does."""
    import base64
    import hmac

    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    def encode(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    def without_none(values: dict[str, Any]) -> bytes:
        return json.dumps({name: value for name, value in values.items() if value is not None}).encode()

    text = f"{encode(without_none(header))}.{encode(without_none(claims))}"
    sign = {
        "RS256": lambda: key.private_key.sign(text.encode(), PKCS1v15(), SHA256()),
        "HS256": lambda: hmac.digest(key.as_pem(private=False), text.encode(), "sha256"),
        "none": lambda: b"",
    }
    return f"{text}.{encode(sign[header['alg']]())}"


class _Browser:
    """One window at the sign-in page."""

    def __init__(self, url: str, ca_file: Path) -> None:
        import http.client
        import ssl

        at = urlsplit(url)
        self._target = f"{at.path}?{at.query}"
        context = ssl.create_default_context(cafile=str(ca_file))
        self._connection = http.client.HTTPSConnection(at.hostname or "", at.port, context=context, timeout=10)

    def send(self, method: str, body: str) -> tuple[int, str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        self._connection.request(method, self._target, body or None, headers)
        response = self._connection.getresponse()
        return response.status, response.getheader("Location", ""), response.read().decode()

    def close(self) -> None:
        self._connection.close()
