"""A call with a bound on its time is made right here, and broken off by a signal: no thread changes hands for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from contract_tests.parity.drivers.worker import Late, Worker

_T = TypeVar("_T")


class _Rings(BaseException):
    """Raised within the call; no Exception, so that no handler of an application takes it for one of its own."""


class Alarm:
    """Makes calls on the main thread. A call in C that heeds no signal is not broken off."""

    def __init__(self) -> None:
        # Once, and not for each call: it costs as much as a small answer.
        signal.signal(signal.SIGALRM, _ring)

    def call(self, function: Callable[[], _T], timeout: float) -> _T:
        """What a function returns, or raises. Raises Late where it does not end in time."""
        signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            return function()
        except _Rings:
            raise Late from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def caller() -> Alarm | Worker[Any]:
    """Who makes bounded calls here: an alarm on the main thread where the system has one, else a thread."""
    on_main = threading.current_thread() is threading.main_thread()
    return Alarm() if on_main and hasattr(signal, "setitimer") else Worker()


def _ring(number: int, frame: FrameType | None) -> None:
    raise _Rings
