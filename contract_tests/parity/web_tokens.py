"""JSON Web Tokens of two sides have a text each, and yet may differ only in when they were issued, and in ids."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from .declared import OPAQUE, Declared
from .identities import Identities, Verdict, is_integer, may_be_opaque
from .signed_values import SignedValue
from .time_class import TimeClass, alike

_JWT = re.compile(r"(eyJ[\w-]+)\.(eyJ[\w-]+)\.[\w-]*")
# Moments (RFC 7519, and OpenID Connect): those of one side may lie so many seconds from those of the other.
_MOMENTS = ("iat", "nbf", "auth_time", "updated_at")
_WINDOW = 2.0
# What counts whole seconds gives one text for two logins of one second: the other side's second may have ended.
_TICK = 1.0
_LATEST = 1e15
# Smaller numbers of seconds, of before 2020, are more likely something counted.
_RECENT = 1_577_836_800
_TOKEN_ID = "jti"
# A subject is a person (RFC 7519, 4.1.2), whom apps call so.
_SUBJECT = frozenset({"sub", "identity", "uid"})
_PERSONS = ("user", "account", "member", "person", "customer")


@dataclass(frozen=True, slots=True)
class WebToken:
    """What a token says: its header, and its claims."""

    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def of(cls, text: str) -> WebToken | None:
        """Read a token; None for any other text."""
        found = _JWT.fullmatch(text)
        if found is None:
            return None
        try:
            header, claims = (
                json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in found.groups()
            )
        except (ValueError, RecursionError):
            return None
        return cls(header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None

    def moment(self, name: str) -> float | None:
        """Seconds since the epoch of a claim; None where there is none."""
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LATEST:
            return None
        return float(value)

    @property
    def lifetime(self) -> float | None:
        """Seconds from the token's issue to its end."""
        begin, end = self.moment("iat"), self.moment("exp")
        return None if begin is None or end is None else end - begin


class Claims:
    """Compares what two tokens say, by the ids that are declared and known."""

    def __init__(self, declared: Declared, identities: Identities) -> None:
        self._declared, self._identities = declared, identities

    def verdict(self, original: WebToken, port: WebToken) -> Verdict:
        """What is wrong with each side's token; no claim's value is told, for a token is a secret."""
        try:
            return (
                self._times(original, port)
                or self._values("header", original.header, port.header)
                or self._said(original, port)
            )
        except RecursionError:
            return "a token whose claims lie too deep to be compared", "another one"

    def signed(self, original: SignedValue, port: SignedValue) -> Verdict:
        """What is wrong with each side's signed value, such as a session in a cookie; no content is told."""
        apart = original.moment - port.moment
        if abs(apart) > _WINDOW:
            early, late = f"a value signed {abs(apart)} s earlier", "a value signed later"
            return (early, late) if apart < 0 else (late, early)
        ours, theirs = original.content, port.content
        try:
            if isinstance(ours, dict) and isinstance(theirs, dict):
                return self._values("member", ours, theirs)
            return None if self._are_alike("", ours, theirs) else ("signed content", "other content")
        except RecursionError:
            return "signed content that lies too deep to be compared", "other content"

    @staticmethod
    def _times(original: WebToken, port: WebToken) -> Verdict:
        ours, theirs = original.lifetime, port.lifetime
        if ours is not None and theirs is not None and abs(ours - theirs) > _WINDOW:
            return f"a token that lives {ours:.0f} s", f"a token that lives {theirs:.0f} s"
        # Without a time of issue the end itself is the moment.
        for name in (*_MOMENTS, *(("exp",) if ours is None or theirs is None else ())):
            one, other = original.moment(name), port.moment(name)
            if one is not None and other is not None and abs(one - other) > _WINDOW:
                early, late = f"a token with {name} {abs(one - other):.0f} s earlier", f"a token with a later {name}"
                return (early, late) if one < other else (late, early)
        return None

    def _said(self, original: WebToken, port: WebToken) -> Verdict:
        # Moments that both have were compared.
        timed = {name for name in ("exp", *_MOMENTS) if None not in (original.moment(name), port.moment(name))}
        ours, theirs = (
            {name: value for name, value in each.claims.items() if name not in timed} for each in (original, port)
        )
        if _TOKEN_ID in ours and _TOKEN_ID in theirs:
            one, other = str(ours.pop(_TOKEN_ID)), str(theirs.pop(_TOKEN_ID))
            ids = self._identities.kind("claim jti")
            ids.ordered = False
            if ids.meet(one, other, birth=True) is not None:
                return "a token with a jti of its own", "a token with another's jti"
        return self._values("claim", ours, theirs)

    def _values(self, what: str, original: dict[str, Any], port: dict[str, Any]) -> Verdict:
        for name in (*original, *(name for name in port if name not in original)):
            if name not in port:
                return f"a token with the {what} {name}", "a token without it"
            if name not in original:
                return "a token without it", f"a token with the {what} {name}"
            if not self._are_alike(name, original[name], port[name]):
                return f"a token's {what} {name}", f"another {name}"
        return None

    def _are_alike(self, name: str, original: object, port: object) -> bool:
        """Whether two claims are equal or ids that are partners, also deep within."""
        if isinstance(original, dict) and isinstance(port, dict):
            return original.keys() == port.keys() and all(
                self._are_alike(key, original[key], port[key]) for key in original
            )
        if isinstance(original, list) and isinstance(port, list):
            return len(original) == len(port) and all(
                self._are_alike(name, *pair) for pair in zip(original, port, strict=True)
            )
        if type(original) is not type(port):
            return False
        if _are_of_now(original, port):
            return True
        if isinstance(original, bool) or not isinstance(original, (str, int)):
            return original == port
        ours, theirs = str(original), str(port)
        if self._names_id(name) and is_integer(ours) and is_integer(theirs):
            return self._are_partners(name, ours, theirs)
        if ours == theirs:
            return True
        opaque = isinstance(original, str) and may_be_opaque(ours, theirs)
        return opaque and self._identities.opaque.meet(ours, theirs, birth=True) is None

    def _names_id(self, name: str) -> bool:
        declared = self._declared
        return declared.integers and (name in _SUBJECT or declared.kind(name, "") not in (None, OPAQUE))

    def _are_partners(self, name: str, original: str, port: str) -> bool:
        """Whether two integers are one id: its own kind says so, else they are met here and stay partners as claims."""
        names = _PERSONS if name in _SUBJECT else (self._declared.kind(name, "") or name,)
        for kind in map(self._identities.kind, names):
            if original in kind.to_port or port in kind.to_original:
                return kind.to_port.get(original) == port
        claimed = self._identities.kind(f"claim {name}")
        claimed.ordered = False
        return claimed.meet(original, port, birth=True) is None


def _are_of_now(original: object, port: object) -> bool:
    """Whether two values are times of two clocks: of one form, together, and of these years as seconds or text."""
    if isinstance(original, bool) or not isinstance(original, (int, float, str)):
        return False
    ours, theirs = (TimeClass().moment(str(value)) for value in (original, port))
    if ours is None or theirs is None or min(ours, theirs) < _RECENT:
        return False
    return alike(TimeClass(), str(original), TimeClass(), str(port))


def is_tick(original: WebToken, port: WebToken) -> bool:
    """Whether one side may have issued the same text twice only because both times fell into one second."""
    if _TOKEN_ID in original.claims or _TOKEN_ID in port.claims:
        return False
    moments = [(original.moment(name), port.moment(name)) for name in ("iat", "exp")]
    told = [abs(one - other) for one, other in moments if one is not None and other is not None]
    return bool(told) and max(told) <= _TICK
