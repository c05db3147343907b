"""A SPEC names a target in one string: `module:attribute`, `module:factory()`, a URL, or a command with `{port}`."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Mapping
from types import BuiltinMethodType, MethodType
from typing import Any
from urllib.parse import urlsplit

from contract_tests.parity.applications import SpecError, called, find, may_make_one, target_of
from contract_tests.parity.messages import Request, Response, Target
from contract_tests.parity.resets import reset_hook
from contract_tests.parity.templates import Templates

__all__ = ["SpecError", "can_reset", "demand_calls", "resolve", "same_target"]

_METHODS = (MethodType, BuiltinMethodType)
_OBJECT = re.compile(r"(?P<path>[A-Za-z_][\w.]*:[A-Za-z_][\w.]*)(?P<call>\(\))?")


def resolve(
    spec: str, *, reset: str | None = None, env: Mapping[str, str] | None = None, timeout: float | None = None
) -> Target:
    """The target that a SPEC names, not yet entered.

    `reset` is how a target is rewound that we do not make ourselves: a command line, run without a shell, or
    `package.module:callable`, called in this process. A `module:factory()` needs none, its factory is called
    again; a plain `module:attribute` takes one or is never rewound. `env` is added to the environment of
    commands, or set while an application is imported and made. `timeout` is in seconds, for one answer of a server or
    an ASGI application.
    Raises SpecError in one line for a SPEC, or a `reset`, that names nothing of the kind.
    """
    kind = _kind(spec)
    if kind == "factory":
        if reset is not None:
            raise SpecError(f"{spec!r} is reset by calling it again and takes no reset command")
        return FactoryTarget(spec, env, timeout)
    hook = None if reset is None else reset_hook(reset, env)
    if kind == "attribute":
        target = target_of(find(spec, env), spec, timeout)
    elif kind == "url":
        target = _server(spec, timeout)
    else:
        target = CommandTarget(spec, env, timeout)
    return target if hook is None else ResettingTarget(target, hook)


def can_reset(spec: str, *, reset: str | None = None) -> bool:
    """Whether `reset()` rewinds what `resolve` gives for the same arguments."""
    return reset is not None or _kind(spec) == "factory"


def demand_calls(original: str, port: str) -> None:
    """Raises SpecError where one SPEC calls a factory, and the other names one without its parentheses."""
    kinds = {spec: _kind(spec) for spec in (original, port)}
    for spec, kind in kinds.items():
        if kind == "attribute" and "factory" in kinds.values() and may_make_one(find(spec)):
            raise SpecError(f"{spec!r} is what makes an application, and none: did you mean {spec}()?")


def same_target(original: str, port: str) -> None:
    """Raises SpecError where two SPECs name one target: one object, one factory, one command or one address."""
    # Both objects live until they are compared: what is gone leaves its id to the next.
    (kind, one), (other_kind, other) = _identity(original), _identity(port)
    if kind == other_kind and _same(kind, one, other):
        raise SpecError(f"the original {original!r} and the port {port!r} are the same target")


def is_on_socket(spec: str) -> bool:
    """Whether a SPEC names a server that raw bytes can be sent to; nothing is started. Raises SpecError."""
    kind = _kind(spec)
    return kind == "command" or (kind == "url" and spec.lower().startswith("http://"))


class ResettingTarget:
    """A target with a way to rewind it that is not its own."""

    def __init__(self, target: Target, hook: Callable[[], None]) -> None:
        self._target = target
        self._hook = hook

    @property
    def name(self) -> str:
        return self._target.name

    @property
    def app(self) -> object:
        """The application behind it, where it is one of this process."""
        return getattr(self._target, "app", None)

    @property
    def on_socket(self) -> bool:
        """Whether it is a server that raw bytes can be sent to."""
        return getattr(self._target, "on_socket", False)

    def send(self, request: Request) -> Response:
        return self._target.send(request)

    def reset(self) -> None:
        # First what the target itself does before a reset: an application may still be at work for a request.
        self._target.reset()
        self._hook()

    def close(self) -> None:
        self._target.close()

    def __enter__(self) -> Target:
        self._target.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class FactoryTarget:
    """An application from a factory, made anew by each reset."""

    def __init__(self, spec: str, env: Mapping[str, str] | None, timeout: float | None = None) -> None:
        self._spec, self._env, self._timeout = spec, env, timeout
        self._templates = Templates()
        self._factory: Callable[[], Any] = find(spec.removesuffix("()"), env)
        self._target: Target = self._made()

    @property
    def name(self) -> str:
        return self._target.name

    @property
    def app(self) -> object:
        """The application behind it, where it is one of this process."""
        return getattr(self._target, "app", None)

    def send(self, request: Request) -> Response:
        return self._target.send(request)

    def reset(self) -> None:
        """Close the application and make another; raises SpecError where the factory fails this time."""
        # The old one may hold what the new one needs: a file, a lock, a port.
        self._target.close()
        self._target = self._made()

    def close(self) -> None:
        self._target.close()

    def __enter__(self) -> Target:
        self._target.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _made(self) -> Target:
        app = called(self._factory, self._spec, self._env)
        self._templates.keep(app)
        return target_of(app, self._spec, self._timeout)


class CommandTarget:
    """A server that is started with the context, or with the first request, and ended by `close()`."""

    on_socket = True

    def __init__(self, command: str, env: Mapping[str, str] | None, timeout: float | None = None) -> None:
        from contract_tests.parity.servers import Server

        self._server = Server(command, env=env)
        self._target: Target | None = None
        self._command, self._timeout = command, timeout

    @property
    def name(self) -> str:
        return self._command if self._target is None else self._target.name

    def send(self, request: Request) -> Response:
        return self._running().send(request)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        if self._target is not None:
            self._target.close()
        self._server.stop()

    def __enter__(self) -> Target:
        self._running()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _running(self) -> Target:
        if self._target is None:
            self._server.start()
            self._target = _server(self._server.url, self._timeout)
        return self._target


def _server(url: str, timeout: float | None = None) -> Target:
    from contract_tests.parity.drivers.http import http

    try:
        return http(url) if timeout is None else http(url, timeout=timeout)
    except ValueError as error:
        raise SpecError(str(error)) from None


def _kind(spec: str) -> str:
    """Which of the four a SPEC is. Raises SpecError, with what is wrong, for anything else."""
    if spec.isdigit():
        raise SpecError(f"{spec!r} is no target: --port is the FastAPI port, not a TCP port")
    if re.match(r"https?://", spec, re.IGNORECASE):
        return "url"
    if "{port}" in spec:
        return _command(spec)
    match = _OBJECT.fullmatch(spec)
    if match is not None:
        return "factory" if match["call"] else "attribute"
    raise SpecError(f"{spec!r} is no target{_hint(spec)}")


def _command(spec: str) -> str:
    try:
        shlex.split(spec)
    except ValueError as error:
        raise SpecError(f"the command {spec!r} cannot be split into words: {error}") from None
    return "command"


def _hint(spec: str) -> str:
    if re.fullmatch(r"[\w.]+:[\w.]+\(.+\)", spec):
        return ": a factory is called without arguments"
    if ".py" in spec or ("/" in spec and ":" in spec):
        return ": a module is named with dots and without .py, as in package.module:app"
    if re.fullmatch(r"[\w.]+", spec):
        return f": it lacks the attribute, as in {spec}:app"
    if " " in spec:
        return ": a command needs {port} where its port goes"
    return ": it is package.module:attribute, package.module:factory(), a URL, or a command with {port}"


def _identity(spec: str) -> tuple[str, object]:
    """What two SPECs of one target have in common."""
    kind = _kind(spec)
    if kind == "url":
        _server(spec)
        return kind, _address(spec)
    if kind == "command":
        return kind, tuple(shlex.split(spec))
    return kind, find(spec.removesuffix("()"))


def _same(kind: str, original: object, port: object) -> bool:
    # A bound method is made anew each time it is asked for, and equal to the others of its object; what an
    # application holds itself equal to says nothing.
    if kind in ("url", "command") or (isinstance(original, _METHODS) and isinstance(port, _METHODS)):
        return original == port
    return original is port


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return "localhost" if local else host, parts.port or (443 if parts.scheme.lower() == "https" else 80)
