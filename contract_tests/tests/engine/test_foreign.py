"""The lists of the three foreign pairs are true: each listed difference shows as told, and each control is alike."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contract_tests.parity.cases import load_cases

from .foreign import FOLDER, NAMES, answers, fits, listed

LEVELS = {"status", "header", "cookie", "json", "media-type", "bytes", "transport", "effect", "guard"}
GRAVITIES = ("security", "breaks", "visible", "cosmetic")
NEEDS = {"nothing", "sign-in", "sequence of writes", "special input"}
KEYS = {"id", "differs", "operations", "level", "gravity", "needs", "steps", "original", "port"}


def stories(kind: str) -> list[Any]:
    return [
        pytest.param(name, story, id=f"{name}-{story.get('id', number)}")
        for name in NAMES
        for number, story in enumerate(listed(name)[kind])
    ]


@pytest.mark.parametrize(("name", "difference"), stories("differences"))
def test_a_listed_difference_shows_as_it_is_told(name, difference, tmp_path):
    original, port = answers(name, difference, tmp_path)
    assert fits(original, difference["original"]), original
    assert fits(port, difference["port"]), port
    assert original != port


@pytest.mark.parametrize(("name", "control"), stories("controls"))
def test_a_control_is_alike(name, control, tmp_path):
    original, port = answers(name, control, tmp_path)
    assert original == port


@pytest.mark.parametrize(("name", "difference"), stories("differences"))
def test_an_entry_says_where_how_gravely_and_under_what_needs_it_differs(name, difference):
    assert difference.keys() - {"signed_in", "shows"} == KEYS
    assert difference["level"] in LEVELS
    assert difference["gravity"] in GRAVITIES
    assert difference["needs"] in NEEDS
    operations = difference["operations"]
    assert operations == "all" or all(re.fullmatch(r"[A-Z]+ /\S*", operation) for operation in operations)


@pytest.mark.parametrize("name", NAMES)
def test_no_cause_is_listed_twice(name):
    ids = [difference["id"] for difference in listed(name)["differences"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_the_sign_in_is_one_case_that_the_engine_reads(name):
    [case] = load_cases(FOLDER / name / "signin.jsonl")
    assert case.steps


@pytest.mark.parametrize("name", NAMES)
def test_each_app_begins_in_a_world_of_its_own(name, tmp_path):
    """What a story writes is not there when the next one begins: the same story twice tells the same."""
    for difference in listed(name)["differences"]:
        if difference["needs"] == "sequence of writes":
            first = answers(name, difference, tmp_path)
            original, port = answers(name, difference, tmp_path)
            assert fits(original, difference["original"]), first
            assert fits(port, difference["port"]), first
