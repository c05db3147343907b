"""The faults that are kept as data belong into this very tree, and their planter finds what is red and what is not."""

import json
import subprocess
import sys

import pytest

from contract_tests.tests.faults import nursery
from contract_tests.tests.faults.catalogue import Fault, NoPlace, Place, planted, read_faults
from contract_tests.tests.house.test_house import ROOT

FAULTS = read_faults()


def test_each_fault_has_one_place_in_this_tree_and_can_be_planted_there():
    wrong = []
    for fault in FAULTS:
        try:
            place = fault.place_in(ROOT)
        except NoPlace as reason:
            wrong.append(f"{fault.id}: {reason}")
            continue
        if place.file.endswith(".py"):
            compile(planted((ROOT / place.file).read_text(), place), place.file, "exec")
        assert place.new != place.old, fault.id
    assert not wrong, "\n".join(wrong)


def test_each_fault_has_an_id_of_its_own_and_a_sentence():
    ids = [fault.id for fault in FAULTS]
    assert len(set(ids)) == len(ids)
    assert all(fault.sees.endswith(".") for fault in FAULTS)


def test_the_tests_that_a_fault_names_exist():
    missing = [fault.id for fault in FAULTS if not fault.modules_in(ROOT)]
    assert not missing


def test_a_place_must_be_the_only_one(tmp_path):
    (tmp_path / "app.py").write_text("one = 1\ntwo = 2\n")
    here, gone = Place("app.py", "one = 1", "one = 2"), Place("gone.py", "one = 1", "one = 2")
    assert Fault("a", "A.", (), (gone, here)).place_in(tmp_path) == here
    with pytest.raises(NoPlace, match="0 times in gone"):
        Fault("a", "A.", (), (gone,)).place_in(tmp_path)
    with pytest.raises(NoPlace, match="several"):
        Fault("a", "A.", (), (here, Place("app.py", "two = 2", ""))).place_in(tmp_path)
    with pytest.raises(NoPlace, match="2 times"):
        Fault("a", "A.", (), (Place("app.py", " = ", ""),)).place_in(tmp_path)


TESTS = {
    "test_green.py": "def test_first(): assert True",
    "test_red.py": "def test_first(): assert True\ndef test_second(): assert False\ndef test_third(): assert False",
    "test_hangs.py": "import time\ndef test_first(): time.sleep(60)",
}


def test_the_nursery_names_the_first_red_test_and_what_hangs(tmp_path):
    for name, text in TESTS.items():
        (tmp_path / name).write_text(text)
    asked = "".join(json.dumps([name]) + "\n" for name in TESTS)
    # With pytest imported beforehand a child begins at once, however busy the machine is.
    command = [sys.executable, nursery.__file__, "5", "pytest"]
    run = subprocess.run(command, cwd=tmp_path, input=asked, capture_output=True, text=True, check=True)
    red = [json.loads(line)["red"] for line in run.stdout.splitlines()]
    assert red == [None, "test_red.py::test_second", "test_hangs.py::test_first (did not end)"]
