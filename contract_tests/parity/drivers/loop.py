"""The event loop of an ASGI application: started once, fed from any thread, and ended with nothing left running."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from contract_tests.parity.drivers.cycle import Cycle
from contract_tests.parity.drivers.errors import LifespanError, SettleError
from contract_tests.parity.drivers.lifespan import Lifespan
from contract_tests.parity.messages import Request, Response

if TYPE_CHECKING:
    from contract_tests.parity.drivers.interface import ASGIApp

_T = TypeVar("_T")

PATIENCE = 10.0


class AppLoop:
    """One application on one loop in one daemon thread, with its lifespan and the requests it is at."""

    def __init__(self, app: ASGIApp, *, timeout: float) -> None:
        self._app = app
        self._timeout = timeout
        self._lifespan = Lifespan(app)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="parity-asgi", daemon=True)

    def start(self) -> None:
        """Start the loop and the lifespan; raises LifespanError where the application's startup fails."""
        self._thread.start()
        self._ready.wait()
        self._within(self._lifespan.startup(), "startup")

    def send(self, request: Request) -> Response:
        """Hand one request to the application and wait until its response is complete."""
        cycle = Cycle(self._app, request, self._lifespan.state.copy())
        # An empty context, as a server's loop has: nothing of the caller's reaches the application.
        self._loop.call_soon_threadsafe(self._begin, cycle, context=Context())
        try:
            return cycle.outcome.result(self._timeout)
        except TimeoutError:
            self._loop.call_soon_threadsafe(cycle.cancel)
            return Response(0, failure="timeout")

    def settle(self) -> None:
        """Wait for what the application still does for requests that are answered.

        Raises SettleError, after cancelling it, where that takes longer than PATIENCE seconds.
        """
        late = self._run(self._settled()) if self._tasks else 0
        if late:
            raise SettleError(f"the application was still at work {PATIENCE:g} s after its response")

    def stop(self) -> None:
        """Let the requests end, then the lifespan, then the loop and its thread."""
        try:
            self._run(self._settled())
            self._within(self._lifespan.shutdown(), "shutdown")
        finally:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _live(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        self._ready.set()
        await self._stopping.wait()

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _within(self, phase: Coroutine[Any, Any, None], name: str) -> None:
        try:
            self._run(asyncio.wait_for(phase, self._timeout))
        except TimeoutError:
            raise LifespanError(f"the application's {name} did not end within {self._timeout:g} s") from None

    def _begin(self, cycle: Cycle) -> None:
        task = self._loop.create_task(cycle.run())
        cycle.cancel = task.cancel
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settled(self) -> int:
        """Wait for the running tasks; cancel those that do not end, and tell their number."""
        if not self._tasks:
            return 0
        late = (await asyncio.wait(set(self._tasks), timeout=PATIENCE))[1]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=PATIENCE)
        return len(late)
