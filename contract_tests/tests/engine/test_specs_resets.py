"""Whether and how a target is rewound is known from its SPEC and its reset, or told in one line."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from contract_tests.parity.resets import ResetError
from contract_tests.parity.specs import SpecError, can_reset, resolve
from contract_tests.tests.engine import shop
from contract_tests.tests.engine.shop import GET, apps, complaint

# pytest finds fixtures by the names of a module.
here = shop.here


def test_a_factory_is_reset_by_calling_it_again_after_the_old_one_is_closed() -> None:
    with resolve("parity_shop.main:create_app()") as target:
        assert target.send(GET).body == b"1"
        target.reset()
        assert apps().closed == [1]
        assert target.send(GET).body == b"2"
    assert apps().closed == [1, 2]
    assert target.name == "parity_shop.main.Application"


def test_a_factory_that_fails_at_a_reset_is_told() -> None:
    with resolve("parity_shop.main:create_once()") as target:
        with pytest.raises(SpecError, match="raised RuntimeError: once only"):
            target.reset()
        assert apps().closed == [1]


def test_a_factory_takes_no_reset_command() -> None:
    assert "calling it again" in complaint("parity_shop.main:create_app()", reset="true")


def test_an_attribute_is_not_reset_unless_it_is_told_how() -> None:
    with resolve("parity_shop.main:wsgi") as target:
        target.reset()
    with resolve("parity_shop.main:wsgi", reset="parity_shop.main:reset") as target:
        target.reset()
        assert target.send(GET).body == b"wsgi"
        assert target.name == "parity_shop.main.wsgi"
    assert apps().resets == ["called"]


@pytest.mark.parametrize(
    ("spec", "reset", "possible"),
    [
        ("parity_shop.main:wsgi", None, False),
        ("http://127.0.0.1:9", None, False),
        ("serve {port}", None, False),
        ("parity_shop.main:create_app()", None, True),
        ("http://127.0.0.1:9", "true", True),
    ],
)
def test_whether_a_target_can_be_reset_is_known_before(spec: str, reset: str | None, *, possible: bool) -> None:
    assert can_reset(spec, reset=reset) is possible


def test_a_url_is_reset_by_a_function_in_this_process() -> None:
    with resolve("http://127.0.0.1:9", reset="parity_shop.main:reset") as target:
        target.reset()
        target.reset()
    assert apps().resets == ["called", "called"]


def test_a_url_is_reset_by_a_command_without_a_shell(here: Path) -> None:
    script = "import json, os, sys; json.dump([sys.argv[1:], os.environ['WORLD']], open('told', 'w'))"
    reset = shlex.join([sys.executable, "-c", script, "a b", "$HOME", ";", "false"])
    with resolve("http://127.0.0.1:9", reset=reset, env={"WORLD": "apart"}) as target:
        target.reset()
    assert json.loads((here / "told").read_text()) == [["a b", "$HOME", ";", "false"], "apart"]


def test_a_reset_command_that_fails_is_told_with_the_end_of_its_output() -> None:
    script = "import sys; [print('line', n) for n in range(30)]; sys.exit('no database')"
    target = resolve("http://127.0.0.1:9", reset=shlex.join([sys.executable, "-c", script]))
    with pytest.raises(ResetError, match="ended with exit code 1") as raised:
        target.reset()
    lines = str(raised.value).splitlines()
    assert "no database" in lines
    assert len(lines) == 21
    target.close()


@pytest.mark.parametrize(
    ("reset", "told"), [("reset_broken", r"KeyError: 'no\ntable'"), ("refuse", "SystemExit: DATABASE_URL is missing")]
)
def test_a_reset_in_this_process_that_raises_is_told_in_one_line(reset: str, told: str) -> None:
    with (
        resolve("http://127.0.0.1:9", reset=f"parity_shop.main:{reset}") as target,
        pytest.raises(ResetError) as raised,
    ):
        target.reset()
    assert str(raised.value) == f"the reset 'parity_shop.main:{reset}' raised {told}"


def test_a_reset_command_that_is_missing_is_told() -> None:
    with (
        resolve("http://127.0.0.1:9", reset="/no/such/command") as target,
        pytest.raises(ResetError, match="cannot be run"),
    ):
        target.reset()


@pytest.mark.parametrize("reset", ["parity_shop.main:rest", "parity_shop.main:number", "it's", ""])
def test_a_reset_that_names_nothing_is_a_usage_error(reset: str) -> None:
    complaint("http://127.0.0.1:9", reset=reset)
