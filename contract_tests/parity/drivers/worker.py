"""A call with a bound on its time is made on another thread, and left there where it does not end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Worker(Generic[_T]):
    """A daemon thread that makes the calls of one sender, one after the other; it ends when the worker is dropped."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], _T] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[_T | None, BaseException | None]] = SimpleQueue()
        # The thread knows the queues alone, so that it keeps no worker alive.
        arguments = (self._calls, self._outcomes)
        self._thread = threading.Thread(target=_live, args=arguments, name="parity-wsgi", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is there: a process that was forked has none."""
        return self._thread.is_alive()

    def call(self, function: Callable[[], _T], timeout: float) -> _T:
        """What a function returns, or raises. Raises Late where it does not end in time."""
        self._calls.put(function)
        try:
            outcome, error = self._outcomes.get(timeout=timeout)
        except Empty:
            raise Late from None
        if error is not None:
            raise error
        return outcome  # type: ignore[return-value]

    def __del__(self) -> None:
        self._calls.put(None)


class Late(Exception):
    """A call did not end in time: its worker is still at it, and must not be used again."""


def _live(
    calls: SimpleQueue[Callable[[], _T] | None], outcomes: SimpleQueue[tuple[_T | None, BaseException | None]]
) -> None:
    while (function := calls.get()) is not None:
        try:
            outcome: tuple[_T | None, BaseException | None] = (function(), None)
        except BaseException as error:
            outcome = (None, error)
        # What the call holds must not live until the next.
        del function
        outcomes.put(outcome)
        del outcome
