"""A SPEC names one target, or one line says why it names none."""

from __future__ import annotations

import functools
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_tests.parity.applications import kind_of
from contract_tests.parity.specs import SpecError, resolve, same_target
from contract_tests.tests.engine import shop
from contract_tests.tests.engine.shop import GET, body, complaint

# pytest finds fixtures by the names of a module.
here = shop.here


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("parity_shop.main:wsgi", b"wsgi"),
        ("parity_shop.main:asgi", b"asgi"),
        ("parity_shop.main:nested.app", b"wsgi"),
        ("parity_shop.main:create_app()", b"1"),
    ],
)
def test_an_object_in_the_current_directory_is_found(spec: str, expected: bytes) -> None:
    assert body(spec) == expected


def test_digits_are_no_tcp_port() -> None:
    assert complaint("8000") == "'8000' is no target: --port is the FastAPI port, not a TCP port"


def test_a_missing_module_is_named_with_the_nearest_one() -> None:
    assert complaint("parity_shp.main:app") == "there is no module 'parity_shp' (did you mean 'parity_shop'?)"
    assert (
        complaint("parity_shop.mian:app") == "there is no module 'parity_shop.mian' (did you mean 'parity_shop.main'?)"
    )
    assert complaint("zzqxzzqxzzqx:app") == "there is no module 'zzqxzzqxzzqx'"


def test_a_missing_dependency_is_not_taken_for_the_module() -> None:
    message = complaint("parity_shop.needy:app")
    assert message.startswith("importing 'parity_shop.needy' raised ModuleNotFoundError")
    assert "parity_absent_dependency" in message


def test_a_module_that_raises_is_told_in_one_line() -> None:
    assert complaint("parity_shop.faulty:app") == "importing 'parity_shop.faulty' raised RuntimeError: no settings"


def test_a_missing_attribute_is_named_with_the_nearest_one() -> None:
    assert complaint("parity_shop.main:wsgj") == "'parity_shop.main' has no attribute 'wsgj' (did you mean 'wsgi'?)"


def test_what_cannot_be_called_is_no_target() -> None:
    assert (
        complaint("parity_shop.main:number")
        == "'parity_shop.main:number' is a value of type int, which cannot be called"
    )
    assert "cannot be called" in complaint("parity_shop.main:number()")


def test_a_factory_that_raises_is_told_in_one_line() -> None:
    expected = "'parity_shop.main:create_broken()' raised KeyError: 'DATABASE_URL is\\nmissing'"
    assert complaint("parity_shop.main:create_broken()") == expected


def test_a_service_that_refuses_to_start_is_told_in_one_line(here: Path) -> None:
    (here / "parity_shop" / "refusing.py").write_text("raise SystemExit('no settings')")
    assert complaint("parity_shop.refusing:app") == "importing 'parity_shop.refusing' raised SystemExit: no settings"
    expected = "'parity_shop.main:refuse()' raised SystemExit: DATABASE_URL is missing"
    assert complaint("parity_shop.main:refuse()") == expected


def test_a_factory_without_its_brackets_is_recognised() -> None:
    message = complaint("parity_shop.main:create_app")
    assert "neither WSGI" in message
    assert "write parity_shop.main:create_app()" in message


def test_a_factory_that_makes_no_application_is_told() -> None:
    assert "type NoneType" in complaint("parity_shop.main:create_nothing()")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("", "package.module:attribute"),
        ("parity_shop.main", "as in parity_shop.main:app"),
        ("parity_shop/main.py:app", "with dots and without .py"),
        ("parity_shop.main:create_app('x')", "without arguments"),
        ("gunicorn app:app", "a command needs {port}"),
        ("serve '{port}", "cannot be split"),
        ("http://127.0.0.1:8000/api", "more than a scheme"),
        ("http://", "is not an http"),
    ],
)
def test_what_is_nearly_a_spec_gets_a_hint(spec: str, hint: str) -> None:
    assert hint in complaint(spec)


def takes_two(environ: object, start_response: object) -> None: ...


def takes_three(scope: object, receive: object, send: object) -> None: ...


def takes_one(scope: object) -> None: ...


async def coroutine(scope: object, receive: object, send: object) -> None: ...


async def coroutine_of_two(scope: object, receive: object) -> None: ...


async def coroutine_of_four(first: object, scope: object, receive: object, send: object) -> None: ...


class Asgi:
    async def __call__(self, scope: object, receive: object, send: object) -> None: ...

    async def method(self, scope: object, receive: object, send: object) -> None: ...


class AsgiOfAnything:
    async def __call__(self, *args: object) -> None: ...


class Wsgi:
    def __call__(self, environ: object, start_response: object) -> None: ...


class WsgiClass:
    """An application of PEP 3333 may be a class whose instances are the bodies."""

    def __init__(self, environ: object, start_response: object) -> None: ...


@functools.wraps(coroutine)
def wrapped(*args: Any) -> Any:
    return coroutine(*args)


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (takes_two, "wsgi"),
        (Wsgi(), "wsgi"),
        (WsgiClass, "wsgi"),
        (functools.partial(coroutine_of_four, 1), "asgi"),
        (functools.partial(Asgi()), "asgi"),
        (functools.partial(takes_three, 1), "wsgi"),
        (coroutine, "asgi"),
        (Asgi(), "asgi"),
        (Asgi().method, "asgi"),
        (AsgiOfAnything(), "asgi"),
        (functools.partial(AsgiOfAnything()), "asgi"),
        (wrapped, "asgi"),
        (takes_three, "asgi"),
        (lambda *args: args, "wsgi"),
        (Asgi, None),
        (takes_one, None),
        (coroutine_of_two, None),
        (object(), None),
    ],
)
def test_an_application_is_known_by_how_it_is_called(app: object, kind: str | None) -> None:
    assert kind_of(app) == kind


def test_the_environment_is_there_for_the_factory_and_gone_afterwards() -> None:
    assert body("parity_shop.main:create_world()", env={"PARITY_TEST_WORLD": "apart"}) == b"apart"
    assert "PARITY_TEST_WORLD" not in os.environ


def test_a_variable_that_was_set_before_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_TEST_WORLD", "before")
    assert body("parity_shop.main:create_world()", env={"PARITY_TEST_WORLD": "apart"}) == b"apart"
    assert os.environ["PARITY_TEST_WORLD"] == "before"


SERVE = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    sock, _ = listener.accept()
    with sock:
        sock.recv(65536)
        world = os.environ["WORLD"].encode()
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nServer: tiny\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(world), world))
"""


@pytest.mark.servers
def test_a_command_is_started_awaited_and_ended() -> None:
    command = shlex.join([sys.executable, "-S", "-c", SERVE]) + " {port}"
    with resolve(command, env={"WORLD": "apart"}) as target:
        assert target.send(GET).body == b"apart"
        assert target.name.endswith(" (tiny)")
        url = "http://" + target.name.removesuffix(" (tiny)")
        target.reset()
    target.close()
    with resolve(url) as after:
        assert after.send(GET).failure == "refused"


@pytest.mark.servers
def test_a_command_is_started_by_the_first_request_where_no_one_entered() -> None:
    target = resolve(shlex.join([sys.executable, "-S", "-c", SERVE]) + " {port}", env={"WORLD": "x"})
    assert target.send(GET).body == b"x"
    target.close()


@pytest.mark.parametrize(
    ("original", "port"),
    [
        ("parity_shop.main:wsgi", "parity_shop.main:wsgi"),
        ("parity_shop.main:wsgi", "parity_shop.main:alias"),
        ("parity_shop.main:wsgi", "parity_shop.again:wsgi"),
        ("parity_shop.main:create_app()", "parity_shop.again:create_app()"),
        ("parity_shop.main:service.app", "parity_shop.main:service.app"),
        ("parity_shop.main:liked", "parity_shop.main:liked"),
        ("http://127.0.0.1:8000", "http://localhost:8000/"),
        ("http://[::1]:8000", "http://127.0.0.2:8000"),
        ("http://EXAMPLE.org", "http://example.org:80"),
        ("serve  --port {port}", "serve --port '{port}'"),
    ],
)
def test_two_specs_of_one_target_are_a_usage_error(original: str, port: str) -> None:
    with pytest.raises(SpecError, match="are the same target"):
        same_target(original, port)


@pytest.mark.parametrize(
    ("original", "port"),
    [
        ("parity_shop.main:wsgi", "parity_shop.main:asgi"),
        ("parity_shop.main:service.app", "parity_shop.main:service.other"),
        ("parity_shop.main:service.app", "parity_shop.main:another.app"),
        ("parity_shop.main:liked", "parity_shop.main:likewise"),
        ("parity_shop.main:liked.app", "parity_shop.main:likewise.app"),
        ("parity_shop.main:wsgi", "parity_shop.main:wsgi()"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8001"),
        ("http://example.org", "https://example.org"),
        ("old/bin/serve {port}", "new/bin/serve {port}"),
        ("http://127.0.0.1:8000", "parity_shop.main:wsgi"),
    ],
)
def test_two_targets_may_be_compared(original: str, port: str) -> None:
    same_target(original, port)


def test_a_bad_spec_is_a_usage_error_there_too() -> None:
    with pytest.raises(SpecError, match="not a TCP port"):
        same_target("parity_shop.main:wsgi", "8000")
