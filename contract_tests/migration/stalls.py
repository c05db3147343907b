"""The watchdog on the loop: every step that holds it up is told once, with the stack that did it."""

from __future__ import annotations

import asyncio
import site
import sys
import sysconfig
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from contract_tests.migration import heartbeat
from contract_tests.migration.heartbeat import Heartbeat, Held

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

Scope = MutableMapping[str, Any]

THRESHOLD = 0.1

_current: ContextVar[Scope] = ContextVar("scope")


@dataclass(frozen=True, slots=True)
class Stall:
    """One step that held the loop up.

    `seconds` is how long, `where` the innermost frame of code that is neither Python's nor installed, `route` the
    method and the route's name as far as they are known, and `stack` the lines of the stack, the outermost first.
    Neither path nor query is in it.
    """

    seconds: float
    where: str
    route: str | None
    stack: tuple[str, ...]

    def __str__(self) -> str:
        """One line, and the stack under it."""
        first = f"stall: {self.seconds:.3f} s in {self.route or 'no request'}, at {self.where}"
        return "\n".join([first, *(f"  {line}" for line in self.stack)])


class Stalls(list[Stall]):
    """What a watch has found so far; `app` is the app to drive."""

    app: ASGIApp


class Watchdog:
    """An ASGI app around another that watches every loop it is called on, from its first call (the lifespan) on.

    It passes everything on unchanged; the whole loop is watched, not only what runs within requests. A step between
    `threshold` and a tenth more may be missed. `report` is called in the watch's thread.
    """

    def __init__(self, app: ASGIApp, *, threshold: float = THRESHOLD, report: Callable[[Stall], None]) -> None:
        self.app = app
        self._threshold = threshold
        self._report = report
        self._lock = threading.Lock()
        self._watches: dict[asyncio.AbstractEventLoop, Heartbeat] = {}
        self._closed = False

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        if loop not in self._watches:
            self._watch(loop)
        token = _current.set(scope)
        try:
            await self.app(scope, receive, send)
        finally:
            _current.reset(token)

    def close(self) -> None:
        """End the watch on every loop."""
        with self._lock:
            self._closed = True
            watches = list(self._watches.values())
        for watch in watches:
            watch.stop()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._closed or loop in self._watches:
                return
            watch = Heartbeat(loop, threshold=self._threshold, look=_seen, report=self._told)
            self._watches[loop] = watch
        watch.start()

    def _told(self, held: Held) -> None:
        assert isinstance(held.seen, Seen)
        self._report(held.seen.stall(held))


@contextmanager
def watch(app: ASGIApp, *, threshold: float = THRESHOLD) -> Iterator[Stalls]:
    """Watch an app in process: drive `stalls.app` inside the context, and find its stalls in `stalls`.

    One that is still going on is there as soon as it has ended, at the latest when the context has.
    """
    stalls = Stalls()
    watchdog = stalls.app = Watchdog(app, threshold=threshold, report=stalls.append)
    try:
        yield stalls
    finally:
        watchdog.close()


def watched(app: ASGIApp, *, threshold: float = THRESHOLD) -> Watchdog:
    """The app for a server's run: each stall is printed on stderr, as one line and its stack."""
    return Watchdog(app, threshold=threshold, report=_print)


def _print(stall: Stall) -> None:
    sys.stderr.write(f"{stall}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the frames of a step say, taken while it runs. Source lines are read later."""

    stack: traceback.StackSummary
    own: tuple[str, int, str]
    route: str | None

    def stall(self, held: Held) -> Stall:
        lines = [line for part in self.stack.format() for line in part.rstrip("\n").split("\n")]
        where = "{}:{} in {}".format(*self.own)
        if held.collected > held.seconds / 2:
            where += " (garbage collection, whoever made it)"
        elif held.late:
            where += " (seen after a call that held the interpreter's lock)"
        return Stall(held.seconds, where, self.route, tuple(lines))


def _seen(frames: list[FrameType], task: asyncio.Task[Any] | None) -> Seen:
    walked = [(frame, frame.f_lineno) for frame in reversed(frames)]
    stack = traceback.StackSummary.extract(iter(walked), lookup_lines=False)
    places = [(_shown(frame.f_code.co_filename), line, frame.f_code.co_qualname) for frame, line in reversed(walked)]
    own = [place for frame, place in zip(frames, places, strict=True) if _is_own(frame.f_code.co_filename)]
    return Seen(stack, (own or places)[0], _route(_scope_of(frames) or _inherited(frames, task)))


def _route(scope: Scope | None) -> str | None:
    """The method and the route's name; lifespan and websocket are told by their type."""
    if scope is None:
        return None
    known = scope.get("route") or scope.get("endpoint")
    name = getattr(known, "name", None) or getattr(known, "__name__", None)
    return " ".join(word for word in (scope.get("method") or scope["type"], name) if isinstance(word, str))


def _scope_of(frames: list[FrameType]) -> Scope | None:
    """The request that a step belongs to, by the name that ASGI gives it; the innermost knows its route."""
    for frame in frames:
        if "scope" in frame.f_code.co_varnames or "scope" in frame.f_code.co_freevars:
            scope = frame.f_locals.get("scope")
            if isinstance(scope, MutableMapping) and isinstance(scope.get("type"), str):
                return scope
    return None


def _inherited(frames: list[FrameType], task: asyncio.Task[Any] | None) -> Scope | None:
    """The request that a task or a callback was made in: its context has it."""
    context: Context | None = None
    if task is not None and sys.version_info >= (3, 12):
        context = task.get_context()
    else:
        # asyncio's Handle.
        selves = (frame.f_locals.get("self") for frame in frames if frame.f_code.co_name == "_run")
        context = next((getattr(handle, "_context", None) for handle in selves), None)
    return context.get(_current) if isinstance(context, Context) else None


_PYTHON = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED = (*_PYTHON, *site.getsitepackages())


def _is_own(filename: str) -> bool:
    if filename in (__file__, heartbeat.__file__):
        return False
    installed = filename.startswith(("<", *(f"{folder}/" for folder in _INSTALLED)))
    return not installed and not {"site-packages", "dist-packages"} & set(Path(filename).parts)


def _shown(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
