"""What the business refuses, in its own words; which HTTP status each becomes is said in problems.py alone.

ServiceError
├── Malformed      the body cannot be read at all
├── Invalid        it can be read, and does not fit
├── NotSignedIn    only someone who is signed in may ask
├── NotAllowed     it is known who asks, and they may not
├── NotFound       there is no such thing
├── Conflict       it clashes with what is there
├── Changed        it is not what the request is about any more
├── OutOfRange     it has no such part
├── TooLarge       more is sent than is taken
├── TooMany        asked too often; it says when to ask again
├── SignInFailed   what came back from the sign-in provider proves nobody
├── NotConfigured  this installation does not offer it
└── Unavailable    a part the answer needs does not answer in time
    └── NotMigrated    the database has another schema than this version needs
"""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """One reason why a request does not fit; `pointer` is a JSON Pointer (RFC 6901) into {"query", "body"}."""

    pointer: str
    detail: str
    type: str


class ServiceError(Exception):
    """A business error. `detail` is a sentence for the client and never holds what the client sent."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(ServiceError):
    """The body is not well-formed JSON."""


class Invalid(ServiceError):
    """The request can be read but does not fit; `violations` says where and why."""

    def __init__(self, detail: str, *, violations: tuple[Violation, ...]) -> None:
        super().__init__(detail)
        self.violations = violations


class NotSignedIn(ServiceError):
    """Only someone who is signed in may ask this."""


class NotAllowed(ServiceError):
    """It is known who asks, or from where, and they may not."""


class NotFound(ServiceError):
    """There is no such thing."""


class Conflict(ServiceError):
    """The request clashes with what is already there."""


class Changed(ServiceError):
    """The request is about another state of the thing than it is in."""


class OutOfRange(ServiceError):
    """The thing has no such part; `size` is how many bytes it has."""

    def __init__(self, detail: str, *, size: int) -> None:
        super().__init__(detail)
        self.size = size


class TooLarge(ServiceError):
    """More is sent than is taken."""


class TooMany(ServiceError):
    """Asked too often; `retry_after` is how many whole seconds to wait."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SignInFailed(ServiceError):
    """What came back from the sign-in provider proves nobody."""


class NotConfigured(ServiceError):
    """This installation does not offer it."""


class Unavailable(ServiceError):
    """A part that the answer needs does not answer in time; the same request may succeed later."""


class NotMigrated(Unavailable):
    """The database has another schema than this version needs; once an operator migrates it, the request succeeds."""
