"""What replaying stored cases costs beside a loop written by hand over the same requests, in process.

`python -m contract_tests.live.bench.replay` prints the ratio of the two, and how long 5000 cases take, for two apps.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from contract_tests.live.bench.specimens import smallest
from contract_tests.parity import wsgi
from contract_tests.parity.cases import Case
from contract_tests.parity.checking import Check
from contract_tests.parity.ledger import Ledger
from contract_tests.parity.messages import Request
from contract_tests.parity.watching import Watched
from contract_tests.suite.world import settings
from shared_core.database import make_engine
from shared_core.migrations import migrate

CASES, ROUNDS, WHOLE = 500, 5, 5000


def cases(count: int, path: str) -> list[Case]:
    """Stored cases of one request each."""
    headers = ((b"Host", b"localhost"), (b"Accept", b"application/json"))
    targets = (f"{path}?number={at}".encode() for at in range(count))
    return [Case(f"case {at}", (Request("GET", target, headers),)) for at, target in enumerate(targets)]


def by_hand(app: Any, stored: list[Case]) -> None:
    """The loop that one would write: call both apps, read both bodies, compare status, headers and bytes."""
    for case in stored:
        request = case.steps[0]
        if called(app, request) != called(app, request):
            raise AssertionError(case.name)


def called(app: Any, request: Request) -> tuple[Any, ...]:
    """One WSGI call by hand."""
    path, _, query = request.target.decode().partition("?")
    environ = {
        "REQUEST_METHOD": request.method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query,
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(request.body), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        **{f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in request.headers},
    }  # fmt: skip
    head: list[Any] = []
    answer = app(environ, lambda status, headers, *_: head.extend((status, headers)))
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return head[0], head[1], body


def replayed(app: Any, stored: list[Case]) -> None:
    """The same requests through the engine, with everything that a check does."""
    with Watched(lambda: wsgi(app), 10) as original, Watched(lambda: wsgi(app), 10) as port:
        check = Check(original, port, Ledger.empty(), own_ids=False, rewinds=False)
        check.run(stored)
        if check.found or check.result.down:
            raise AssertionError("an app differs from itself")


def seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """The harshest measure, an app that does nothing; and one that reads its database."""
    told("the smallest app, no work at all", smallest.make_flask(), "/healthz")
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(database_url=f"sqlite:///{folder}/service.sqlite3")
        engine = make_engine(chosen)
        migrate(engine)
        rows = smallest.Rows(chosen)
        for at in range(smallest.LIMIT):
            rows.create(smallest.NewUser(name="Ada", email=f"ada{at}@example.com", password="Lovelace-1815"))
        told("the smallest app, a list of 20 rows", smallest.make_flask(chosen), "/users")
        rows.engine.dispose()
        engine.dispose()


def told(name: str, app: Any, path: str) -> None:
    """Print the two figures for an app."""
    stored = cases(CASES, path)
    ratios = []
    for _ in range(ROUNDS):
        hand = seconds(lambda: by_hand(app, stored))
        ratios.append(hand / seconds(lambda: replayed(app, stored)))
    whole = seconds(lambda: replayed(app, cases(WHOLE, path)))
    sys.stdout.write(f"{name}: replay at {median(ratios):.2f} of a loop by hand ({ROUNDS} rounds of {CASES}, CPU)\n")
    sys.stdout.write(f"{name}: {WHOLE} cases in {whole:.1f} s of CPU\n")


if __name__ == "__main__":
    main()
