"""Runs pytest in forked children, each of which begins with everything imported but the tree under test.

A script, started with the tree's own Python and its working directory: it may import nothing of any tree. It reads one
JSON list of test modules a line, and answers one line each: `{"red": first test that failed or null, ...}`. Its
arguments are how many seconds the tests of one line may take, and the modules to import beforehand.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path


class Noting:
    """A pytest plugin that tells the parent which test runs, and which one failed first."""

    def __init__(self, told: int) -> None:
        self.told = told

    def tell(self, **what: object) -> None:
        os.write(self.told, (json.dumps(what) + "\n").encode())

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.tell(running=nodeid)

    def pytest_runtest_logreport(self, report: object) -> None:
        if report.failed:  # type: ignore[attr-defined]
            self.tell(red=report.nodeid)  # type: ignore[attr-defined]

    def pytest_collectreport(self, report: object) -> None:
        if report.failed:  # type: ignore[attr-defined]
            self.tell(red=f"{report.nodeid} (cannot be collected)")  # type: ignore[attr-defined]


def run(modules: list[str], told: int) -> None:
    """In the child: run the modules up to the first failure, and leave the process."""
    os.setsid()
    here = str(Path.cwd())
    # An editable install points at the tree that the Python belongs to, not at this copy of it.
    sys.path[:] = [here, *(path for path in sys.path if not Path(path, "contract_tests").is_dir())]
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    import pytest

    status = 3
    with contextlib.suppress(SystemExit):
        # Plain asserts: what has been imported cannot be rewritten, and nobody reads the message.
        options = ["-x", "-q", "--assert=plain", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:parity"]
        status = pytest.main([*options, *modules], plugins=[Noting(told)])
    os.write(told, (json.dumps({"status": int(status)}) + "\n").encode())
    os._exit(0)


def supervise(child: int, told: int, seconds: float) -> dict[str, object]:
    """What became of a child: the first red test, or what it hung in. Ends the child and all that it started."""
    result: dict[str, object] = {"red": None, "status": None}
    running, rest, until = None, b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(told, selectors.EVENT_READ)
        while selector.select(max(0.0, until - time.monotonic())):
            received = os.read(told, 65536)
            if not received:
                break
            *lines, rest = (rest + received).split(b"\n")
            for line in map(json.loads, lines):
                running = line.get("running", running)
                result["red"] = result["red"] or line.get("red")
                result["status"] = line.get("status", result["status"])
            if result["status"] is not None:
                break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if result["red"] is None and result["status"] is None:
        result["red"] = f"{running or 'the start'} (did not end)"
    elif result["red"] is None and result["status"] == 1:
        result["red"] = "the gate: an answer that the document does not know"
    elif result["red"] is None and result["status"] != 0:
        result["red"] = f"{running or 'the start'} (pytest ended with {result['status']})"
    return result


def main() -> None:
    seconds = float(sys.argv[1])
    for name in sys.argv[2:]:
        # One that this tree does not need may be missing.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        told, telling = os.pipe()
        child = os.fork()
        if not child:
            os.close(told)
            run(json.loads(line), telling)
        os.close(telling)
        try:
            result = supervise(child, told, seconds)
        except KeyboardInterrupt:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            return
        finally:
            os.close(told)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
