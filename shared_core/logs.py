"""What the service logs of itself: never a value, a path or a header that a client sent."""

from __future__ import annotations

import logging
import traceback

logger = logging.getLogger("service")


def configure(level: str) -> None:
    """Log to stderr from `level` on; a handler that someone else installed is left as it is."""
    logger.setLevel(level)
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


def log_failure(error: BaseException) -> None:
    """Log an unhandled error by its type and where it came from.

    Its message stays out: databases and parsers put the values they were given into theirs.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    logger.error("unhandled %s at %s", type(error).__qualname__, places)
