"""`python -m contract_tests.tests.pythons`: the contract suite on every other Python that this machine has."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
TESTS = ("-n", "2", "--dist", "worksteal", "-q", "--pairs-only", "contract_tests/suite")
# What an environment is made from.
SOURCES = ("pyproject.toml", "requirements/dev.lock")


class Failed(Exception):
    """A version was found, and something went wrong with it; its text is what the command printed."""


def find(version: str, path: str | None = None) -> Path | None:
    """The interpreter of a version on the path, or pyenv's; None where there is none that runs.

    uv starts what it finds. A name alone is not enough: pyenv puts one on the path for each version it ever had.
    """
    searched = os.pathsep.join([path or os.environ["PATH"], *pyenv_folders()])
    command = [uv(), "python", "find", "--system", "--no-project", "--no-python-downloads", version]
    found = subprocess.run(command, env={**os.environ, "PATH": searched}, capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def pyenv_folders() -> list[str]:
    """Where pyenv keeps its interpreters, the newest first; empty without pyenv."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = root.glob("versions/3.*/bin")
    return [str(each) for each in sorted(folders, key=lambda folder: numbers(folder.parent.name), reverse=True)]


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def uv() -> str:
    """uv stands beside the Python that runs this."""
    return str(Path(sys.executable).with_name("uv"))


def environment(version: str, interpreter: Path) -> Path:
    """Its virtual environment, made anew only if the locks or the interpreter changed. Raises Failed."""
    folder = ROOT / f".venv-{version}"
    python, stamp = folder / "bin/python", folder / ".installed"
    wanted = fingerprint(interpreter)
    if not stamp.exists() or stamp.read_text() != wanted:
        run([uv(), "venv", "-q", "--clear", "--python", str(interpreter), str(folder)])
        install = [uv(), "pip", "install", "-q", "--python", str(python)]
        run([*install, "--require-hashes", "-r", "requirements/dev.lock"])
        run([*install, "--offline", "--no-deps", "--no-build-isolation", "-e", "."])
        stamp.write_text(wanted)
    return python


def fingerprint(interpreter: Path) -> str:
    """Changes with the interpreter and with everything that an environment is made from."""
    digest = hashlib.sha256(str(interpreter.resolve()).encode())
    for name in SOURCES:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def run(command: list[str]) -> str:
    """What the command printed. Raises Failed."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def try_version(version: str, interpreter: Path) -> str:
    """pytest's last line. Raises Failed."""
    python = environment(version, interpreter)
    return run([str(python), "-m", "pytest", *TESTS]).strip().splitlines()[-1]


def report(
    versions: Iterable[str],
    find: Callable[[str], Path | None] = find,
    try_version: Callable[[str, Path], str] = try_version,
) -> bool:
    """Print a line a version; whether none failed. A version that is not found fails nothing."""
    fine = True
    for version in versions:
        interpreter = find(version)
        if interpreter is None:
            say(f"Python {version}: not found")
            continue
        began = time.monotonic()
        try:
            told = try_version(version, interpreter)
        except Failed as failed:
            fine, told = False, f"FAILED\n{failed}"
        say(f"Python {version}: {told} ({time.monotonic() - began:.0f} s, {interpreter})")
    return fine


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contract_tests.tests.pythons", description=__doc__)
    others = [version for version in VERSIONS if version != OWN]
    parser.add_argument("versions", nargs="*", default=others, help="as in 3.13; all but this one's, if not given")
    return 0 if report(parser.parse_args().versions) else 1


if __name__ == "__main__":
    sys.exit(main())
