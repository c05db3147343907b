"""An ID token proves someone only where signature, issuer, audience, time and nonce fit (OpenID Connect 3.1.3.7)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared_core.errors import SignInFailed

if TYPE_CHECKING:
    from jwt import PyJWK

    Keys = tuple[PyJWK, ...]

UNPROVED = "The ID token of the sign-in provider proves nobody; begin again."

LEEWAY_SECONDS = 60
LONGEST_NAME = 200
LONGEST_EMAIL = 254  # RFC 5321, by way of erratum 1690 to RFC 3696
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. Only issuer and subject together name a person for good.

    Name and email are what the person or their administrator wrote there, may be empty, and prove nothing.
    """

    issuer: str
    subject: str
    name: str
    email: str


def verify(
    token: str, *, key_sets: Iterable[Keys], issuer: str, client_id: str, nonce: str, now: datetime
) -> dict[str, Any]:
    """The claims of `token`, which one of the keys has signed; a later set is looked at only if the ones before fail.

    `nonce` is the flow's, of which the provider was told the SHA-256. Raises SignInFailed.
    """
    claims = _signed_claims(token, key_sets=key_sets, issuer=issuer, client_id=client_id)
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    if claims is None or not _in_time(claims, now.timestamp()) or not _for_us(claims, client_id):
        raise SignInFailed(UNPROVED)
    if not hmac.compare_digest(str(claims["nonce"]).encode(errors="replace"), hashed.encode()):
        raise SignInFailed(UNPROVED)
    if not 0 < len(claims["sub"]) <= LONGEST_SUBJECT or not (claims["sub"].isascii() and claims["sub"].isprintable()):
        raise SignInFailed(UNPROVED)
    return claims


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """The verified claims' identity."""
    return Identity(issuer=claims["iss"], subject=claims["sub"], name=name_of(claims), email=email_of(claims))


def name_of(claims: Mapping[str, Any]) -> str:
    """The first of name, preferred_username, upn and email that says something, cut to its limit; else empty."""
    texts = (_text(claims.get(claim)) for claim in ("name", "preferred_username", "upn", "email"))
    return next(filter(None, texts), "")[:LONGEST_NAME]


def email_of(claims: Mapping[str, Any]) -> str:
    """The first of email, preferred_username and upn that is an address of fitting length; else empty.

    One that is too long is passed over: cut, it would be someone else's.
    """
    texts = (_text(claims.get(claim)) for claim in ("email", "preferred_username", "upn"))
    return next((text for text in texts if "@" in text and len(text) <= LONGEST_EMAIL), "")


def subject_of(token: str) -> str:
    """The subject of an ID token that came straight from the provider, unverified."""
    import jwt

    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def keys_of(jwks: Mapping[str, Any]) -> Keys:
    """The keys of a JWK set (RFC 7517) that can sign RS256. A key of a kind we do not know is passed over."""
    from jwt import PyJWK

    fit = (key for key in jwks["keys"] if key.get("kty") == "RSA" and key.get("use", "sig") == "sig")
    return tuple(PyJWK(key, "RS256") for key in fit)


def _signed_claims(token: str, *, key_sets: Iterable[Keys], issuer: str, client_id: str) -> dict[str, Any] | None:
    import jwt

    try:
        kid = jwt.get_unverified_header(token).get("kid")
        for keys in key_sets:
            for key in _candidates(keys, kid):
                try:
                    return jwt.decode(
                        token,
                        key,
                        algorithms=["RS256"],
                        audience=client_id,
                        issuer=issuer,
                        # PyJWT knows no other clock than the system's.
                        options={
                            "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                            "verify_exp": False,
                            "verify_iat": False,
                            "verify_nbf": False,
                        },
                    )
                except jwt.InvalidSignatureError:
                    continue
    except jwt.PyJWTError:
        pass
    return None


def _candidates(keys: Keys, kid: str | None) -> Keys:
    if kid is None:
        return keys if len(keys) == 1 else ()
    return tuple(key for key in keys if key.key_id == kid)


def _in_time(claims: Mapping[str, Any], now: float) -> bool:
    times = (claims["exp"], claims["iat"], claims.get("nbf", 0))
    if not all(type(time) in (int, float) for time in times):
        return False
    expires, issued, not_before = times
    return bool(issued - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS and not_before - LEEWAY_SECONDS <= now)


def _for_us(claims: Mapping[str, Any], client_id: str) -> bool:
    """Whether the token was issued to us, which its audience alone says only where it names nobody else."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return bool(claims.get("azp", client_id if audience == [client_id] else None) == client_id)


def _text(claim: Any) -> str:
    return "".join(filter(str.isprintable, claim)).strip() if isinstance(claim, str) else ""
