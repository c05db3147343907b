"""What pages of other origins may do here, as a browser is told it (Fetch standard, CORS protocol): one policy for both
apps. The original hands it to Flask-CORS, the port answers by cors_headers(), which says what Flask-CORS says."""

from __future__ import annotations

from collections.abc import Collection

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
ALLOWED_HEADERS = ("Content-Type", "X-Request-ID")
EXPOSED_HEADERS = ("Location", "Retry-After", "X-Request-ID")
MAX_AGE_SECONDS = 600


def cors_headers(
    method: str,
    *,
    origins: Collection[str],
    origin: str | None,
    asked_method: str | None,
    asked_headers: str | None,
    asked_network: str | None,
) -> tuple[tuple[str, str], ...]:
    """The headers for a request of a page of `origin`: none but for one of `origins`, which are in lower case.

    The rest are the request's Access-Control-Request-Method, -Headers and -Private-Network. A response varies by
    Origin whatever comes of this, which is the caller's to say.
    """
    if not origin or origin.lower() not in origins:
        return ()
    headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", ", ".join(EXPOSED_HEADERS)),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    if asked_network == "true":
        headers.append(("Access-Control-Allow-Private-Network", "false"))
    if method.upper() == "OPTIONS" and asked_method:
        headers += _preflight_headers(asked_method, asked_headers or "")
    return tuple(headers)


def _preflight_headers(asked_method: str, asked_headers: str) -> list[tuple[str, str]]:
    methods = ", ".join(METHODS)
    # Flask-CORS looks for the method in this text, not in a list: the browser compares it once more, and exactly.
    if asked_method.upper() not in methods:
        return []
    allowed = {name.casefold() for name in ALLOWED_HEADERS}
    names = sorted(name for each in asked_headers.split(",") if (name := each.strip()).casefold() in allowed)
    headers = [("Access-Control-Allow-Headers", ", ".join(names))] if names else []
    return [*headers, ("Access-Control-Max-Age", str(MAX_AGE_SECONDS)), ("Access-Control-Allow-Methods", methods)]
