"""A copy of a tree in which one fault after the other is planted, and the tests that must notice it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from contract_tests.tests.faults.catalogue import Fault, NoPlace, planted

NURSERY = Path(__file__).with_name("nursery.py")
# Of one fault's tests; what takes longer hangs.
SECONDS = 200.0
# What takes time to import, and has no part of the tree in it.
USUAL = (
    "alembic.command", "alembic.config", "argon2", "cachelib", "cryptography.x509", "fastapi",
    "fastapi.openapi.utils", "filelock", "flask", "flask_cors", "flask_limiter", "flask_session", "httptools", "httpx",
    "jsonschema", "jwt", "limits.storage", "limits.strategies", "msal", "msgspec", "multipart", "prometheus_client",
    "pydantic_settings", "pytest", "redis.asyncio", "requests", "rich.console", "rich.table",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite", "trustme", "uvicorn.protocols.http.httptools_impl", "werkzeug.serving", "yaml",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault: `verdict` is red, GREEN or "does not apply"; `told` is the first red test, or why not."""

    id: str
    verdict: str
    told: str


class Copy:
    """A copy of a tree, and a process that runs its tests. One fault is in it at a time."""

    def __init__(self, tree: Path, folder: Path, nursery: subprocess.Popen[str]) -> None:
        self._tree = tree
        self._folder = folder
        self._nursery = nursery
        self._clean: dict[str, str | None] = {}
        self._changes = 0

    def try_fault(self, fault: Fault) -> Outcome:
        """Plant a fault, run its tests, and take it out again. A test that is red without it proves nothing."""
        try:
            place = fault.place_in(self._tree)
        except NoPlace as reason:
            return Outcome(fault.id, "does not apply", str(reason))
        modules = fault.modules_in(self._tree)
        unfit = [told for module in modules if (told := self._red_without_fault(module)) is not None]
        if unfit or not modules:
            return Outcome(fault.id, "does not apply", f"red without it: {unfit[0]}" if unfit else "no such tests")
        file = self._folder / place.file
        before = file.read_text()
        self._write(file, planted(before, place))
        try:
            red = self._run(*modules)
        finally:
            self._write(file, before)
        return Outcome(fault.id, "GREEN" if red is None else "red", red or ", ".join(modules))

    def _red_without_fault(self, module: str) -> str | None:
        if module not in self._clean:
            self._clean[module] = self._run(module)
        return self._clean[module]

    def _run(self, *modules: str) -> str | None:
        """The first test of these modules that is red; None where all are green."""
        cast("IO[str]", self._nursery.stdin).write(json.dumps(modules) + "\n")
        cast("IO[str]", self._nursery.stdin).flush()
        answer = cast("IO[str]", self._nursery.stdout).readline()
        if not answer:
            raise ChildProcessError("the process that runs the tests has ended")
        red: str | None = json.loads(answer)["red"]
        return red

    def _write(self, file: Path, text: str) -> None:
        """Each time with another second: Python knows a stale .pyc by the second and the size of its source."""
        file.write_text(text)
        self._changes += 1
        os.utime(file, (self._changes, self._changes))


@contextmanager
def copy_of(tree: Path) -> Iterator[Copy]:
    """A copy of the files that git tracks, as they are in the tree now; it is gone afterwards."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory(prefix="faults-") as temporary:
        folder = Path(temporary, "tree")
        for name in filter(None, listed.split("\0")):
            if (tree / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(tree / name, folder / name)
        # Some tests ask git which files there are.
        for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
            subprocess.run(command, cwd=folder, check=True)
        python = tree / ".venv" / "bin" / "python"
        if python.exists():
            (folder / ".venv").symlink_to(tree.resolve() / ".venv")
        # What a test starts by itself finds the copy, too, and makes its temporary files where they are removed.
        environment = {**os.environ, "PYTHONPATH": str(folder), "TMPDIR": temporary}
        start = [str(python if python.exists() else sys.executable), str(NURSERY), str(SECONDS), *USUAL]
        with subprocess.Popen(
            start, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as nursery:
            try:
                yield Copy(tree, folder, nursery)
            finally:
                cast("IO[str]", nursery.stdin).close()
                nursery.terminate()
