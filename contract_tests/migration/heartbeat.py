"""Watches one event loop from a thread of its own: a step that holds the loop up is seen while it does."""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_MACHINERY = (str(Path(asyncio.__file__).parent), selectors.__file__)

# So much of what all threads run is one thread's if it alone runs.
_ALONE = 0.8


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
        self._read: ThreadTimes | None = None
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
        for times in {self._times, self._read} - {None}:
            assert times is not None
            times.close()
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
            self._times = ThreadTimes(ident, threading.get_native_id(), self._collections)

    def _pass(self, event: threading.Event) -> bool:
        """Wait a tick for an event, and count what passed for the step that the loop is at."""
        happened = event.wait(self._tick)
        times = self._times
        if times is None:
            return happened
        if times is not self._read:
            if self._read is not None:
                self._read.close()
            self._read, self._last = times, None
        last = self._last
        # First of all, before anything that lets the loop go on.
        step, seen = self._sample(time.monotonic() - last.time if last else 0.0)
        now = self._last = times.read()
        if last is not None:
            self._count(now - last, step, seen, over=happened and event is self._beaten)
        return happened

    def _sample(self, elapsed: float) -> tuple[object, object]:
        """The step that the loop is at, and what can be seen of it if it is past the threshold by now."""
        frames = self._frames()
        step = self._step(frames)
        held = self._held if self._held.step == step else Held(step)
        past = step is not None and held.seen is None and held.seconds + elapsed > self._threshold
        return step, self._look(frames, asyncio.current_task(self._loop)) if past else None

    def _count(self, passed: Reading, step: object, seen: object, *, over: bool) -> None:
        # Who alone runs while this thread is shut out, and not for want of a processor, holds the interpreter's lock.
        alone = passed.used > _ALONE * passed.process
        in_c = max(passed.used - passed.late if alone else 0.0, min(passed.used, passed.collected))
        late = in_c > 2 * self._tick
        seconds = in_c if late else min(max(passed.time - passed.waited, 0.0), 2 * self._tick)
        # Once the loop has come round, what is seen is another step.
        if step != self._held.step and not over:
            self._end()
            self._held = Held(step)
        held = self._held
        held.seconds += seconds
        held.collected += passed.collected
        if held.seen is None and held.step == step and held.seconds > self._threshold:
            held.seen, held.late = seen, late and seconds > self._threshold
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
        self._spent: dict[int, float] = {}
        self._going_on: tuple[int, float] | None = None

    def __call__(self, phase: str, _: object) -> None:
        ident = threading.get_ident()
        spent = self.spent(ident)
        self._going_on = (ident, time.monotonic()) if phase == "start" else None
        self._spent[ident] = spent

    def spent(self, ident: int) -> float:
        """With what goes on just now."""
        going_on = self._going_on
        since = time.monotonic() - going_on[1] if going_on is not None and going_on[0] == ident else 0.0
        return self._spent.get(ident, 0.0) + since


@dataclass(frozen=True, slots=True)
class Reading:
    """Clocks at one moment, in seconds: the time, the processor time that the loop's thread and all threads have used.

    `waited` is how long the loop's thread, and `late` how long the watch's own, was ready and had no processor (Linux);
    `collected` is how long the loop's thread was collecting garbage.
    """

    time: float
    used: float
    process: float
    waited: float
    late: float
    collected: float

    def __sub__(self, other: Reading) -> Reading:
        return Reading(*(one - another for one, another in zip(astuple(self), astuple(other), strict=True)))


class ThreadTimes:
    """The clocks of the loop's thread; `read` is for the watch's thread alone."""

    def __init__(self, ident: int, native_id: int, collections: Collections) -> None:
        self.ident = ident
        self._collections = collections
        self._clock = time.pthread_getcpuclockid(ident) if hasattr(time, "pthread_getcpuclockid") else None
        self._loop = Waiting(f"/proc/self/task/{native_id}/schedstat")
        self._own: Waiting | None = None

    def read(self) -> Reading:
        self._own = self._own or Waiting("/proc/thread-self/schedstat")
        # Of one moment: none of these four lets another thread run.
        now, used, process = time.monotonic(), self._used(), time.process_time()
        collected = self._collections.spent(self.ident)
        return Reading(now, used, process, self._loop.read(), self._own.read(), collected)

    def close(self) -> None:
        self._loop.close()
        if self._own is not None:
            self._own.close()

    def _used(self) -> float:
        if self._clock is not None:
            # A thread that has ended uses no more.
            with suppress(OSError):
                return time.clock_gettime(self._clock)
        return 0.0


class Waiting:
    """How long a thread has been ready and had no processor, in seconds; always 0 where the system does not say."""

    def __init__(self, path: str) -> None:
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open(path, os.O_RDONLY)

    def read(self) -> float:
        # The file of a thread that has ended cannot be read.
        with suppress(OSError, IndexError, ValueError):
            return int(os.pread(self._file, 100, 0).split()[1]) / 1e9 if self._file is not None else 0.0
        return 0.0

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _is_machinery(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_MACHINERY)
