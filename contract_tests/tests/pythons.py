"""`python -m contract_tests.tests.pythons`: the contract suite on every other Python that this machine has.

The first of them makes both apps anew for each test, where all other runs rewind them: what a test leaves behind in an
app would hide there. Where there is no other Python, this one does.
"""

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
FRESH = "--fresh-apps"
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


def try_version(version: str, interpreter: Path, *options: str) -> str:
    """pytest's last line. Raises Failed."""
    python = Path(sys.executable) if version == OWN else environment(version, interpreter)
    return run([str(python), "-m", "pytest", *TESTS, *options]).strip().splitlines()[-1]


def report(
    versions: Iterable[str],
    find: Callable[[str], Path | None] = find,
    try_version: Callable[..., str] = try_version,
) -> bool:
    """Print a line a version; whether none failed. A version that is not found fails nothing."""
    found = {version: find(version) for version in versions}
    for version in (each for each, interpreter in found.items() if interpreter is None):
        say(f"Python {version}: not found")
    others = [(version, interpreter) for version, interpreter in found.items() if interpreter is not None]
    tried = [
        _tells(version, interpreter, try_version, *([FRESH] if not at else []))
        for at, (version, interpreter) in enumerate(others or [(OWN, Path(sys.executable))])
    ]
    return all(tried)


def _tells(version: str, interpreter: Path, try_version: Callable[..., str], *options: str) -> bool:
    """Try one version, and print what came of it; whether it did not fail."""
    began, fine = time.monotonic(), True
    try:
        told = try_version(version, interpreter, *options)
    except Failed as failed:
        fine, told = False, f"FAILED\n{failed}"
    how = "".join(f" {option}" for option in options)
    say(f"Python {version}{how}: {told} ({time.monotonic() - began:.0f} s, {interpreter})")
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
