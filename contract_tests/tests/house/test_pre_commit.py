"""The hooks before a commit are what `make check` begins with"""

import re

from contract_tests.tests.house.test_house import ROOT


def test_the_hooks_are_the_first_commands_of_make_check():
    hooks = re.findall(r"^ +entry: \.venv/bin/(.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.M)
    recipe = re.search(r"^style:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1]
    commands = re.findall(r"^\t\$\(BIN\)/(.+)$", recipe, re.M)
    assert hooks == commands
    assert [each.split()[0] for each in hooks] == ["ruff", "ruff", "mypy", "lint-imports"]


def test_no_hook_needs_the_network():
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"repo: (\S+)", text)) == {"local"}
    assert set(re.findall(r"language: (\S+)", text)) == {"system"}
