"""The protocol of the tests' OpenID provider: Authlib's authorization server, with its demands turned up."""

from __future__ import annotations

import logging
import time
from typing import Any

SCOPES = ("openid", "profile", "email", "offline_access")


def silence_authlib() -> None:
    # It runs in the tests' own process, where a leak that is not the service's would look like one.
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("authlib"):
            logging.getLogger(name).disabled = True


def authorization_server(app: Any, provider: Any) -> Any:
    """Authlib's authorization server, with its demands turned up."""
    import hmac

    from authlib.integrations.flask_oauth2 import AuthorizationServer
    from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError
    from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core.grants import OpenIDCode

    silence_authlib()

    class Client(ClientMixin):
        def get_client_id(self) -> str:
            return provider.client_id

        def get_default_redirect_uri(self) -> None:
            return None

        def get_allowed_scope(self, scope: str) -> str:
            return " ".join(name for name in (scope or "").split() if name in SCOPES)

        def check_redirect_uri(self, redirect_uri: str) -> bool:
            return redirect_uri in provider.redirect_uris

        def check_client_secret(self, client_secret: str) -> bool:
            return hmac.compare_digest(client_secret.encode(), provider.client_secret.encode())

        def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
            return method in ("client_secret_basic", "client_secret_post")

        def check_response_type(self, response_type: str) -> bool:
            return response_type == "code"

        def check_grant_type(self, grant_type: str) -> bool:
            return grant_type in ("authorization_code", "refresh_token")

    class CodeGrant(AuthorizationCodeGrant):
        def save_authorization_code(self, code: str, request: Any) -> None:
            provider._keep_code(code, request)

        def query_authorization_code(self, code: str, _client: Any) -> Any:
            return provider._take_code(code)

        def delete_authorization_code(self, authorization_code: Any) -> None:
            pass  # kept as used, to know it again

        def authenticate_user(self, authorization_code: Any) -> str:
            return authorization_code.account

    class Refresh(RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> Any:
            return provider._take_refresh_token(refresh_token)

        def authenticate_user(self, refresh_token: Any) -> str:
            return refresh_token.account

        def revoke_old_credential(self, refresh_token: Any) -> None:
            pass  # marked as it was taken

    class Challenge(CodeChallenge):
        """PKCE for confidential clients too, whom Authlib lets off, and by S256 alone."""

        SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

        def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
            asked = grant.request.payload.data
            if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
                raise InvalidRequestError("PKCE with S256 is required.")
            super().validate_code_challenge(grant, redirect_uri)

    class IdTokens(OpenIDCode):
        def exists_nonce(self, nonce: str, _request: Any) -> bool:
            with provider._lock:
                return any(code.nonce == nonce for code in provider._codes.values())

        def process_token(self, grant: Any, response: Any) -> Any:
            token, asked = response[1], grant.request
            now = int(time.time())
            claims = {"iss": provider.authority, "aud": provider.client_id, "iat": now, "exp": now + 3600}
            if asked.authorization_code:
                claims |= self.get_authorization_code_claims(asked.authorization_code)
            id_token = provider._id_token({**claims, **provider._claims(asked.user)})
            if "openid" in token["scope"].split() and id_token is not None:
                token["id_token"] = id_token
            return token

    client = Client()
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == provider.client_id else None,
        save_token=provider._keep_token,
    )
    make = server._token_generators["default"]
    server.register_token_generator("default", lambda **how: make(**{**how, "expires_in": provider.expires_in}))
    ids = IdTokens(require_nonce=True)
    server.register_grant(CodeGrant, [ids, Challenge(required=True)])
    server.register_grant(
        Refresh, [lambda grant: grant.register_hook("after_create_token_response", ids.process_token)]
    )
    return server
