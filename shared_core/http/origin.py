"""Whether a request comes from another site: one verdict for both apps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# RFC 9110 section 9.2.1: these change nothing, wherever they come from.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FROM_HERE = frozenset({"same-origin", "none"})
CROSS_SITE = "Requests from other sites' pages may change nothing here."
DEFAULT_PORTS = {"http": 80, "https": 443}
SERIALIZED = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]*)?")


def is_cross_site(
    method: str, *, sec_fetch_site: str | None, origin: str | None, home: str, friends: Iterable[str] = ()
) -> bool:
    """Whether a browser sends an unsafe request for a page of an origin that is neither `home`, the service's own, nor
    one of its `friends`, whose pages may use it (CORS).

    Every browser sends Sec-Fetch-Site to https, and Origin with unsafe methods; pages can forge neither (Fetch
    standard, forbidden request-headers). A client that sends neither is no browser, and carries no one's cookies but
    its own.
    """
    if method.upper() in SAFE_METHODS or sec_fetch_site in FROM_HERE:
        return False
    if origin is None:
        return sec_fetch_site is not None
    return _origin(origin) not in {_origin(each) for each in (home, *friends)}


def is_as_browsers_send_it(origin: str) -> bool:
    """Whether it is an origin of a page as an Origin header has it: in lower case, without its scheme's own port."""
    found = _origin(origin)
    if found is None or not SERIALIZED.fullmatch(origin):
        return False
    scheme, _, port = found
    return port != DEFAULT_PORTS[scheme] or not origin.endswith(f":{port}")


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """A scheme, a host and a port (RFC 6454); None for what has none, such as `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.scheme and parts.hostname else None
