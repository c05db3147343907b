"""A recording takes a bounded place on the disk: files of a bounded size, and so many in a folder; the oldest go."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

PREFIX, SUFFIX = "recording-", ".jsonl"


class Rotation:
    """The files that one process writes into a folder; it shares the folder, but no file, with other processes.

    A file is at most `file_bytes` long, but for one batch that is longer alone. Of all files in the folder the
    newest `files` are kept. No file is written over.
    """

    def __init__(self, folder: Path, *, file_bytes: int, files: int) -> None:
        self.folder, self.file_bytes, self.files = folder, file_bytes, files
        self._file = -1
        self._size = self._number = 0

    def write(self, batch: bytes) -> None:
        """Add whole lines. Raises OSError, and then nothing of the batch stays."""
        if self._file < 0 or self._size + len(batch) > self.file_bytes:
            self.close()
            self._open()
        try:
            _write_all(self._file, batch)
        except OSError:
            self._take_back()
            raise
        self._size += len(batch)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._number += 1
        began = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        name = f"{PREFIX}{began}-{os.getpid()}-{self._number}{SUFFIX}"
        # Others of this machine have no business with what users sent.
        self._file = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = 0
        self._remove_oldest()

    def _remove_oldest(self) -> None:
        for path in recorded_files(self.folder)[: -self.files]:
            path.unlink(missing_ok=True)

    def _take_back(self) -> None:
        # A device that cannot do that has a broken line at its end, which readers tell.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)
        self.close()


def recorded_files(folder: Path) -> list[Path]:
    """The recorder's files in a folder, the oldest first."""
    return sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
