"""Parts of a run side by side, each in a process of its own with servers of its own.

A lane is a function that is called in a fork of this process: what was imported is there. It tells what happens while
it works, and gives a value at its end. Call run_lanes() before this process has threads: a fork takes none along.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

from contract_tests.parity.servers import ServerError

Value = TypeVar("Value")
# Seconds in which an interrupted lane ends its servers.
ENDS_WITHIN = 30.0


class Said(Protocol):
    """Hears what a lane says while it works."""

    def line(self, text: str) -> None:
        """A line for the person who waits."""

    def total(self, count: int) -> None:
        """How many things there are to do; said once or not at all."""

    def advance(self, doing: str, count: int = 1) -> None:
        """So many of them are done; what it is at."""


class LaneError(ServerError):
    """A lane ended without a value, and not by an error of the project's own."""


class LanesInterrupted(KeyboardInterrupt):
    """Ctrl-C; `values` are those that lanes gave nevertheless, by their names."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.values = values


class Spoken:
    """What a lane says goes through a pipe to the process that waits for it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def line(self, text: str) -> None:
        self._pipe.send(("line", text))

    def total(self, count: int) -> None:
        self._pipe.send(("total", count))

    def advance(self, doing: str, count: int = 1) -> None:
        self._pipe.send(("advance", doing, count))


def run_lanes(
    lanes: Mapping[str, Callable[[Said], Value]], heard: Callable[[str], Said], *, forked: bool = True
) -> dict[str, Value]:
    """Call each lane, and give their values by their names; `heard(name)` hears what a lane says.

    A lane that raises ends the others, and its error is raised here. An interrupt is handed to each lane, once, which
    then has time to end its servers. With `forked=False` the lanes are called here, one after another. Raises
    LaneError where a lane dies, LanesInterrupted.
    """
    if not forked:
        return {name: work(heard(name)) for name, work in lanes.items()}
    with _Children(lanes) as children:
        return children.values(heard)


class _Children(Generic[Value]):
    """The processes of some lanes, which end with the context."""

    def __init__(self, lanes: Mapping[str, Callable[[Said], Value]]) -> None:
        self._lanes = lanes
        self._processes: dict[str, Any] = {}
        self._pipes: dict[Connection, str] = {}
        self._signalled = False

    def __enter__(self) -> _Children[Value]:
        context = multiprocessing.get_context("fork")
        # Its writing end is open as long as this process lives: a lane that reads its end is alone, and ends.
        self._reading, self._writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        for name, work in self._lanes.items():
            pipe, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(work, theirs, self._reading, self._writing), name=name)
            process.start()
            theirs.close()
            self._processes[name] = process
            self._pipes[pipe] = name
        self._before = signal.signal(signal.SIGTERM, self._end_and_be_ended)
        return self

    def values(self, heard: Callable[[str], Said]) -> dict[str, Value]:
        hearers = {name: heard(name) for name in self._lanes}
        values: dict[str, Value] = {}
        try:
            self._gather(hearers, values)
        except KeyboardInterrupt:
            self._signal(signal.SIGINT)
            # What a lane still says has to be read, or it waits for us as we for it.
            self._gather(hearers, values, interrupted=True)
            # In the order of the lanes, whichever of them ended first.
            raise LanesInterrupted({name: values[name] for name in self._lanes if name in values}) from None
        return {name: values[name] for name in self._lanes}

    def _gather(self, hearers: Mapping[str, Said], values: dict[str, Value], *, interrupted: bool = False) -> None:
        """Hear all lanes to their ends."""
        open_pipes = [pipe for pipe, name in self._pipes.items() if name not in values]
        while open_pipes:
            for pipe in wait(open_pipes):
                assert isinstance(pipe, Connection)
                name = self._pipes[pipe]
                try:
                    word, *said = pipe.recv()
                except EOFError:
                    if not interrupted:
                        raise LaneError(f"the lane {name} died (exit code {self._exit_code(name)})") from None
                    open_pipes.remove(pipe)
                    continue
                if word == "value":
                    values[name] = said[0]
                    open_pipes.remove(pipe)
                elif word != "error":
                    getattr(hearers[name], word)(*said)
                elif not interrupted:
                    raise said[0]

    def __exit__(self, kind: object, *_: object) -> None:
        # A lane that waits for somebody to hear it finds that nobody does.
        for pipe in self._pipes:
            pipe.close()
        # Who has given a value is at its end, and no signal may come in between.
        self._signalled |= kind is None
        try:
            self._end(signal.SIGINT)
        finally:
            signal.signal(signal.SIGTERM, self._before)
            os.close(self._reading)
            os.close(self._writing)

    def _signal(self, number: signal.Signals) -> None:
        """Signal each lane that works, once: a second signal would break off its own end."""
        told, self._signalled = self._signalled, True
        for process in self._processes.values():
            if not told and process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        """End what still works, and wait for it."""
        self._signal(number)
        for process in self._processes.values():
            process.join(ENDS_WITHIN)
            if process.is_alive():
                process.kill()
                process.join()

    def _end_and_be_ended(self, number: int, _: FrameType | None) -> None:
        try:
            self._end(signal.SIGTERM)
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _exit_code(self, name: str) -> int | None:
        self._processes[name].join(1)
        code: int | None = self._processes[name].exitcode
        return code


def _work(work: Callable[[Said], Value], pipe: Connection, reading: int, writing: int) -> None:
    """The whole life of a lane. A terminal's Ctrl-C comes by the process that waits for it, and so once."""
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.close(writing)
    threading.Thread(target=_end_when_alone, args=(reading,), daemon=True).start()
    with _nobody_hears_afterwards():
        try:
            value = work(Spoken(pipe))
        except KeyboardInterrupt:
            return
        except Exception as error:
            pipe.send(("error", _as_sent(error)))
        else:
            pipe.send(("value", value))


def _end_when_alone(reading: int) -> None:
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _nobody_hears_afterwards() -> Iterator[None]:
    with suppress(BrokenPipeError, KeyboardInterrupt):
        yield


def _as_sent(error: Exception) -> Exception:
    """An error of the project's own kinds is told in one line; of any other, so is where it arose."""
    if type(error).__module__.startswith("contract_tests."):
        return error
    place = traceback.extract_tb(error.__traceback__)[-1]
    return LaneError(f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})")
