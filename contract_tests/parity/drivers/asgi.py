"""An ASGI application lives on one event loop in one thread, as long as its target does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from contract_tests.parity.drivers import framing
from contract_tests.parity.messages import Request, Response

if TYPE_CHECKING:
    from contract_tests.parity.drivers.interface import ASGIApp
    from contract_tests.parity.drivers.loop import AppLoop


def asgi(app: ASGIApp, *, reset: Callable[[], None] | None = None, timeout: float = 60.0) -> AsgiTarget:
    """A target for an ASGI 3 application; its lifespan starts with the context, or with the first request.

    `reset` is called by `reset()`; without it the application's world is not rewound. `timeout` is in seconds,
    for a response to be complete and for each half of the lifespan. `send()` may be called from several threads.
    An outcome is returned as soon as the response is complete; what the application does after that (background
    tasks) is awaited before the next `reset()` or `close()`. Raises LifespanError where the lifespan fails, and
    SettleError where a `reset()` waits for it in vain.
    """
    return AsgiTarget(app, reset=reset, timeout=timeout)


class AsgiTarget:
    """An ASGI application under contract."""

    def __init__(self, app: ASGIApp, *, reset: Callable[[], None] | None = None, timeout: float = 60.0) -> None:
        self._app = app
        self._reset = reset
        self._timeout = timeout
        self._lock = threading.Lock()
        self._loop: AppLoop | None = None
        self._closed = False

    @property
    def name(self) -> str:
        return framing.name_of(self._app)

    @property
    def app(self) -> object:
        """The application itself: what it shows of its routes is read from it."""
        return self._app

    def send(self, request: Request) -> Response:
        if framing.split_target(request.target) is None:
            return framing.bad_request(request.method)
        return self._running().send(request)

    def reset(self) -> None:
        if self._loop is not None:
            self._loop.settle()
        if self._reset is not None:
            self._reset()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop()

    def __enter__(self) -> AsgiTarget:
        self._running()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _running(self) -> AppLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the target {self.name} is closed")
            if self._loop is None:
                self._loop = self._start()
            return self._loop

    def _start(self) -> AppLoop:
        # asyncio takes longer to import than all the rest of the drivers.
        from contract_tests.parity.drivers.loop import AppLoop

        loop = AppLoop(self._app, timeout=self._timeout)
        try:
            loop.start()
        except BaseException:
            # The failed start is the error to tell, not what ending it leads to.
            with suppress(Exception):
                loop.stop()
            raise
        return loop
