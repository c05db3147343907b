"""Finds the Python files below a path: each once, also where links lead in circles."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_SKIPPED = {"node_modules", "site-packages", "__pycache__", "venv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file, and its name as a reader has it: from where they stand, if it is below; `inner` is from the base."""

    path: Path
    shown: str
    inner: str


def find_files(paths: Sequence[Path], exclude: Sequence[str] = ()) -> tuple[File, ...]:
    """Every Python file below the paths, in a steady order. Raises OSError for a path that cannot be read."""
    base, here = base_of(paths), str(Path.cwd())
    found: dict[str, File] = {}
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_file():
            _add(found, path.absolute(), base, here, seen)
            continue
        next(path.iterdir(), None)  # a folder that cannot be read is an error, one within it is not
        for each in _below(path.absolute(), seen):
            inner = os.path.relpath(each, path.absolute()).replace(os.sep, "/")
            if not _excluded(inner, exclude):
                _add(found, each, base, here, seen)
    return tuple(sorted(found.values(), key=lambda file: file.inner))


def base_of(paths: Iterable[Path]) -> Path:
    """The folder that all module names begin in: that of the outermost package around the paths."""
    tops = [_top(path if path.is_dir() else path.parent) for path in (each.absolute() for each in paths)]
    return Path(os.path.commonpath(tops))


def _top(folder: Path) -> Path:
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


def _add(found: dict[str, File], path: Path, base: Path, here: str, seen: set[tuple[int, int]]) -> None:
    try:
        state = path.stat()
    except OSError:
        return  # a link to nowhere
    if (state.st_dev, state.st_ino) in seen and state.st_ino:
        return
    seen.add((state.st_dev, state.st_ino))
    text = str(path)
    shown = text[len(here) + 1 :] if text.startswith(here + os.sep) else text
    inner = os.path.relpath(text, base)
    found[text] = File(path, shown.replace(os.sep, "/"), inner.replace(os.sep, "/"))


def _below(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Files first, then folders, then folders that links lead to: what stands there itself comes before its links."""
    links: list[str] = []
    queue = [str(folder)]
    while queue or links:
        current = queue.pop() if queue else links.pop()
        try:
            state = Path(current).stat()
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        if (state.st_dev, state.st_ino) in seen and state.st_ino:
            continue
        seen.add((state.st_dev, state.st_ino))
        linked = []
        for entry in entries:
            if entry.name.endswith(".py") and not entry.is_dir():
                if entry.is_symlink():
                    linked.append(Path(entry.path))
                else:
                    yield Path(entry.path)
            elif (
                not (entry.name.startswith(".") or entry.name in _SKIPPED or _is_environment(entry)) and entry.is_dir()
            ):
                (links if entry.is_symlink() else queue).append(entry.path)
        yield from linked


def _is_environment(entry: os.DirEntry[str]) -> bool:
    return os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - asked for each folder


def _excluded(inner: str, globs: Sequence[str]) -> bool:
    """A glob means a file, or a folder with all below it, at any depth where it has no slash."""
    parts = inner.split("/")
    for glob in (each.rstrip("/") for each in globs):
        if any(fnmatch(part, glob) for part in parts) if "/" not in glob else False:
            return True
        if any(fnmatch("/".join(parts[:end]), glob) for end in range(1, len(parts) + 1)):
            return True
    return False
