"""Which security headers an answer has: one policy for both apps, each kind of answer written out beforehand.

Sources: OWASP's REST Security Cheat Sheet; Fetch (nosniff); CSP Level 3; RFC 6797 (HSTS); RFC 9111 section 5.2.2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Generic, TypeVar

Field = TypeVar("Field")

# Answers are for programs. A browser that is made to show one as a page loads, runs and submits nothing for it.
DATA = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# The docs page: its own files and no inline script or style; Swagger UI's style sheet has pictures in data: URLs.
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CONTENT_POLICIES = {"/docs": PAGE}

ALWAYS = (
    # No browser guesses another type than the one that is told.
    ("X-Content-Type-Options", "nosniff"),
    # Paths hold ids, and the way back from a sign-in a code.
    ("Referrer-Policy", "no-referrer"),
)
NO_STORE = ("Cache-Control", "no-store")

# What is true at this moment alone, or for who asks from this address.
MOMENTARY = frozenset({"/healthz", "/readyz", "/metrics"})


def must_not_be_stored(path: str, status: int, *, says_itself: bool, vary: str) -> bool:
    """Whether no cache may keep an answer, unless it has a Cache-Control of its own: then it says that itself.

    So it is with what depends on who asks, which it tells by varying by Cookie (whatever sets a session's cookie does),
    with every error (a cache may keep a 404 or 501 by its own rules, RFC 9110 section 15.1), and with what is true at
    this moment alone.
    """
    if says_itself:
        return False
    return status >= 400 or "cookie" in vary.lower() or path in MOMENTARY


class SecurityHeaders(Generic[Field]):
    """The headers of each kind of answer, as an app's server takes them: `write` makes a field of a name and a value.

    `hsts_seconds` is how long a browser that came by https asks this host by nothing else; 0 ends that.
    """

    def __init__(self, *, hsts_seconds: int, write: Callable[[str, str], Field]) -> None:
        hsts = ("Strict-Transport-Security", f"max-age={hsts_seconds}")
        self._fields: dict[tuple[str, bool, bool], tuple[Field, ...]] = {}
        for policy, by_https, unstored in product({DATA, *CONTENT_POLICIES.values()}, (False, True), (False, True)):
            headers = [*ALWAYS, ("Content-Security-Policy", policy)]
            headers += [hsts] if by_https else []
            headers += [NO_STORE] if unstored else []
            self._fields[policy, by_https, unstored] = tuple(write(*header) for header in headers)

    def fields(self, path: str, *, scheme: str, unstored: bool) -> tuple[Field, ...]:
        """The fields to add to an answer to a request for `path`; `scheme` is the client's own, as proxies tell it."""
        return self._fields[CONTENT_POLICIES.get(path, DATA), scheme == "https", unstored]
