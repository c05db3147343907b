"""The id of a request: the client's own where it can be taken as it is, else one that is made."""

from __future__ import annotations

import re
from collections.abc import Callable

HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def choose_request_id(given: str | None, *, make: Callable[[], str]) -> str:
    """The id that the client gave, if it is fit for a header and a log line; else one from `make`."""
    return given if given is not None and FIT.fullmatch(given) else make()
