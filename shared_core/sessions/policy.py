"""How sessions are kept: one value that configures Flask-Session and the port's middleware alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal, Self

Format = Literal["msgpack", "json"]

# What Flask-Session can be told that would change the cookie or the stored bytes in a way that is not kept here.
UNKEPT = {"SESSION_USE_SIGNER": "ids in cookies are not signed here: deprecated in Flask-Session 0.8"}


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The cookie's name and attributes, how long a session lasts unused, and how it is stored.

    The defaults are those of Flask 3.1 and Flask-Session 0.8. `hardened_deletion` gives the cookie that deletes the
    attributes of the one that sets: browsers ignore a deletion of a `__Host-` cookie without Secure, and Flask-Session
    sends it so.
    """

    cookie_name: str = "session"
    lifetime: timedelta = timedelta(days=31)
    permanent: bool = True
    refresh_each_request: bool = True
    domain: str | None = None
    path: str = "/"
    secure: bool = False
    http_only: bool = True
    same_site: Literal["Strict", "Lax", "None"] | None = None
    hardened_deletion: bool = False
    key_prefix: str = "session:"
    id_bytes: int = 32
    format: Format = "msgpack"

    @property
    def lifetime_seconds(self) -> int:
        """Whole seconds, as Flask-Session tells its stores."""
        return int(self.lifetime.total_seconds())

    def flask_config(self) -> dict[str, Any]:
        """The same policy as Flask's and Flask-Session's configuration, without the choice of a store."""
        return {
            "SESSION_COOKIE_NAME": self.cookie_name,
            "SESSION_COOKIE_DOMAIN": self.domain,
            "SESSION_COOKIE_PATH": self.path,
            "SESSION_COOKIE_SECURE": self.secure,
            "SESSION_COOKIE_HTTPONLY": self.http_only,
            "SESSION_COOKIE_SAMESITE": self.same_site,
            "SESSION_KEY_PREFIX": self.key_prefix,
            "SESSION_ID_LENGTH": self.id_bytes,
            "SESSION_PERMANENT": self.permanent,
            "SESSION_REFRESH_EACH_REQUEST": self.refresh_each_request,
            "SESSION_SERIALIZATION_FORMAT": self.format,
            "PERMANENT_SESSION_LIFETIME": self.lifetime,
        }

    @classmethod
    def of_flask(cls, config: Mapping[str, Any], *, hardened_deletion: bool = False) -> Self:
        """The policy of a Flask app's `app.config`. Raises ValueError for what cannot be kept."""
        for name, why in UNKEPT.items():
            if config.get(name):
                raise ValueError(f"{name}: {why}")
        default = cls()
        lifetime = config.get("PERMANENT_SESSION_LIFETIME", default.lifetime)
        same_site = config.get("SESSION_COOKIE_SAMESITE")
        return cls(
            cookie_name=config.get("SESSION_COOKIE_NAME", default.cookie_name),
            lifetime=lifetime if isinstance(lifetime, timedelta) else timedelta(seconds=lifetime),
            permanent=config.get("SESSION_PERMANENT", default.permanent),
            refresh_each_request=config.get("SESSION_REFRESH_EACH_REQUEST", default.refresh_each_request),
            domain=config.get("SESSION_COOKIE_DOMAIN") or None,
            path=config.get("SESSION_COOKIE_PATH") or config.get("APPLICATION_ROOT") or default.path,
            secure=config.get("SESSION_COOKIE_SECURE", default.secure),
            http_only=config.get("SESSION_COOKIE_HTTPONLY", default.http_only),
            same_site=same_site.title() if same_site else None,
            hardened_deletion=hardened_deletion,
            key_prefix=config.get("SESSION_KEY_PREFIX", default.key_prefix),
            id_bytes=config.get("SESSION_ID_LENGTH", default.id_bytes),
            format=config.get("SESSION_SERIALIZATION_FORMAT", default.format),
        )

    def cookie(self, id: str, *, now: datetime, permanent: bool) -> str:
        """The Set-Cookie value for a session: Werkzeug's attributes in Werkzeug's order, and no Max-Age."""
        expires = format_datetime(now + self.lifetime, usegmt=True) if permanent else None
        return self._cookie(id, (("Expires", expires), *self._guards, *self._place))

    def deletion(self) -> str:
        """The Set-Cookie value that makes a client forget the session."""
        guards = self._guards if self.hardened_deletion else ()
        place = self._place if self.hardened_deletion else (("Path", self.path), ("SameSite", None))
        return self._cookie("", (("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Max-Age", "0"), *guards, *place))

    @property
    def _guards(self) -> tuple[tuple[str, bool], ...]:
        return (("Secure", self.secure), ("HttpOnly", self.http_only))

    @property
    def _place(self) -> tuple[tuple[str, str | None], ...]:
        return (("Path", self.path), ("SameSite", self.same_site))

    def _cookie(self, value: str, attributes: tuple[tuple[str, str | bool | None], ...]) -> str:
        parts = [f"{self.cookie_name}={value}"]
        for name, given in (("Domain", self.domain and self.domain.partition(":")[0].lstrip(".")), *attributes):
            if given is True:
                parts.append(name)
            elif given:
                parts.append(f"{name}={given}")
        return "; ".join(parts)
