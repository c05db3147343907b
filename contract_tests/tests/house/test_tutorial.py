"""The tutorial leads from red to green: its blocks are applied to a copy of the project, step by step"""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from contract_tests.tests.house.test_docs import blocks
from contract_tests.tests.house.test_house import ROOT, tracked

TUTORIAL = ROOT / "docs/add-an-endpoint.md"


@pytest.mark.servers
def test_the_tutorial_turns_the_suite_red_and_then_green(tmp_path):
    copy = copy_of_the_project(tmp_path / "copy")
    core = next(at for at, block in enumerate(blocks(TUTORIAL)) if block.told("at the end of"))
    contract, rest = blocks(TUTORIAL)[:core], blocks(TUTORIAL)[core:]
    changed = apply(contract, copy)
    red = run_in(copy, "-m", "pytest", "-q", "--disable-plugin-autoload", "contract_tests/suite/test_count.py")
    assert red.returncode == 1, red.stdout
    assert "6 failed" in red.stdout
    changed |= apply(rest, copy)
    written = run_in(copy, *recipe("openapi"))
    assert written.returncode == 0, written.stderr
    checks = ["-m", "ruff", "check", "-q", *changed], ["-m", "ruff", "format", "-q", "--check", *changed]
    assert [run_in(copy, *check).stdout for check in checks] == ["", ""]
    house = ["contract_tests/tests/house/test_twins.py", "contract_tests/tests/house/test_house.py"]
    # The modules that know the new route; the whole suite is run by those who follow the page.
    modules = [f"contract_tests/suite/test_{name}.py" for name in ("count", "methods", "docs")]
    chosen = "twins or document or suite or test_count or test_methods or test_docs"
    green = run_in(copy, "-m", "pytest", "-q", "--disable-plugin-autoload", *house, *modules, "-k", chosen)
    assert green.returncode == 0, green.stdout[-3000:]


def copy_of_the_project(folder):
    for path in tracked():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def apply(found, copy):
    """Make the changes that blocks tell; gives the files that were changed."""
    changed = set()
    for block in found:
        if path := block.told("the new file"):
            (copy / path).write_text(block.text)
        elif path := block.told("at the end of"):
            (copy / path).write_text((copy / path).read_text() + "\n\n" + block.text)
        elif path := block.told("in"):
            patch(copy / path, block.text)
        changed |= {path} - {None}
    return changed


def patch(path, diff):
    """Replace the one place that has a diff's kept and removed lines by its kept and added ones."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} has not this place once:\n{before}"
    path.write_text(text.replace(before, after))


def recipe(target):
    """What a make target gives to Python."""
    line = re.search(rf"^{target}:.*\n\t@\$\(BIN\)/python (.*)$", (ROOT / "Makefile").read_text(), re.M)
    return shlex.split(line[1])


def run_in(copy, *arguments):
    # The copy's own code comes first, before the installed project's.
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
