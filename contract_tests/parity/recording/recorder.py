"""Exchanges wait in a bounded queue until a thread writes them: what does not fit is dropped and counted."""

from __future__ import annotations

import atexit
import logging
import os
import random
import secrets
import threading
import time
import weakref
import zlib
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from .captured import Captured
from .lines import Lines
from .rotation import Rotation

_LOG = logging.getLogger("parity.recording")
_PAUSE = 0.25
_BATCH = 64
_SPACE = 1 << 32
KEY = "PARITY_RECORD_KEY"


class Recorder:
    """Writes exchanges into `folder`, which both apps must not share.

    `sample` is the share that is recorded, from 0 to 1: by the request's id, so that two apps that get the same
    request both record it, or both do not. `secret_names` are further fields, parameters and headers that hold a
    secret. Secrets are told by numbers that follow from `key` (else the environment's PARITY_RECORD_KEY): two apps
    with one key give a secret one number. `body_bytes` is how much of a body is kept, `queue` and `queue_bytes` how
    much may wait in memory, `file_bytes` and `files` how much may lie on the disk.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        sample: float = 1.0,
        secret_names: Iterable[str] = (),
        key: str | None = None,
        body_bytes: int = 64 << 10,
        queue: int = 10_000,
        queue_bytes: int = 16 << 20,
        file_bytes: int = 64 << 20,
        files: int = 16,
    ) -> None:
        if not 0 <= sample <= 1:
            raise ValueError(f"sample is a share from 0 to 1, not {sample}")
        if min(body_bytes, queue, queue_bytes, file_bytes, files) < 1:
            raise ValueError("body_bytes, queue, queue_bytes, file_bytes and files are at least 1")
        self.sample, self.body_bytes, self.queue, self.queue_bytes = sample, body_bytes, queue, queue_bytes
        self.dropped = self.lost = 0
        chosen = key or os.environ.get(KEY) or secrets.token_hex(16)
        self._lines = Lines(key=chosen.encode(), names=secret_names)
        self._rotation = Rotation(Path(folder), file_bytes=file_bytes, files=files)
        self._begin()
        _recorders.add(self)

    def _begin(self) -> None:
        """Nothing waits, nothing runs: so it is at first, and again in the child of a fork."""
        self._waiting: deque[Captured] = deque()
        self._bytes = 0
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._something, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._rotation.close()
        self._told = False

    def samples(self, key: str | bytes | None) -> bool:
        """Whether the request with this id is recorded; without one, chance decides."""
        if self.sample >= 1:
            return True
        if key is None:
            return random.random() < self.sample
        data = key if isinstance(key, bytes) else key.encode("latin-1", "replace")
        return zlib.crc32(data) < self.sample * _SPACE

    def put(self, captured: Captured) -> None:
        """Take an exchange that has ended. Never raises, never waits for a disk."""
        try:
            self._put(captured)
        except Exception as error:  # the request is answered, whatever became of its recording
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Count an exchange that could not be recorded."""
        self._lost(1, error)

    def _put(self, captured: Captured) -> None:
        size = captured.size
        with self._lock:
            if len(self._waiting) >= self.queue or self._bytes + size > self.queue_bytes:
                self.dropped += 1
                return
            self._waiting.append(captured)
            self._bytes += size
        if not self._something.is_set():
            self._something.set()
            self._start()

    def close(self) -> None:
        """Write what waits, and end the thread. What is put later is written again."""
        self._stop.set()
        self._something.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)
        self.flush()
        self._stop, self._something = threading.Event(), threading.Event()

    def flush(self) -> None:
        """Write what waits now."""
        with self._writing:
            while self._waiting:
                self._write(self._taken())
                # Requests go first: a batch is some hundred microseconds of this thread.
                time.sleep(0)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._run, name="parity-recorder", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is about to end, or has no thread left: the next one tries again
                self._thread = None
                self._something.clear()

    def _run(self) -> None:
        stop, something = self._stop, self._something
        while not stop.is_set():
            something.wait()
            # A batch wakes the thread once, not once for each request.
            stop.wait(_PAUSE)
            something.clear()
            self.flush()

    def _taken(self) -> list[Captured]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            self._bytes = self._bytes - sum([each.size for each in batch]) if self._waiting else 0
        return batch

    def _write(self, batch: list[Captured]) -> None:
        lines = [line for captured in batch if (line := self._line(captured)) is not None]
        if not lines:
            return
        try:
            self._rotation.write(b"".join(lines))
        except OSError as error:
            self._lost(len(lines), error)
        else:
            self._told = False

    def _line(self, captured: Captured) -> bytes | None:
        try:
            return self._lines.line(captured, dropped=self.dropped + self.lost)
        except Exception as error:  # whatever an app sent, its request is answered and the next one is recorded
            self._lost(1, error)
            return None

    def _lost(self, number: int, error: Exception) -> None:
        self.lost += number
        if not self._told:
            self._told = True
            # The type alone, but for a disk's: an error's text may quote what was sent.
            why = error if isinstance(error, OSError) else type(error).__name__
            _LOG.error("%d exchanges are not recorded: %s", number, why)


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _in_child() -> None:
    for recorder in list(_recorders):
        # A fork has no threads, and its locks may be held for good.
        recorder._begin()
        recorder.dropped = recorder.lost = 0


def _at_exit() -> None:
    for recorder in list(_recorders):
        recorder.close()


if hasattr(os, "register_at_fork"):  # a system without forks has no children either
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
