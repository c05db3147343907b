"""Progress stands on one line of a terminal while a check runs, and nowhere else."""

from __future__ import annotations

import sys
import time

from contract_tests.parity.cases import Case
from contract_tests.parity.verdict import Run

_EVERY = 0.2


class Progress:
    """A line on standard error, where that is a terminal."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._began = time.monotonic()
        self._next = 0.0
        self._count = 0
        self._shown = sys.stderr.isatty()

    def show(self, case: Case) -> None:
        """Note a case that was run, and show how far it went, a few times a second."""
        self._count += 1
        now = time.monotonic()
        if self._shown and now >= self._next:
            self._next = now + _EVERY
            sys.stderr.write(f"\r\x1b[K{now - self._began:.0f} s, {self._count} cases, {case.source}")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
