"""The CPU that processes of others have used, in seconds, to the nanosecond; Linux tells it."""

from __future__ import annotations

import time

from contract_tests.live.resilience.processes import group_of

# linux/posix-timers: a process's clock id is its number, inverted, beside CPUCLOCK_SCHED.
_SCHED = 2


def cpu_of(pid: int) -> float:
    """The CPU of a process and its children, since each began."""
    return sum(time.clock_gettime((~each << 3) | _SCHED) for each in group_of(pid))
