"""Watches one event loop from a thread of its own: a step that holds the loop up is seen while it does."""

from __future__ import annotations

import asyncio
import gc
import selectors
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_MACHINERY = (str(Path(asyncio.__file__).parent), selectors.__file__)

# A thread that holds the interpreter's lock in one C call runs for nearly all the time that the watch is shut out.
_HELD = 0.8

Reading = tuple[float, float, float, float]


@dataclass(slots=True)
class Held:
    """One step of the loop that takes long: seconds so far, and `seen`, what `look` made of its frames (else None).

    `collected` is how many of the seconds the garbage collector took; `late` says that the frames could be read only
    when the step let go of the interpreter's lock.
    """

    step: object
    seconds: float = 0.0
    collected: float = 0.0
    seen: object = None
    late: bool = False

    def add(self, seconds: float, collected: float) -> None:
        self.seconds += seconds
        self.collected += collected


class Heartbeat:
    """Asks the loop for a sign of life, again and again, and looks at what runs while none comes.

    A step is one callback, or one run of a task up to its next `await` that waits. `look(frames, task)`, innermost
    first, is called in the watch's thread while a step is past `threshold` seconds, and `report` once it has ended.
    What does not count: a loop that waits, time in which this very thread was held up as well (a suspended process, a
    crowd of busy threads), and, on Linux, time in which the loop's thread was ready and had no processor.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        threshold: float,
        look: Callable[[list[FrameType], asyncio.Task[Any] | None], object],
        report: Callable[[Held], None],
    ) -> None:
        self._loop = loop
        self._threshold = threshold
        self._tick = max(threshold / 10, 0.002)
        self._look = look
        self._report = report
        self._held = Held(None)
        self._beaten = threading.Event()
        self._stopped = threading.Event()
        self._collections = Collections()
        self._base: FrameType | None = None
        self._times: ThreadTimes | None = None
        self._last: Reading | None = None
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin the watch, from within a task on the loop: the step that calls this is watched already."""
        task = asyncio.current_task(self._loop)
        self._note(getattr(task.get_coro(), "cr_frame", None) if task else None)
        gc.callbacks.append(self._collections)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; a step that is being held is reported as long as it has got."""
        self._stopped.set()
        self._thread.join()
        gc.callbacks.remove(self._collections)
        self._base = None

    def _watch(self) -> None:
        # Of a loop that is closed there is nothing more to see.
        with suppress(RuntimeError):
            while not self._stopped.is_set():
                self._beaten.clear()
                self._loop.call_soon_threadsafe(self._beat)
                while not self._pass(self._beaten) and not self._stopped.is_set():
                    pass
                self._pass(self._stopped)
        self._end()

    def _beat(self) -> None:
        self._note(sys._getframe())
        self._beaten.set()

    def _note(self, outermost: FrameType | None) -> None:
        """On the loop: which thread runs it, and below which frame a step, of which this is the outermost, begins."""
        if outermost is None:
            return
        frame = outermost.f_back
        while frame is not None and _is_machinery(frame) and frame.f_code.co_name in ("_run", "_run_once"):
            frame = frame.f_back
        self._base = frame
        ident = threading.get_ident()
        if self._times is None or self._times.ident != ident:
            self._last = None
            self._times = ThreadTimes(ident, threading.get_native_id(), self._collections)

    def _pass(self, event: threading.Event) -> bool:
        """Wait a tick for an event, and count what passed for the step that the loop is at."""
        happened = event.wait(self._tick)
        times, last = self._times, self._last
        if times is None:
            return happened
        now = self._last = times.read()
        if last is None:
            return happened
        elapsed, used, waited, collected = (after - before for after, before in zip(now, last, strict=True))
        elapsed = max(elapsed - waited, 0.0)
        in_c = elapsed > 2 * self._tick and used > _HELD * elapsed
        if not in_c:
            elapsed = min(elapsed, 2 * self._tick)
        self._count(elapsed, collected, in_c=in_c, over=happened and event is self._beaten)
        return happened

    def _count(self, elapsed: float, collected: float, *, in_c: bool, over: bool) -> None:
        held_in_c = in_c and elapsed > self._threshold
        if over and not held_in_c:
            self._held.add(elapsed, collected)
            self._end()
            return
        frames = self._frames()
        step = self._step(frames)
        if step != self._held.step:
            self._end()
            self._held = Held(step)
        held = self._held
        held.add(elapsed, collected)
        if held.seen is None and (step is not None or held_in_c) and held.seconds > self._threshold:
            held.seen, held.late = self._look(frames, asyncio.current_task(self._loop)), held_in_c
        if over or step is None:
            self._end()

    def _end(self) -> None:
        held, self._held = self._held, Held(None)
        if held.seen is not None:
            self._report(held)

    def _frames(self) -> list[FrameType]:
        """The frames of the step that the loop is at, innermost first; none while it waits."""
        times, base = self._times, self._base
        frame = sys._current_frames().get(times.ident) if times else None
        frames: list[FrameType] = []
        while frame is not None and frame is not base:
            frames.append(frame)
            frame = frame.f_back
        if frame is not base or all(_is_machinery(each) for each in frames):
            return []
        return frames

    def _step(self, frames: list[FrameType]) -> object:
        """What is the same as long as a step lasts: while a heartbeat is waited for, no task has two."""
        if not frames:
            return None
        outermost = next(frame for frame in reversed(frames) if not _is_machinery(frame))
        return id(asyncio.current_task(self._loop)), id(outermost)


class Collections:
    """How long each thread has been collecting garbage, in seconds; a member of gc.callbacks."""

    def __init__(self) -> None:
        self.spent: dict[int, float] = {}
        self._began = 0.0

    def __call__(self, phase: str, _: object) -> None:
        if phase == "start":
            self._began = time.monotonic()
        elif self._began:
            ident = threading.get_ident()
            self.spent[ident] = self.spent.get(ident, 0.0) + time.monotonic() - self._began


class ThreadTimes:
    """What a thread has spent, in seconds: the time, its processor's, waiting for one (Linux), collecting garbage."""

    def __init__(self, ident: int, native_id: int, collections: Collections) -> None:
        self.ident = ident
        self._collections = collections
        self._clock = time.pthread_getcpuclockid(ident) if hasattr(time, "pthread_getcpuclockid") else None
        self._waits: Path | None = Path(f"/proc/self/task/{native_id}/schedstat")

    def read(self) -> Reading:
        # Reading a file lets other threads run, so it comes first: the rest is of one moment.
        waited, used = self._waited(), 0.0
        if self._clock is not None:
            # A thread that has ended uses no more.
            with suppress(OSError):
                used = time.clock_gettime(self._clock)
        return time.monotonic(), used, waited, self._collections.spent.get(self.ident, 0.0)

    def _waited(self) -> float:
        if self._waits is not None:
            try:
                return int(self._waits.read_bytes().split()[1]) / 1e9
            except (OSError, ValueError, IndexError):
                self._waits = None
        return 0.0


def _is_machinery(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_MACHINERY)
