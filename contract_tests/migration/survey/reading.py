"""Reads many modules into summaries: on all cores, and those that are kept from before not again."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
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


@dataclass(slots=True)
class Readings:
    """The summary of each file that could be read, and why the others could not, by the file's name."""

    files: list[File] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    unreadable: list[tuple[str, int | None, str]] = field(default_factory=list)
    lines: int = 0


class Cache:
    """A folder of what was made of a content by this version of the tool; None keeps nothing.

    What cannot be read or written is as if it were not there.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder and folder / version()

    def get(self, key: str) -> Any:
        if self._folder is None:
            return None
        try:
            with (self._folder / key[:2] / f"{key}.json").open("rb") as file:
                kept = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return None
        return kept["kept"] if isinstance(kept, dict) and kept.get("key") == key and "kept" in kept else None

    def put(self, key: str, kept: Any) -> str:
        """Keep something; gives the text that is kept."""
        text = json.dumps({"key": key, "kept": kept}, separators=(",", ":"))
        if self._folder is not None:
            folder = self._folder / key[:2]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(dir=folder)
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                os.replace(name, folder / f"{key}.json")  # noqa: PTH105
            except OSError:
                return text
        return text

    def forget(self, prefix: str) -> None:
        """Keep only the newest of the entries whose keys begin so."""
        if self._folder is None:
            return
        found = sorted((self._folder / prefix[:2]).glob(f"{prefix}*.json"), key=_age, reverse=True)
        for old in found[_ENTRIES_OF_RESULTS:]:
            old.unlink(missing_ok=True)


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
    for file, raw, key in found:
        if raw is None or key in made or key in todo:
            continue
        summary = kept.get(key)
        if summary is None:
            todo[key] = (file.shown, raw)
        else:
            made[key] = summary
    before = len(made)
    for key, summary in _made(todo, kept, jobs, lambda done: progress(before + done, before + len(todo))):
        made[key] = summary
    return _readings(found, made)


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


def _made(todo: dict[str, tuple[str, bytes]], kept: Cache, jobs: int, progress: Callable[[int], None]) -> Any:
    work = list(todo.items())
    if jobs < 2 or sum(len(raw) for _, (_, raw) in work) < _WORTH_A_PROCESS:
        for done, (key, (name, raw)) in enumerate(work, 1):
            summary = make(name, raw)
            kept.put(key, summary)
            yield key, summary
            progress(done)
        return
    # The largest files first, so that no process ends long after the others.
    work.sort(key=lambda each: -len(each[1][1]))
    method = "fork" if sys.platform == "linux" else None
    pool = ProcessPoolExecutor(jobs, mp_context=get_context(method), initializer=_begin)
    try:
        keys, names, raws = zip(*((key, name, raw) for key, (name, raw) in work), strict=True)
        made = pool.map(_make_text, [kept] * len(work), keys, names, raws, chunksize=4)
        for done, ((key, _), text) in enumerate(zip(work, made, strict=True), 1):
            yield key, json.loads(text)["kept"]
            progress(done)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Ctrl-C is the parent's to answer: it ends its processes."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make_text(kept: Cache, key: str, name: str, raw: bytes) -> str:
    """In a process of its own: make a summary, keep it, and give it as text, which is the quickest way back."""
    return kept.put(key, make(name, raw))


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
