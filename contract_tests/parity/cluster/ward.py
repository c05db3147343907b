"""Runs a server's command, and ends it when whoever asked for it is gone: a killed worker ends nothing itself."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time

_PAUSE, _GRACE = 0.2, 3.0


def warded(command: str) -> str:
    """The command line that runs a command under this module; it leads a process group of its own."""
    return shlex.join([sys.executable, "-m", __name__, str(os.getpid())]) + f" {command}"


def main(asking: int, command: list[str]) -> int:
    """Run a command for as long as the process that asked lives; its exit code."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        sys.stderr.write(f"cannot start {shlex.join(command)}: {error}\n")
        return 127
    # Signals go to the whole group, and the server's end is ours.
    signal.signal(signal.SIGTERM, lambda *_: None)
    while process.poll() is None:
        if os.getppid() != asking:
            _end_group(process)
        time.sleep(_PAUSE)
    return process.returncode


def _end_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(0, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
