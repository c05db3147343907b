"""What stands between the naive port and the real one, in the order in which a team would close it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A piece: what it closes, in one sentence, and where the real port has it."""

    name: str
    closes: str
    homes: tuple[str, ...]


STEPS = (
    Step(
        "error problems",
        "Error bodies are FastAPI's own, and a 422 gives back what was sent, password included.",
        ("fastapi_app/errors.py", "fastapi_app/wire/failures.py"),
    ),
    Step(
        "convertors",
        "A path whose id is none is 422 or another 404, where Flask has no such path.",
        ("fastapi_app/inputs.py",),
    ),
    Step(
        "Routing",
        "HEAD and OPTIONS are 405, Allow is not whole, and slashes too many or too few are 307 or 404.",
        ("fastapi_app/wire/routing.py", "fastapi_app/wire/redirects.py"),
    ),
    Step(
        "Route",
        "Unreadable JSON is 422, any media type is JSON, values are coerced, the last of repeated keys counts.",
        ("fastapi_app/wire/bodies.py", "fastapi_app/wire/query.py", "shared_core/schemas.py"),
    ),
    Step("BodyLimit", "A body may be of any size.", ("fastapi_app/wire/limits.py",)),
    Step(
        "DrainBody",
        "An answer that comes before the body is read makes the connection useless, or resets it.",
        ("fastapi_app/wire/draining.py",),
    ),
    Step(
        "RefuseHeads",
        "The server has not gunicorn's limits of a head: 431, 414, 417 and its 400s.",
        ("fastapi_app/wire/heads.py",),
    ),
    Step(
        "sessions",
        "The session is in the cookie itself, and neither app knows who is signed in on the other.",
        ("fastapi_app/sessions.py", "shared_core/sessions"),
    ),
    Step(
        "cross-site",
        "The before_request that refuses other sites' pages was not ported.",
        ("fastapi_app/middleware.py", "shared_core/http/origin.py"),
    ),
    Step(
        "cors",
        "Preflights are answered before the app is asked, and with 400; errors have no CORS headers.",
        ("fastapi_app/middleware.py", "shared_core/http/cors.py"),
    ),
    Step(
        "rate limit",
        "A 429 does not say when to ask again, and an unhandled error not where the client stands.",
        ("fastapi_app/middleware.py", "shared_core/rates"),
    ),
    Step(
        "request ids and access log",
        "Any text is taken for an id, an unhandled error has none, and /metrics counts nothing.",
        ("fastapi_app/access.py", "shared_core/access.py"),
    ),
    Step(
        "proxies",
        "The client is whoever the server says, not whom the trusted proxies tell.",
        ("fastapi_app/access.py", "shared_core/http/forwarded.py"),
    ),
    Step(
        "outputs",
        "Redirects are 307, which sends a form's POST again, and keys come in the models' order.",
        ("fastapi_app/outputs.py",),
    ),
    Step(
        "files",
        "A download is never 304, ranges and names are Starlette's, times pydantic's, a failed stream ends well.",
        ("fastapi_app/files.py", "shared_core/http/conditional.py", "shared_core/http/disposition.py"),
    ),
    Step(
        "docs",
        "The document is FastAPI's own, and its page loads from elsewhere.",
        ("fastapi_app/docs.py", "fastapi_app/openapi.py"),
    ),
)

NAMES = tuple(step.name for step in STEPS)
