"""What came of each request: one JSON line, and the metrics, with the same fields and labels from both apps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from shared_core.http.forwarded import Client
from shared_core.metrics import Metrics

logger = logging.getLogger("access")

# What stands for a method that a client made up.
OTHER = "OTHER"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
# The route of a request that no handler was asked for.
NO_ROUTE = "-"


class Access(msgspec.Struct, frozen=True):
    """One answered request. Nothing in it is a client's own text, but an id that is fit to be shown.

    `time` is that of the answer's end, `route` the template of the handler that was asked, `bytes` those of the body
    that the app gave to the server. `broken`: the answer did not come to its end.
    """

    time: datetime
    request_id: str
    client: str
    method: str
    route: str
    status: int
    seconds: float
    bytes: int
    scheme: str
    broken: bool

    def line(self) -> str:
        """The access as one line of JSON; `broken` is there only where it is true."""
        fields: dict[str, object] = {
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "request_id": self.request_id,
            "client": self.client,
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "seconds": round(self.seconds, 6),
            "bytes": self.bytes,
            "scheme": self.scheme,
        }
        if self.broken:
            fields["broken"] = True
        return msgspec.json.encode(fields).decode()


class Exchange:
    """One request and what is seen of its answer; `route` is set where a handler is asked."""

    __slots__ = ("_began", "_bytes", "_client", "_ended", "_log", "_method", "_request_id", "_status", "route")

    def __init__(self, log: AccessLog, *, request_id: str, client: Client, method: str) -> None:
        self._log = log
        self._request_id = request_id
        self._client = client
        self._method = known_method(method)
        self.route = NO_ROUTE
        # Where no answer begins, the server gives this one.
        self._status = 500
        self._bytes = 0
        self._ended = False
        self._began = time.perf_counter()

    def start(self, status: int) -> None:
        """The head of the answer."""
        self._status = status

    def send(self, size: int) -> None:
        """Bytes of the body."""
        self._bytes += size

    def end(self, *, broken: bool) -> None:
        """The end of the answer; only the first one counts."""
        if not self._ended:
            self._ended = True
            access = Access(
                time=self._log.clock(),
                request_id=self._request_id,
                client=self._client.address,
                method=self._method,
                route=self.route,
                status=self._status,
                seconds=time.perf_counter() - self._began,
                bytes=self._bytes if has_content(self._method, self._status) else 0,
                scheme=self._client.scheme,
                broken=broken,
            )
            self._log.write(access)


class AccessLog:
    """Writes and counts what came of each request, under the name of the app that answers.

    `lines` says whether there are lines; the metrics always are.
    """

    def __init__(self, app: str, *, metrics: Metrics, clock: Callable[[], datetime], lines: bool) -> None:
        self.clock = clock
        self._counts = metrics.of(app)
        self._lines = lines

    def begin(self, *, request_id: str, client: Client, method: str) -> Exchange:
        """Note a request that arrives."""
        self._counts.begin()
        return Exchange(self, request_id=request_id, client=client, method=method)

    def write(self, access: Access) -> None:
        self._counts.end(method=access.method, route=access.route, status=access.status, seconds=access.seconds)
        if self._lines and logger.isEnabledFor(logging.INFO):
            # info() would look through the stack for who calls, and take longer for it than for the line.
            logger.handle(logger.makeRecord(logger.name, logging.INFO, __name__, 0, access.line(), (), None))


def known_method(method: str) -> str:
    """A method that anyone would know, in upper case, as both apps route it; OTHER for what a client made up."""
    method = method.upper()
    return method if method in METHODS else OTHER


def has_content(method: str, status: int) -> bool:
    """Whether a body goes out after this head (RFC 9110 section 6.4.1): servers drop one that may not."""
    return method != "HEAD" and status >= 200 and status not in {204, 304}
