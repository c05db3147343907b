"""The values everything else in the engine speaks of: a request, its outcome, a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]

ENDLESS = 10**18
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire.

    `target` is the raw origin-form (path and query, percent-encoded, never normalised);
    `headers` are pairs in order, repeated names stay apart. `spelling` names another way to write it on a
    connection, one of drivers/spellings.py; only a server on a plain socket can be sent that.
    """

    method: str
    target: bytes
    headers: Headers = ()
    body: bytes = b""
    spelling: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """What a request led to: a response, or a failure.

    With `failure` set ("refused", "timeout", "reset" or "truncated") the request got no whole
    response: `status` is 0 unless a head arrived, `body` holds what did.
    `exception` is the application's own unhandled one where the driver could see it; it is
    told to people and takes no part in comparison. `connection` is how a request with a spelling left the
    connection, and which further answers came on it.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    failure: str | None = None
    exception: BaseException | None = field(default=None, compare=False)
    connection: str = ""

    def header(self, name: str) -> bytes | None:
        """The first value of a header, by its name in any case; None where it is absent."""
        wanted = name.lower().encode("latin-1")
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def length_of(digits: bytes) -> int:
    """The number that a Content-Length of digits alone stands for; one beyond all bodies is as good as ENDLESS."""
    # Python makes no number of thousands of digits, and what an app sends must not raise here.
    plain = digits.lstrip(b"0")
    return ENDLESS if len(plain) > _DIGITS else int(plain or b"0")


class Target(Protocol):
    """An app under contract. Closing it ends what it started, and only that."""

    @property
    def name(self) -> str:
        """Who answers: the app's class, or an address and its Server header."""

    def send(self, request: Request) -> Response:
        """Send one request and read its outcome whole. Never raises for what the app does."""

    def reset(self) -> None:
        """Rewind the target's world to its beginning; does nothing where that is not possible."""

    def close(self) -> None:
        """End the lifespan, the connections and the threads of this target."""

    def __enter__(self) -> Target: ...

    def __exit__(self, *exc: object) -> None: ...
