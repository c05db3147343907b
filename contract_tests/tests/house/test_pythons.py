"""`make pythons` runs the contract suite on each other Python that is found, and fails when one of them does"""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from contract_tests.tests import pythons
from contract_tests.tests.house.test_house import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture(autouse=True)
def no_pyenv(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))


@pytest.fixture
def told(capsys):
    return lambda: capsys.readouterr().out


def script(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return str(folder)


def real(folder):
    """A folder with this Python under its version's name."""
    folder.mkdir(parents=True)
    (folder / f"python{pythons.OWN}").symlink_to(Path(sys._base_executable).resolve())
    return str(folder)


def test_an_interpreter_on_the_path_is_found(tmp_path):
    assert pythons.find(pythons.OWN, real(tmp_path / "bin")).parent == tmp_path / "bin"


def test_one_that_only_pyenv_has_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    folder = real(tmp_path / f"versions/{pythons.OWN}.1/bin")
    assert pythons.find(pythons.OWN, str(tmp_path / "empty")).parent == Path(folder)


def test_the_newest_of_pyenv_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version in ("3.12.9", "3.12.10", "3.9.1"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
    assert [Path(each).parent.name for each in pythons.pyenv_folders()] == ["3.12.10", "3.12.9", "3.9.1"]


def test_a_name_that_does_not_run_is_not_found(tmp_path):
    assert (
        pythons.find("3.13", script(tmp_path, "python3.13", "echo python3.13: command not found >&2; exit 127")) is None
    )


def test_one_behind_a_name_that_does_not_run_is_found(tmp_path):
    path = script(tmp_path / "shims", f"python{pythons.OWN}", "exit 127") + ":" + real(tmp_path / "bin")
    assert pythons.find(pythons.OWN, path).parent == tmp_path / "bin"


def test_what_ran_and_what_was_not_found_is_said(told):
    found = {"3.12": Path("/a/python3.12"), "3.13": None}
    assert pythons.report(found, found.get, lambda *_: "7 passed")
    line = r"Python 3\.12 --fresh-apps: 7 passed \(\d+ s, /a/python3\.12\)\n"
    assert re.fullmatch(r"Python 3\.13: not found\n" + line, told())


def test_the_apps_are_made_anew_once_on_the_first_that_is_found_or_on_this_one(told):
    tried = []

    def try_version(version, interpreter, *options):
        tried.append((version, *options))
        return "7 passed"

    found = {"3.12": None, "3.13": Path("/a"), "3.14": Path("/b")}
    assert pythons.report(found, found.get, try_version)
    assert tried == [("3.13", pythons.FRESH), ("3.14",)]
    tried.clear()
    assert pythons.report(("3.12", "3.13"), lambda _: None, try_version)
    assert tried == [(pythons.OWN, pythons.FRESH)]
    assert f"Python {pythons.OWN} --fresh-apps: 7 passed" in told()


def test_a_version_that_fails_fails_the_check_and_the_others_still_run(told):
    def try_version(version, *_):
        if version == "3.12":
            raise pythons.Failed("1 failed")
        return "7 passed"

    assert not pythons.report(("3.12", "3.13"), Path, try_version)
    assert "Python 3.12 --fresh-apps: FAILED\n1 failed" in (said := told())
    assert "Python 3.13: 7 passed" in said


def test_a_command_that_fails_is_shown_with_what_it_printed():
    with pytest.raises(pythons.Failed, match=r"(?s)-c .*no wheel for it"):
        pythons.run([sys.executable, "-c", "import sys; print('no wheel for it', file=sys.stderr); sys.exit(2)"])


def test_an_environment_is_made_once_and_anew_when_the_lock_changes(tmp_path, monkeypatch):
    for name in pythons.SOURCES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    ran = []

    def run(command):
        ran.append(command)
        (tmp_path / ".venv-3.13").mkdir(exist_ok=True)
        return ""

    monkeypatch.setattr(pythons, "ROOT", tmp_path)
    monkeypatch.setattr(pythons, "run", run)
    pythons.environment("3.13", Path(sys.executable))
    made = len(ran)
    assert made
    pythons.environment("3.13", Path(sys.executable))
    assert len(ran) == made
    (tmp_path / "requirements/dev.lock").write_text("another")
    pythons.environment("3.13", Path(sys.executable))
    assert len(ran) == 2 * made


def test_an_environment_that_was_not_finished_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(pythons, "fingerprint", lambda _: "a")
    monkeypatch.setattr(pythons, "ROOT", tmp_path)
    ran = []

    def run(command):
        ran.append(command)
        raise pythons.Failed("no index")

    monkeypatch.setattr(pythons, "run", run)
    for _ in range(2):
        with pytest.raises(pythons.Failed):
            pythons.environment("3.13", Path(sys.executable))
    assert len(ran) == 2


def test_make_check_runs_it_after_the_tests():
    steps = re.search(r"^check:.*\n\t.* \$\(SYNC\) (.*)\n", MAKEFILE, re.M)[1].split()
    assert steps.index("test") < steps.index("pythons")


def test_the_project_names_no_python_that_is_not_run():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    named = [each.removeprefix(prefix) for each in project["classifiers"] if each.startswith(prefix)]
    assert named
    assert named == list(pythons.VERSIONS[: len(named)])
    assert project["requires-python"] == f">={pythons.VERSIONS[0]}"
    assert f"from {pythons.VERSIONS[0]} to {pythons.VERSIONS[-1]}" in MAKEFILE
