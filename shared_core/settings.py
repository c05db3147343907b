"""The only reader of the environment: the same settings, unprefixed, for both apps."""

from __future__ import annotations

import sys
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import SplitResult, urlsplit

import limits
import sqlalchemy as sa
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared_core.http.forwarded import Proxies
from shared_core.http.origin import is_as_browsers_send_it

EMBEDDED_DATABASE_URL = "sqlite:///var/service.sqlite3"
EMBEDDED_SESSION_STORE = "sqlite:///var/sessions.sqlite3"
EMBEDDED_RATE_LIMIT_STORE = "sqlite:///var/limits.sqlite3"

# OWASP's least cost for Argon2id with one lane.
LEAST_PASSWORD_MEMORY_KIB = 19 * 1024
LEAST_PASSWORD_TIME_COST = 2


# As long as a cookie may last in a browser.
MOST_SECONDS = 400 * 24 * 3600

# Ten years; browsers ask for one or two.
MOST_HSTS_SECONDS = 10 * 365 * 24 * 3600

# More is no limit.
MOST_REQUESTS = 10**9


class Limit(NamedTuple):
    """At most so many in so many seconds."""

    most: int
    seconds: int


class SettingsError(ValueError):
    """A setting has a wrong value; the message is one line and names the setting, never its value."""


class Settings(BaseSettings):
    """Everything that can be set, read from the environment and from a file `.env` in the working directory."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    app_env: Literal["development", "production"] = "development"
    database_url: SecretStr = SecretStr(EMBEDDED_DATABASE_URL)
    threads: Annotated[int, Field(ge=1, le=1000)] = 16
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 16
    pool_timeout: Annotated[float, Field(gt=0, le=60)] = 3.0
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 1 << 20
    upload_dir: str = "var/uploads"
    max_upload_bytes: Annotated[int, Field(ge=1024, le=1 << 34)] = 10 << 20
    public_base_url: str = "http://localhost:8000"
    trusted_proxies: str = ""
    hsts_seconds: Annotated[int, Field(ge=0, le=MOST_HSTS_SECONDS)] = 365 * 24 * 3600
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    access_log: bool = True
    metrics_dir: str = ""
    session_store: SecretStr = SecretStr(EMBEDDED_SESSION_STORE)
    session_key_prefix: Annotated[str, Field(max_length=100)] = "session:"
    session_seconds: Annotated[int, Field(ge=600, le=MOST_SECONDS)] = 14 * 24 * 3600
    login_seconds: Annotated[int, Field(ge=600, le=MOST_SECONDS)] = 30 * 24 * 3600
    sign_in_attempts: Annotated[int, Field(ge=1, le=1000)] = 10
    sign_in_window_seconds: Annotated[int, Field(ge=1, le=24 * 3600)] = 300
    cors_origins: Annotated[str, Field(max_length=10_000)] = ""
    rate_limit: Annotated[str, Field(max_length=100)] = ""
    rate_limit_store: SecretStr = SecretStr(EMBEDDED_RATE_LIMIT_STORE)
    rate_limit_key_prefix: Annotated[str, Field(min_length=1, max_length=100)] = "limits"
    msal_client_id: str = ""
    msal_client_secret: SecretStr = SecretStr("")
    msal_authority: str = ""
    msal_ca_file: str = ""
    password_time_cost: Annotated[int, Field(ge=1, le=20)] = LEAST_PASSWORD_TIME_COST
    password_memory_kib: Annotated[int, Field(ge=8, le=1 << 21)] = LEAST_PASSWORD_MEMORY_KIB

    @property
    def embedded(self) -> bool:
        """Whether the database is the one that needs no setting up."""
        return self.database_url.get_secret_value() == EMBEDDED_DATABASE_URL

    @property
    def https(self) -> bool:
        """Whether clients reach the service over TLS, here or at a proxy before it."""
        return self.public_base_url.startswith("https://")

    @cached_property
    def proxies(self) -> Proxies:
        """Whose word on clients' addresses and scheme is taken."""
        return Proxies.parse(self.trusted_proxies)

    @property
    def login_lifetime(self) -> timedelta:
        """How long a sign-in lasts at the most, however much it is used."""
        return timedelta(seconds=self.login_seconds)

    @property
    def sign_in_limit(self) -> Limit:
        return Limit(self.sign_in_attempts, self.sign_in_window_seconds)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may use the service, as browsers send them."""
        return tuple(each.strip() for each in self.cors_origins.split(",") if each.strip())

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _supported_database(cls, value: SecretStr) -> SecretStr:
        scheme, found, rest = value.get_secret_value().partition("://")
        if not found or scheme not in {"sqlite", "postgres", "postgresql", "postgresql+psycopg"}:
            raise ValueError("should begin with sqlite:/// or postgresql://")
        if scheme == "sqlite" and not rest.removeprefix("/"):
            raise ValueError("should name a file, as in sqlite:///var/service.sqlite3")
        if ":memory:" in rest:
            raise ValueError("should name a file: each connection would have a memory of its own")
        try:
            sa.make_url(value.get_secret_value())
        except (ValueError, sa.exc.ArgumentError):
            raise ValueError("is no database URL") from None
        return value if scheme == "sqlite" else SecretStr(f"postgresql+psycopg://{rest}")

    @field_validator("session_store", "rate_limit_store")
    @classmethod
    def _supported_store(cls, value: SecretStr) -> SecretStr:
        scheme, found, rest = value.get_secret_value().partition("://")
        if not found or scheme not in {"sqlite", "redis", "rediss"}:
            raise ValueError("should begin with sqlite:///, redis:// or rediss://")
        if scheme == "sqlite" and (not rest.removeprefix("/") or ":memory:" in rest):
            raise ValueError("should name a file, as in sqlite:///var/sessions.sqlite3")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        try:
            Proxies.parse(value)
        except ValueError:
            raise ValueError("should be addresses and networks between commas, as in 10.0.0.0/8,::1") from None
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: str) -> str:
        if not all(is_as_browsers_send_it(each.strip()) for each in value.split(",") if each.strip()):
            raise ValueError("should be origins as browsers send them, as in https://app.example,http://localhost:3000")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _one_limit(cls, value: str) -> str:
        told = value.strip()
        try:
            (found,) = limits.parse_many(told) if told else (None,)
        except ValueError:  # no limit, or more than one
            raise ValueError("should be one limit, as in 600/minute, or empty for none") from None
        if found and not (1 <= found.amount <= MOST_REQUESTS and 1 <= found.get_expiry() <= MOST_SECONDS):
            raise ValueError("should let something through, and last 400 days at the most")
        return told

    @field_validator("msal_authority")
    @classmethod
    def _issuer(cls, value: str) -> str:
        url = urlsplit(value)
        if value and not (url.scheme == "https" and url.hostname and url.path.strip("/") and _has_fit_port(url)):
            raise ValueError("should be https with a tenant, as in https://login.microsoftonline.com/TENANT/v2.0")
        return value.rstrip("/")

    @field_validator("public_base_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        url = urlsplit(value)
        rest = (url.path.rstrip("/"), url.query, url.fragment, url.username)
        if url.scheme not in {"http", "https"} or not url.hostname or any(rest) or not _has_fit_port(url):
            raise ValueError("should be a scheme and a host, as in https://api.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _all_of_msal_or_none(self) -> Self:
        needed = {
            "MSAL_CLIENT_ID": self.msal_client_id,
            "MSAL_CLIENT_SECRET": self.msal_client_secret.get_secret_value(),
            "MSAL_AUTHORITY": self.msal_authority,
        }
        missing = [name for name, value in needed.items() if not value]
        if missing and len(missing) < len(needed):
            raise ValueError(f"{missing[0]} must be set where the other MSAL settings are")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.app_env == "production":
            for name, insecure in self._insecure():
                if insecure:
                    raise ValueError(f"{name} is not fit for APP_ENV=production: {insecure}")
        return self

    def _insecure(self) -> list[tuple[str, str]]:
        cheap = "cheaper than OWASP's least cost for Argon2id"
        return [
            ("DATABASE_URL", "it must be set" if self.embedded else ""),
            (
                "SESSION_STORE",
                "it must be set" if self.session_store.get_secret_value() == EMBEDDED_SESSION_STORE else "",
            ),
            ("PUBLIC_BASE_URL", "" if self.public_base_url.startswith("https://") else "it must be https"),
            ("CORS_ORIGINS", "they must be https" if "http:" in self.cors_origins else ""),
            ("PASSWORD_TIME_COST", cheap if self.password_time_cost < LEAST_PASSWORD_TIME_COST else ""),
            ("PASSWORD_MEMORY_KIB", cheap if self.password_memory_kib < LEAST_PASSWORD_MEMORY_KIB else ""),
        ]


def _has_fit_port(url: SplitResult) -> bool:
    try:
        return url.port != 0
    except ValueError:
        return False


def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_told(found) for found in error.errors())) from None


def main() -> None:
    """`python -m shared_core.settings NAME` prints one setting, for a server that is told it on its command line."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"The service cannot start: {error}")
    sys.stdout.write(f"{getattr(settings, sys.argv[1])}\n")


def _told(error: Any) -> str:
    name = "_".join(str(part) for part in error["loc"]).upper()
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


if __name__ == "__main__":
    main()
