"""A process of its own for what a test runs: a fork of one that has imported both apps, in place of a new interpreter.

Each test process has one such parent, which has no threads, and runs nothing but its imports.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# By name: the parent imports them, and this process need not.
IMPORTED = (
    "pytest",
    "contract_tests.suite.contract",
    "contract_tests.suite.targets",
    "shared_core.migrations",
    "alembic.command",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its exit code, negative for a signal, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(
    work: Callable[..., int | None],
    *arguments: Any,
    cwd: str | os.PathLike[str] = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float = 100.0,
) -> Ended:
    """Call a function of a module in a child, which ends with what it gives as its exit code, or with 1 for an error.

    The child has this working directory and environment. Raises TimeoutError after so many seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdout", "stderr")]
        process = parent().Process(target=_begin, args=(str(cwd), dict(env or os.environ), files, work, arguments))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"the child did not end in {timeout} s: {files[1].read_text()[-3000:]}")
        return Ended(process.exitcode, *(file.read_text() for file in files))


@cache
def parent() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def run_tests(*arguments: str) -> int:
    """What `python -m pytest` does with these arguments, without workers and other plugins."""
    import pytest

    # The plugins that pytest would find by itself are imported already, too late for it to rewrite their asserts.
    return int(pytest.main(["-q", "--disable-plugin-autoload", *arguments]))


def run_module(name: str, *arguments: str) -> None:
    """What `python -m name` does with these arguments."""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _begin(
    cwd: str, env: dict[str, str], files: list[Path], work: Callable[..., int | None], arguments: tuple[Any, ...]
) -> None:
    """In the child: take its place, and do the work."""
    # What the parent imported is there for good: a collection need not look through all of it.
    gc.freeze()
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(work(*arguments))
