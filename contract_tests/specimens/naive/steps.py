"""What stands between the naive port and the real one, in the order in which a team would close it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A piece: what it closes, in one sentence, and where the real port has it."""

    name: str
    closes: str
    home: str


STEPS = (
    Step(
        "error problems",
        "FastAPI's own error bodies, and a 422 that gives back what was sent, password included.",
        "fastapi_app/errors.py, wire/failures.py",
    ),
    Step("convertors", "422 where Flask's URL converter has no such path: 404.", "fastapi_app/inputs.py"),
    Step(
        "Routing",
        "HEAD and OPTIONS, Allow, and slashes too many or too few.",
        "fastapi_app/wire/routing.py, wire/redirects.py",
    ),
    Step(
        "Route",
        "A body that is no JSON, coerced values, repeated query keys, and a body refused before its sender is.",
        "fastapi_app/wire/bodies.py, wire/query.py, shared_core/schemas.py",
    ),
    Step("BodyLimit", "Bodies without end: 413.", "fastapi_app/wire/limits.py"),
    Step(
        "sessions",
        "A session in the cookie itself, which the other app cannot read.",
        "fastapi_app/sessions.py, shared_core/sessions/",
    ),
    Step(
        "cross-site",
        "Requests of other sites' pages, which the original's before_request refuses.",
        "fastapi_app/middleware.py",
    ),
    Step(
        "cors",
        "Preflights answered by Starlette itself, Vary, and errors without these headers.",
        "fastapi_app/middleware.py",
    ),
    Step("rate limit", "429 without Retry-After, and answers that do not tell the count.", "fastapi_app/middleware.py"),
    Step(
        "request ids and access log",
        "Ids of any form, none on an unhandled error, and no counts for /metrics.",
        "fastapi_app/access.py",
    ),
    Step("proxies", "Who asks, where a proxy stands in between.", "fastapi_app/access.py"),
    Step(
        "outputs",
        "307 for 303, and JSON that FastAPI writes by its own rules.",
        "fastapi_app/outputs.py and the handlers of all but files",
    ),
    Step(
        "files",
        "Conditional and range requests, names of files, nosniff, dates, uploads held whole in memory.",
        "fastapi_app/files.py, fastapi_app/inputs.py, shared_core/http/",
    ),
    Step("docs", "FastAPI's own document, and a page that loads from elsewhere.", "fastapi_app/docs.py, openapi.py"),
)

NAMES = tuple(step.name for step in STEPS)
