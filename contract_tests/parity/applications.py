"""`module:attribute` names a Python object, and an object is WSGI, ASGI or neither by what it is, never by its name."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from contract_tests.parity.messages import Target


class SpecError(ValueError):
    """A SPEC that names no target; the message is one line for its user."""


def find(path: str, env: Mapping[str, str] | None = None) -> Any:
    """The object that `package.module:attribute.attribute` names, with the current directory importable.

    `env` is set while it is imported. Raises SpecError with the nearest name where there is none.
    """
    module_name, _, attributes = path.partition(":")
    with environment(env):
        found: Any = _module(module_name)
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            hint = _nearest(attribute, dir(found))
            raise SpecError(f"{module_name!r} has no attribute {attribute!r}{hint}") from None
    return found


def called(factory: Callable[[], Any], spec: str, env: Mapping[str, str] | None = None) -> Any:
    """What a factory makes, with `env` set while it does. Raises SpecError where it raises."""
    if not callable(factory):
        raise SpecError(f"{spec!r} calls {_an(factory)}, which cannot be called")
    try:
        with environment(env):
            return factory()
    except (Exception, SystemExit) as error:
        # A service that refuses to start on a wrong setting exits.
        raise SpecError(f"{spec!r} raised {one_line(error)}") from error


def target_of(app: Any, spec: str, timeout: float | None = None) -> Target:
    """The target for an application object. Raises SpecError where it is neither WSGI nor ASGI.

    `timeout` is in seconds, for an ASGI application; a WSGI one is called on the thread of whoever sends.
    """
    kind = kind_of(app)
    if kind == "asgi":
        from contract_tests.parity.drivers.asgi import asgi

        return asgi(app) if timeout is None else asgi(app, timeout=timeout)
    if kind == "wsgi":
        from contract_tests.parity.drivers.wsgi import wsgi

        return wsgi(app)
    if not callable(app):
        raise SpecError(f"{spec!r} is {_an(app)}, which cannot be called")
    hint = "" if spec.endswith("()") else f"; if it makes an application, write {spec}()"
    raise SpecError(f"{spec!r} is neither WSGI (environ, start_response) nor ASGI (scope, receive, send){hint}")


def kind_of(app: Any) -> str | None:
    """Whether an object is called as "wsgi" or as "asgi"; None for neither.

    A coroutine function of three arguments is ASGI, however it is wrapped. So is a plain function that takes
    three arguments and not two: it returns what another makes.
    """
    if not callable(app):
        return None
    if _takes(app, 3) and (_is_coroutine_function(app) or not _takes(app, 2)):
        return "asgi"
    return "wsgi" if _takes(app, 2) and not _is_coroutine_function(app) else None


def may_make_one(app: Any) -> bool:
    """Whether an object can be called without arguments, as a factory is, and no application."""
    return callable(app) and _takes(app, 0)


@contextmanager
def environment(env: Mapping[str, str] | None) -> Iterator[None]:
    """Variables added to this process's environment, and taken back."""
    before = {name: os.environ.get(name) for name in env or {}}
    os.environ.update(env or {})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that it imports may be the one that is missing.
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            hint = _nearest(error.name, _siblings(error.name))
            raise SpecError(f"there is no module {error.name!r}{hint}") from None
        raise SpecError(f"importing {name!r} raised {one_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise SpecError(f"importing {name!r} raised {one_line(error)}") from error


def _siblings(name: str) -> list[str]:
    """The modules beside the one that is missing."""
    package, dot, _ = name.rpartition(".")
    path = getattr(sys.modules.get(package), "__path__", None) if dot else None
    return [f"{package}{dot}{module.name}" for module in pkgutil.iter_modules(path)]


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def one_line(error: BaseException) -> str:
    """An exception's type and message, its white space folded."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _an(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def _takes(app: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(app).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        # A callable of C without a signature: WSGI is the older of the two.
        return count == 2
    return True


def _is_coroutine_function(app: Any) -> bool:
    while isinstance(app, partial):
        app = app.func
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
