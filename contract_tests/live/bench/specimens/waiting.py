"""A pair that waits in each answer, as an app does for its database: 10 ms, which need no core."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

WAIT = 0.01


def original() -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(WAIT)
        body = environ["PATH_INFO"].encode("latin-1")
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return app


def port() -> Callable[..., Iterable[bytes]]:
    return original()
