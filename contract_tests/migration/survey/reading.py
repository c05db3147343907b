"""Reads many modules into summaries: on all cores, and those that are kept from before not again."""

from __future__ import annotations

import gc
import hashlib
import marshal
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from contract_tests.migration.survey.files import File
from contract_tests.migration.survey.summary import Summary, summarize

# Fewer bytes than this are read sooner than a second process is started.
_WORTH_A_PROCESS = 400_000
_ENTRIES_OF_RESULTS = 8
# A pack has so many times as many summaries as there are files, and no more.
_MOST_OLD = 4
_ENDING = ".kept"
_DIGEST = hashlib.sha256().digest_size


@dataclass(slots=True)
class Readings:
    """The summary of each file that could be read, and why the others could not, by the file's name."""

    files: list[File] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    unreadable: list[tuple[str, int | None, str]] = field(default_factory=list)
    lines: int = 0


class Cache:
    """A folder of what was made of a content by this version of the tool; None keeps nothing.

    What cannot be read or written is as if it were not there. As with Python's own `__pycache__`, who may write there
    is trusted; a file that was damaged is told by its digest.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder and folder / version()

    def get(self, key: str) -> Any:
        if self._folder is None:
            return None
        try:
            raw = (self._folder / key[:2] / f"{key}{_ENDING}").read_bytes()
        except OSError:
            return None
        return decoded(raw[_DIGEST:]) if raw[:_DIGEST] == _digest(key, raw[_DIGEST:]) else None

    def put(self, key: str, kept: Any) -> None:
        """Keep something of plain kinds."""
        if self._folder is not None:
            raw = marshal.dumps(kept)
            with suppress(OSError):
                _write(self._folder / key[:2] / f"{key}{_ENDING}", _digest(key, raw) + raw)

    def forget(self, prefix: str) -> None:
        """Keep only the newest of the entries whose keys begin so."""
        if self._folder is None:
            return
        found = sorted((self._folder / prefix[:2]).glob(f"{prefix}*{_ENDING}"), key=_age, reverse=True)
        for old in found[_ENTRIES_OF_RESULTS:]:
            old.unlink(missing_ok=True)


def decoded(raw: bytes) -> Any:
    """What was made of a file, or kept: of this run, or with its digest."""
    return marshal.loads(raw)


def _digest(key: str, raw: bytes) -> bytes:
    return hashlib.sha256(key.encode() + raw).digest()


def _write(path: Path, raw: bytes) -> None:
    """Write a file in place: who reads it in part tells by its digest. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as file:
        file.write(raw)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@cache
def version() -> str:
    """The tool's own sources and the Python that parses: what else a summary depends on than the file."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def uncollected() -> Iterator[None]:
    """Millions of lists that all stay: looking for garbage among them takes longer than making them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def default_folder() -> Path:
    """Where the platform keeps what may be thrown away."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "parity" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/parity"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parity"


def contents(files: Sequence[File]) -> list[tuple[File, bytes | None, str]]:
    """Each file with its bytes and their hash; None and the reason where it cannot be read."""
    found: list[tuple[File, bytes | None, str]] = []
    for file in files:
        try:
            raw = file.path.read_bytes()
        except OSError as error:
            found.append((file, None, error.strerror or str(error)))
        else:
            found.append((file, raw, hashlib.sha256(raw).hexdigest()))
    return found


def read(
    found: Sequence[tuple[File, bytes | None, str]], kept: Cache, *, jobs: int, progress: Callable[[int, int], None]
) -> Readings:
    """Summaries of all files; what cannot be read is told, and the rest goes on."""
    made: dict[str, Any] = {}
    todo: dict[str, tuple[str, bytes]] = {}
    pack = _Pack(kept, found)
    for file, raw, key in found:
        if raw is None or key in made or key in todo:
            continue
        before = pack.before.get(key)
        if before is None:
            todo[key] = (file.shown, raw)
        else:
            made[key] = decoded(before)
    already = len(made)
    try:
        for done, (key, summary) in enumerate(_made(todo, jobs), 1):
            made[key] = decoded(summary)
            pack.add(key, summary)
            progress(already + done, already + len(todo))
    finally:
        pack.write()
    return _readings(found, made)


class _Pack:
    """The summaries of one folder's files, in one entry of the cache: a file each takes longer to write than to make.

    It is written after 1, 2, 4, ... new ones: what a run has made that ends early is kept.
    """

    def __init__(self, kept: Cache, found: Sequence[tuple[File, bytes | None, str]]) -> None:
        self._kept = kept
        self._used = [key for _, raw, key in found if raw is not None]
        base = next((str(file.path).removesuffix(file.inner) for file, _, _ in found), "")
        self._name = "pack" + hashlib.sha256(base.encode("utf-8", "surrogateescape")).hexdigest()
        self.before: dict[str, bytes] = kept.get(self._name) or {}
        self._new: dict[str, bytes] = {}
        self._written = 0

    def add(self, key: str, summary: bytes) -> None:
        self._new[key] = summary
        if len(self._new) >= 2 * self._written:
            self.write()

    def write(self) -> None:
        if len(self._new) == self._written:
            return
        self._written = len(self._new)
        entries = {**self.before, **self._new}
        if len(entries) > _MOST_OLD * len(self._used):
            entries = {key: entries[key] for key in self._used if key in entries}
        self._kept.put(self._name, entries)


def _readings(found: Sequence[tuple[File, bytes | None, str]], made: dict[str, Any]) -> Readings:
    readings = Readings()
    for file, raw, key in found:
        if raw is None:
            readings.unreadable.append((file.shown, None, key))
            continue
        summary = made[key]
        readings.lines += raw.count(b"\n")
        if "error" in summary:
            readings.unreadable.append((file.shown, summary["line"], summary["error"]))
        else:
            readings.files.append(file)
            readings.summaries.append(summary)
    return readings


def _made(todo: dict[str, tuple[str, bytes]], jobs: int) -> Iterator[tuple[str, bytes]]:
    # The largest files first, so that no process ends long after the others.
    work = sorted(((key, name, raw) for key, (name, raw) in todo.items()), key=lambda each: -len(each[2]))
    if jobs < 2 or sum(len(raw) for *_, raw in work) < _WORTH_A_PROCESS:
        yield from ((key, marshal.dumps(make(name, raw))) for key, name, raw in work)
        return
    method = "fork" if sys.platform == "linux" else None
    pool = ProcessPoolExecutor(jobs, get_context(method), _begin, (work,))
    try:
        made = pool.map(_make_raw, range(len(work)), chunksize=8)
        yield from zip((key for key, _, _ in work), made, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


# In a process of its own: all that is to be made.
_work: list[tuple[str, str, bytes]]


def _begin(work: list[tuple[str, str, bytes]]) -> None:
    """Ctrl-C is the parent's to answer: it ends its processes."""
    global _work  # noqa: PLW0603 - a process that is forked has it at once; sent with each file, it costs as much again
    _work = work
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make_raw(number: int) -> bytes:
    """Make a summary, and give it as it is kept, which is the quickest way back."""
    _, name, raw = _work[number]
    return marshal.dumps(make(name, raw))


def make(name: str, raw: bytes) -> Summary:
    """The summary of a file, or `error` and `line` where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return summarize(raw, name)
        except SyntaxError as error:
            return {"error": f"no Python: {error.msg}", "line": error.lineno}
        except (ValueError, LookupError) as error:
            return {"error": f"no Python: {error}", "line": None}
        except (RecursionError, MemoryError):
            return {"error": "too deeply nested", "line": None}
