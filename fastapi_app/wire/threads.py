"""Threads of an app's own for what blocks: `def` handlers, and the steps of a stream or a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar

import anyio.to_thread
from fastapi import Request
from fastapi.routing import APIRoute

from .query import Handler

Result = TypeVar("Result")


class Threads:
    """At most `count` calls at once, each on a thread, in the context of whoever awaits it.

    | | anyio's `to_thread.run_sync`, as FastAPI uses it | here |
    |---|---|---|
    | CPU of a hop | 65 to 95 us | 21 us (docs/async.md) |
    | a call whose task is cancelled | runs to its end, which is awaited | the same |
    | a call that waits for its turn when its task is cancelled | is dropped | the same |
    | whose threads | all apps of an event loop share them | the app's own |

    No thread is started before the first call, so an app may be made before its server forks. close() waits for calls
    that run; the next call starts threads anew.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, call: Callable[..., Result], *arguments: object) -> Result:
        """What the call gives, or raises."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.count, thread_name_prefix="handler")
        job = self._executor.submit(copy_context().run, call, *arguments)
        waiting = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            # A transaction that runs is not left alone: who cancels waits for it, as with anyio.
            if not job.cancel():
                await _end_of(waiting)
            raise

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(cancel_futures=True)


async def _end_of(waiting: asyncio.Future[Any]) -> None:
    """Wait for a call's end, however often the waiting is cancelled, and whatever the call gives."""
    while not waiting.done():
        try:
            await asyncio.wait([waiting])
        except asyncio.CancelledError:
            continue
    if not waiting.cancelled():
        waiting.exception()  # retrieved, or asyncio would log it


_own: ContextVar[Threads | None] = ContextVar("wire.threads", default=None)


async def run(call: Callable[..., Result], *arguments: object) -> Result:
    """Run what blocks on the threads of the app that answers, or on anyio's where that app has none of its own."""
    threads = _own.get()
    if threads is None:
        return await anyio.to_thread.run_sync(call, *arguments)
    return await threads.run(call, *arguments)


class ThreadRoute(APIRoute):
    """`APIRouter(route_class=ThreadRoute)`: runs `def` handlers on the app's `state.threads`, where there are such.

    A hop costs a third of FastAPI's own. Handlers stay as they are. Combine it with the other routes, as the first:
    `class Route(ThreadRoute, wire.Route): ...`. Drop it when handlers are `async def`.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if _is_awaited(endpoint) else _on_threads(endpoint), **options)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_on_threads(request: Request) -> Any:
            _own.set(getattr(request.app.state, "threads", None))
            return await handle(request)

        return handle_on_threads


def _is_awaited(call: Callable[..., Any]) -> bool:
    """Whether it needs no thread, or is a stream that FastAPI steps through by itself."""
    return any(kind(call) for kind in (iscoroutinefunction, isasyncgenfunction, isgeneratorfunction))


def _on_threads(call: Callable[..., Result]) -> Callable[..., Any]:
    @wraps(call)
    async def called_on_threads(**values: Any) -> Result:
        return await run(partial(call, **values))

    return called_on_threads
