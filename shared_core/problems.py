"""Error -> status and RFC 9457 problem body: the only such table, for both apps."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shared_core import errors

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[errors.ServiceError], int] = {
    errors.Malformed: 400,
    errors.SignInFailed: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Changed: 412,
    errors.TooLarge: 413,
    errors.OutOfRange: 416,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.NotConfigured: 501,
    errors.Unavailable: 503,
}

# Titles are HTTP's own phrases (RFC 9110 section 15), written out: the standard library renames them between versions.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}

DETAILS = {
    400: "The request could not be understood.",
    401: "Sign in first.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This method is not allowed here.",
    409: "The request clashes with what is already there.",
    413: "The request body is too large.",
    415: "The request body is not declared as a media type that is taken here.",
    422: "The request does not fit.",
    429: "Asked too often; try again later.",
    500: "The server failed to answer this request.",
    501: "This installation does not offer this.",
    503: "The service cannot answer just now; try again soon.",
}

RETRY_AFTER_SECONDS = 1

# RFC 9110 section 11.6.1 asks a challenge of every 401.
CHALLENGE = 'Cookie realm="Service"'


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem detail (RFC 9457). `type` is always about:blank, so `title` is the status's own phrase."""

    status: int
    detail: str
    violations: tuple[errors.Violation, ...] = ()
    retry_after: int = RETRY_AFTER_SECONDS
    size: int = 0

    @property
    def title(self) -> str:
        return TITLES.get(self.status, "Error")

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers that belong to the problem itself (RFC 9110 sections 10.2.3, 11.6.1 and 15.5.17)."""
        if self.status == 416:
            return (("Content-Range", f"bytes */{self.size}"),)
        if self.status == 401:
            return (("WWW-Authenticate", CHALLENGE),)
        return (("Retry-After", str(self.retry_after)),) if self.status in {429, 503} else ()

    def body(self) -> bytes:
        members: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.violations:
            members["errors"] = [violation._asdict() for violation in self.violations]
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def of_error(error: errors.ServiceError) -> Problem:
    """The problem that a business error becomes."""
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    return Problem(
        status,
        error.detail,
        violations=getattr(error, "violations", ()),
        retry_after=getattr(error, "retry_after", RETRY_AFTER_SECONDS),
        size=getattr(error, "size", 0),
    )


def of_status(status: int) -> Problem:
    """The problem for a refusal that the framework itself makes: no such route, wrong method, too large ..."""
    return Problem(status, DETAILS.get(status, "The request was refused."))
