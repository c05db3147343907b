"""How a target is rewound that is not ours to make: by a command, or by a function of its user."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping

from contract_tests.parity.applications import SpecError, find, one_line

_CALLABLE = re.compile(r"([A-Za-z_][\w.]*:[A-Za-z_][\w.]*)(\(\))?")
_TAIL = 20


class ResetError(RuntimeError):
    """A reset failed; the message has a command's exit code and the end of its output, or what a function raised."""


def reset_hook(reset: str, env: Mapping[str, str] | None = None, *, timeout: float = 60.0) -> Callable[[], None]:
    """What rewinds a target: a function from `package.module:callable`, or a command line run without a shell.

    `env` is added to the command's environment; `timeout` is in seconds. Raises SpecError for a callable that is
    none and a command that cannot be split. What it returns raises ResetError where the command or the function fails.
    """
    match = _CALLABLE.fullmatch(reset)
    if match is not None:
        found = find(match[1], env)
        if not callable(found):
            raise SpecError(f"the reset {reset!r} is a value of type {type(found).__name__}, which cannot be called")
        return lambda: _call(found, reset)
    try:
        command = shlex.split(reset)
    except ValueError as error:
        raise SpecError(f"the reset {reset!r} cannot be split into words: {error}") from None
    if not command:
        raise SpecError("the reset command is empty")
    return lambda: _run(command, {**os.environ, **(env or {})}, timeout)


def _call(hook: Callable[[], object], reset: str) -> None:
    try:
        hook()
    except (Exception, SystemExit) as error:
        raise ResetError(f"the reset {reset!r} raised {one_line(error)}") from error


def _run(command: list[str], env: Mapping[str, str], timeout: float) -> None:
    told = f"the reset command {shlex.join(command)}"
    try:
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise ResetError(f"{told} cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise ResetError(f"{told} did not end within {timeout:g} s; {_tail(error.output)}") from None
    if done.returncode:
        raise ResetError(f"{told} ended with exit code {done.returncode}; {_tail(done.stdout)}")


def _tail(output: bytes | None) -> str:
    lines = (output or b"").decode("utf-8", "replace").splitlines()[-_TAIL:]
    return "\n".join(["the last it wrote:", *(lines or ["(nothing)"])])
