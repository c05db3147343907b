"""What the service logs of itself: never a value, a path or a header that a client sent."""

from __future__ import annotations

import logging
import traceback
from contextvars import ContextVar

logger = logging.getLogger("service")

# The request that is being answered, for log lines alone. A line such as "the database cannot answer" is written deep
# in the core, by functions that know of no request and are called at start-up, too: handing it down to each of them
# would put it into every signature. The apps' outermost pieces set it, each request in a context of its own.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


def name_request(record: logging.LogRecord) -> bool:
    """A logging filter that lets everything pass, and notes for which request it was."""
    record.request_id = request_id.get()
    return True


logger.addFilter(name_request)


def configure(level: str, *, access: bool) -> None:
    """Log to stderr: the service from `level` on, the access log as it is; others' handlers are left as they are."""
    logger.setLevel(level)
    _to_stderr(logger, "%(asctime)s %(levelname)s %(request_id)s %(message)s")
    lines = logging.getLogger("access")
    lines.setLevel(logging.INFO)
    if access:
        _to_stderr(lines, "%(message)s")


def _to_stderr(logger: logging.Logger, form: str) -> None:
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(form))
        logger.addHandler(handler)
        logger.propagate = False


def log_failure(error: BaseException) -> None:
    """Log an unhandled error by its type and where it came from.

    Its message stays out: databases and parsers put the values they were given into theirs.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    logger.error("unhandled %s at %s", type(error).__qualname__, places)
