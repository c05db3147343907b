"""What gunicorn itself logs, without what a client sent."""

from __future__ import annotations

import logging
import re

# gunicorn's messages quote the method, the line or the field that they are about.
QUOTED = re.compile(r"['\"].*", re.DOTALL)
REFUSED, FAILED = "Invalid request from ip=", "Error handling request"


class WithoutQuotes(logging.Filter):
    """Cuts a message off where it begins to quote the request; of a failure it leaves the type."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = str(record.msg)
        if message.startswith(REFUSED):
            record.msg, record.args = QUOTED.sub("(not shown)", message), ()
        elif message.startswith(FAILED):
            record.msg, record.args = FAILED, ()
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[0].__name__}", ()
            record.exc_info = record.exc_text = None
        return True


WITHOUT_QUOTES = WithoutQuotes()


def quiet_server_log() -> None:
    """Let gunicorn log no part of a request; other servers are not touched. A second call changes nothing."""
    logging.getLogger("gunicorn.error").addFilter(WITHOUT_QUOTES)
